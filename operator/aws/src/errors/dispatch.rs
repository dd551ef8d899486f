//! Whether a request that got no answer can have been sent at all, and whether it may ever be.

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

/// What STS said when it did not let the operator assume the role that the request was to be signed by. It says it to
/// the SDK's own provider, of whose errors only the words get as far as here, with a number in them that is another one
/// each time.
pub(super) fn role_denied(words: &str) -> Option<&str> {
    let (_, from) = words.split_once("AccessDenied")?.1.split_once("message: \"")?;
    let (said, _) = from.split_once('"')?;
    said.contains("sts:AssumeRole").then_some(said)
}
