//! `AssumeRole`. Every role exists and trusts everybody who says its external id, if it asks for one; a fault rule
//! denies it where a test needs that.
//!
//! <https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html>

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::credentials::Identity;
use crate::model::action::{Action, Context, Kind};
use crate::model::caller::Account;
use crate::model::error::{ApiError, Code};
use crate::model::region::Region;
use crate::model::service::Service;

/// Asks for keys of a role.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "PascalCase")]
pub struct AssumeRole {
    /// `arn:aws:iam::<account>:role/<name>`.
    pub role_arn: String,
    /// 2 to 64 letters, digits and `=,.@-_`.
    pub role_session_name: String,
    /// 900 to 43200; unset: 3600.
    pub duration_seconds: Option<i64>,
    /// What the role's trust policy asks for.
    pub external_id: Option<String>,
}

/// The keys.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct AssumeRoleAnswer {
    /// The keys.
    pub credentials: TemporaryCredentials,
    /// Who one is with them.
    pub assumed_role_user: AssumedRoleUser,
}

/// Keys that end.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct TemporaryCredentials {
    /// The key to sign with.
    pub access_key_id: String,
    /// Its secret; not checked.
    pub secret_access_key: String,
    /// Sent along; not checked.
    pub session_token: String,
    /// When they end.
    pub expiration: Timestamp,
}

/// Who one is with them.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct AssumedRoleUser {
    /// `<role id>:<session>`.
    pub assumed_role_id: String,
    /// `arn:aws:sts::<account>:assumed-role/<role>/<session>`.
    pub arn: String,
}

impl Action for AssumeRole {
    const SERVICE: Service = Service::Sts;
    const NAME: &'static str = "AssumeRole";
    const KIND: Kind = Kind::Write;
    type Answer = AssumeRoleAnswer;

    fn resource(&self) -> String {
        self.role_arn.clone()
    }

    fn run(self, _: &mut Region, context: &mut Context<'_>) -> Result<Self::Answer, ApiError> {
        let parts = self.role_arn.strip_prefix("arn:aws:iam::").and_then(|rest| rest.split_once(":role/"));
        let Some((Ok(account), role)) =
            parts.map(|(account, role)| (Account::try_from(account.to_owned()), role))
        else {
            return Err(ApiError::invalid(format!("{} is invalid", self.role_arn)));
        };
        let session = self.role_session_name;
        let fits = (2..=64).contains(&session.len())
            && session.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"=,.@-_".contains(&byte));
        if !fits {
            return Err(ApiError::invalid(format!(
                "1 validation error detected: Value '{session}' at 'roleSessionName' failed to satisfy constraint: Member \
                 must satisfy regular expression pattern: [\\w+=,.@-]*"
            )));
        }
        let seconds = self.duration_seconds.unwrap_or(3600);
        if !(900..=43_200).contains(&seconds) {
            return Err(ApiError::invalid("DurationSeconds must be between 900 and 43200"));
        }
        if !context.credentials.are_trusted(&self.role_arn, self.external_id.as_deref()) {
            return Err(ApiError::new(
                Code::AccessDenied,
                format!(
                    "User: {} is not authorized to perform: sts:AssumeRole on resource: {}",
                    context.caller.principal, self.role_arn
                ),
            ));
        }
        let expiration = context.now + SignedDuration::from_secs(seconds);
        let role = role.rsplit('/').next().unwrap_or(role);
        let arn = format!("arn:aws:sts::{account}:assumed-role/{role}/{session}");
        let identity = Identity { account, principal: arn.clone() };
        let access_key_id = context.credentials.issue(identity, expiration);
        Ok(AssumeRoleAnswer {
            assumed_role_user: AssumedRoleUser { assumed_role_id: format!("{role}:{session}"), arn },
            credentials: TemporaryCredentials {
                secret_access_key: format!("secret-of-{access_key_id}"),
                session_token: format!("token-of-{access_key_id}"),
                access_key_id,
                expiration,
            },
        })
    }
}
