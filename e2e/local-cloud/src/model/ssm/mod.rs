//! Systems Manager's Parameter Store.
//!
//! <https://docs.aws.amazon.com/systems-manager/latest/userguide/sysman-paramstore-su-create.html>

mod parameters;

use std::collections::BTreeMap;

pub use parameters::{
    DeleteParameter, DescribedParameter, GetParameter, GetParameterAnswer, Parameter, ParameterType,
    PutParameter, PutParameterAnswer,
};

/// What Parameter Store holds in one region, by name.
#[derive(Debug, Clone, Default)]
pub struct State {
    pub(crate) parameters: BTreeMap<String, Parameter>,
}
