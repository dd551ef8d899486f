//! `GetCallerIdentity`.
//!
//! <https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html>

use serde::{Deserialize, Serialize};

use crate::model::action::{Action, Context, Kind};
use crate::model::error::ApiError;
use crate::model::region::Region;
use crate::model::service::Service;

/// Asks who one is.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GetCallerIdentity {}

/// Who one is.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct GetCallerIdentityAnswer {
    /// The account.
    pub account: String,
    /// The principal.
    pub arn: String,
    /// The principal's id.
    pub user_id: String,
}

impl Action for GetCallerIdentity {
    const SERVICE: Service = Service::Sts;
    const NAME: &'static str = "GetCallerIdentity";
    const KIND: Kind = Kind::Read;
    type Answer = GetCallerIdentityAnswer;

    fn resource(&self) -> String {
        String::new()
    }

    fn run(self, _: &mut Region, context: &mut Context<'_>) -> Result<Self::Answer, ApiError> {
        Ok(GetCallerIdentityAnswer {
            account: context.caller.place.account.to_string(),
            arn: context.caller.principal.clone(),
            user_id: context.caller.place.account.to_string(),
        })
    }
}
