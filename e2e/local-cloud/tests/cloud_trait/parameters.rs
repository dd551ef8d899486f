//! Parameters: put, read, deleted.

use dryad_cloud::Cloud;
use dryad_cloud::parameter::{Parameter, ParameterKind, Replacing};
use dryad_local_cloud::model::ssm::{ParameterType, PutParameter};

use super::refusals::assert_kind;
use super::stage::Stage;

const NAME: &str = "/shop/web/deployed";

fn text(value: &str) -> Parameter {
    Parameter { kind: ParameterKind::Text, value: value.to_owned() }
}

pub(crate) async fn a_parameter_is_put_read_replaced_and_deleted<C: Cloud>(stage: &Stage<C>) {
    let (cloud, place) = (&stage.cloud, &stage.place);
    assert_kind(&cloud.parameter(place, NAME).await.map(drop), "not found", "GetParameter");
    cloud.put_parameter(place, NAME, r#"{"turn":1}"#, Replacing::Nothing).await.unwrap();
    assert_eq!(cloud.parameter(place, NAME).await, Ok(text(r#"{"turn":1}"#)));
    let again = cloud.put_parameter(place, NAME, "2", Replacing::Nothing).await;
    assert_kind(&again, "already exists", "PutParameter");
    assert_eq!(cloud.parameter(place, NAME).await, Ok(text(r#"{"turn":1}"#)));
    cloud.put_parameter(place, NAME, "2", Replacing::Anything).await.unwrap();
    assert_eq!(cloud.parameter(place, NAME).await, Ok(text("2")));
    cloud.delete_parameter(place, NAME).await.unwrap();
    assert_kind(&cloud.delete_parameter(place, NAME).await, "not found", "DeleteParameter");
}

pub(crate) async fn a_parameter_says_of_which_type_it_is<C: Cloud>(stage: &Stage<C>) {
    for (kind, told) in
        [(ParameterType::StringList, "StringList"), (ParameterType::SecureString, "SecureString")]
    {
        let name = format!("/shop/{told}");
        let (kind, value) = (Some(kind), "a".to_owned());
        stage.did(PutParameter { name: name.clone(), value, kind, ..Default::default() });
        let found = stage.cloud.parameter(&stage.place, &name).await.unwrap();
        assert_eq!(found.kind, ParameterKind::Other(told.to_owned()));
    }
}

pub(crate) async fn a_value_that_is_too_long_is_refused<C: Cloud>(stage: &Stage<C>) {
    let outcome = stage.cloud.put_parameter(&stage.place, NAME, &"x".repeat(4097), Replacing::Nothing).await;
    assert_kind(&outcome, "invalid", "PutParameter");
}
