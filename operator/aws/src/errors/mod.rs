//! From the SDK's errors to the trait's: what became of the request, not which service said what.

mod dispatch;
#[cfg(test)]
mod wire_tests;

use std::error::Error;

use aws_sdk_autoscaling::error::{ProvideErrorMetadata, SdkError};
use dryad_cloud::CloudError;

/// What the error says about its request. An outcome that cannot be told is [`CloudError::Unanswered`]: a mutation
/// taken for refused that was carried out after all would be forgotten, the other way round it is asked about again.
pub(crate) fn sort<E>(action: &'static str, error: &SdkError<E>) -> CloudError
where
    E: ProvideErrorMetadata + Error + 'static,
{
    match error {
        SdkError::ServiceError(answer) => {
            let said = answer.err();
            CloudError::answered(action, answer.raw().status().as_u16(), said.code(), said.message())
        }
        SdkError::ConstructionFailure(_) => CloudError::Invalid { action, message: in_words(error) },
        SdkError::DispatchFailure(_) if dispatch::never_left(error) => {
            let message = in_words(error);
            match dispatch::role_denied(&message) {
                Some(said) => CloudError::Denied { action: "sts:AssumeRole", message: said.to_owned() },
                None => CloudError::Unreachable { action, message },
            }
        }
        _ => CloudError::Unanswered { action, message: in_words(error) },
    }
}

/// The answer came, but not whole.
pub(crate) fn lacking(action: &'static str, what: &str) -> CloudError {
    CloudError::Unanswered { action, message: format!("the answer lacks {what}") }
}

/// The error and its causes in one line, from the outermost to the innermost.
fn in_words(error: &(dyn Error + 'static)) -> String {
    let causes: Vec<_> = causes(error).map(ToString::to_string).collect();
    causes.join(": ")
}

/// The error, its cause, the cause of that, and so on.
fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&error| error.source())
}
