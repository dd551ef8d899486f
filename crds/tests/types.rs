//! The types and the CRDs say the same: an object as an API server stores it reads into the types, and back.

mod table;

use dryad_crds::environment::declared;
use dryad_crds::environment::parameters::{ParameterName, Parameters};
use dryad_crds::environment::traffic::Traffic;
use dryad_crds::{Deployment, Environment, generate};
use dryad_machine::view::Routing;
use kube_cel::apply_defaults;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// Every new object of the table that is accepted, as the API server stores it.
fn stored(table: &str, plural: &str) -> Vec<(String, Value)> {
    let crd = generate::crds().into_iter().find(|crd| crd.spec.names.plural == plural).expect("our CRD");
    let crd = serde_json::to_value(crd).expect("a CRD is JSON");
    let schema = &crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"];
    let accepted = table::rows(table).into_iter().filter(|row| row.refused.is_none() && row.old.is_none());
    accepted.map(|row| (row.case, apply_defaults(schema, &row.new))).collect()
}

fn reads_and_writes_the_same<T: Serialize + DeserializeOwned>(table: &str, plural: &str) {
    let stored = stored(table, plural);
    assert!(!stored.is_empty());
    for (case, object) in stored {
        let read: T =
            serde_json::from_value(object.clone()).unwrap_or_else(|error| panic!("{case}: {error}"));
        assert_eq!(serde_json::to_value(&read).expect("JSON")["spec"], object["spec"], "{case}");
    }
}

#[test]
fn defaults_are_the_same_for_the_api_server_and_for_us() {
    reads_and_writes_the_same::<Environment>(table::ENVIRONMENT, "environments");
    reads_and_writes_the_same::<Deployment>(table::DEPLOYMENT, "deployments");
}

/// As after an upgrade, when the API server shows an object with what a newer schema adds to it.
#[test]
fn what_the_api_server_adds_to_a_stored_object_changes_no_digest() {
    let stored = stored(table::ENVIRONMENT, "environments");
    let written = table::rows(table::ENVIRONMENT);
    let mut declaring = 0;
    for (case, object) in stored {
        let as_written = written.iter().find(|row| row.case == case).expect("it is of that table");
        let digest = declared::digest(&as_written.new["spec"]);
        assert_ne!(as_written.new["spec"], object["spec"], "{case}: nothing was added");
        assert_eq!(declared::digest(&object["spec"]), digest, "{case}");
        declaring += usize::from(digest.is_some());
    }
    assert!(declaring >= 3);
}

#[test]
fn what_users_write_is_what_the_machine_goes_by() {
    let (_, object) = stored(table::ENVIRONMENT, "environments").swap_remove(0);
    let spec = serde_json::from_value::<Environment>(object).expect("an Environment").spec;
    let pace = spec.pace();
    assert_eq!(pace.tick_seconds.get(), 10);
    assert_eq!(pace.rollout_timeout_seconds, 900);
    assert_eq!(pace.evaluate_seconds, 300);
    assert_eq!(pace.evaluate_timeout_seconds, 1200);
    assert_eq!(pace.retain_seconds, 1800);
    assert_eq!(spec.target.place().to_string(), "default/us-east-1");
    assert_eq!((spec.target.capacity().min, spec.target.capacity().max), (4, 16));
    assert_eq!(Traffic::access(spec.traffic.as_ref()).routing(), Routing::Weighted);
    assert_eq!(Traffic::access(None).routing(), Routing::Workers);
}

#[test]
fn an_environment_names_every_parameter_that_it_would_have_read_or_written() {
    let (_, mut object) = stored(table::ENVIRONMENT, "environments").swap_remove(0);
    let named = |object: &Value| {
        let spec = serde_json::from_value::<Environment>(object.clone()).expect("an Environment").spec;
        let names = |names: &[&ParameterName]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
        let Parameters { read, written } = spec.parameters();
        (names(&read), names(&written))
    };
    assert_eq!(named(&object), (Vec::new(), Vec::new()));
    object["spec"]["deployedParameter"] = "/shop/web/deployed".into();
    object["spec"]["target"]["autoScalingGroup"]["launchTemplate"]["imageIdFromParameter"] =
        "/golden/web".into();
    assert_eq!(named(&object), (vec!["/golden/web".to_owned()], vec!["/shop/web/deployed".to_owned()]));
}
