//! Who a caller is, and becoming another.

mod assume_role;
mod credentials;
mod identity;

pub use assume_role::{AssumeRole, AssumeRoleAnswer, AssumedRoleUser, TemporaryCredentials};
pub use credentials::{Credentials, Identity};
pub use identity::{GetCallerIdentity, GetCallerIdentityAnswer};
