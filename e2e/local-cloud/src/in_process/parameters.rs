//! Parameters in the model's words, and back.

use dryad_cloud::parameter::{Parameter, ParameterKind, Replacing};

use crate::model::ssm::{DescribedParameter, ParameterType, PutParameter};

pub(super) fn put(name: &str, value: &str, replacing: Replacing) -> PutParameter {
    PutParameter {
        name: name.to_owned(),
        value: value.to_owned(),
        kind: Some(ParameterType::String),
        overwrite: Some(match replacing {
            Replacing::Nothing => false,
            Replacing::Anything => true,
        }),
        tier: None,
    }
}

pub(super) fn described(found: DescribedParameter) -> Parameter {
    let kind = match found.kind {
        ParameterType::String => ParameterKind::Text,
        ParameterType::StringList => ParameterKind::Other("StringList".to_owned()),
        ParameterType::SecureString => ParameterKind::Other("SecureString".to_owned()),
    };
    Parameter { kind, value: found.value }
}
