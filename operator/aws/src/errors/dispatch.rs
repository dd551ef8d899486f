//! Whether a request that got no answer can have been sent at all.

use std::error::Error;

use aws_credential_types::provider::error::CredentialsError;
use hyper_util::client::legacy;

/// Whether it is certain that no byte of the request left: nothing to sign it with, or nobody to connect to.
pub(super) fn never_left(error: &(dyn Error + 'static)) -> bool {
    super::causes(error).any(|cause| {
        cause.is::<CredentialsError>()
            || cause.downcast_ref::<legacy::Error>().is_some_and(legacy::Error::is_connect)
    })
}
