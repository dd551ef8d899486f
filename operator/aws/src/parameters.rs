//! Parameter Store: one parameter at a time, in the clear only what is no secret.

use aws_sdk_ssm::types::ParameterType;
use dryad_cloud::CloudError;
use dryad_cloud::parameter::{Parameter, ParameterKind, Replacing};

use crate::call::Call;
use crate::errors;
use crate::site::Site;

impl Site {
    /// The parameter as it stands.
    pub(crate) async fn parameter(&self, name: &str) -> Result<Parameter, CloudError> {
        const ACTION: Call = Call::GetParameter;
        let answer = self
            .read(self.read_deadline(), ACTION, |clients| clients.ssm.get_parameter().name(name).send())
            .await?;
        let found = answer.parameter.ok_or_else(|| errors::lacking(ACTION.name(), "the parameter"))?;
        let kind = found.r#type.ok_or_else(|| errors::lacking(ACTION.name(), "the parameter's type"))?;
        let kind = match kind {
            ParameterType::String => ParameterKind::Text,
            other => ParameterKind::Other(other.as_str().to_owned()),
        };
        let value = found.value.ok_or_else(|| errors::lacking(ACTION.name(), "the parameter's value"))?;
        Ok(Parameter { kind, value })
    }

    /// Puts a text there, in the tier that the account has for new parameters, or that the parameter has.
    pub(crate) async fn put_parameter(
        &self,
        name: &str,
        value: &str,
        replacing: Replacing,
    ) -> Result<(), CloudError> {
        let overwrite = match replacing {
            Replacing::Nothing => false,
            Replacing::Anything => true,
        };
        self.mutate(self.mutation_deadline(), Call::PutParameter, |clients| {
            let request = clients.ssm.put_parameter().name(name).value(value);
            request.r#type(ParameterType::String).overwrite(overwrite).send()
        })
        .await
    }

    /// Deletes the parameter with all its versions.
    pub(crate) async fn delete_parameter(&self, name: &str) -> Result<(), CloudError> {
        self.mutate(self.mutation_deadline(), Call::DeleteParameter, |clients| {
            clients.ssm.delete_parameter().name(name).send()
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use dryad_cloud::Cloud;

    use super::*;
    use crate::testing::{Fake, here};

    fn answer(status: u16, body: &str) -> Fake {
        Fake::always((status, body.to_owned()))
    }

    #[tokio::test(start_paused = true)]
    async fn a_parameter_is_what_the_answer_says() {
        let rows = [
            ("String", ParameterKind::Text),
            ("StringList", ParameterKind::Other("StringList".to_owned())),
            ("SecureString", ParameterKind::Other("SecureString".to_owned())),
            ("OfTomorrow", ParameterKind::Other("OfTomorrow".to_owned())),
        ];
        for (written, kind) in rows {
            let body = format!(r#"{{"Parameter":{{"Name":"/a","Type":"{written}","Value":"v"}}}}"#);
            let found = answer(200, &body).aws().parameter(&here(), "/a").await;
            assert_eq!(found, Ok(Parameter { kind, value: "v".to_owned() }), "{written}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_that_is_not_whole_is_none() {
        for body in [r#"{"Parameter":{"Name":"/a","Type":"String","Val"#, "{}", r#"{"Parameter":{}}"#, ""] {
            let found = answer(200, body).aws().parameter(&here(), "/a").await;
            assert!(matches!(found, Err(CloudError::Unanswered { .. })), "{body}: {found:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn refusals_mean_what_they_say() {
        let rows = [
            ("ParameterNotFound", 400, "not found"),
            ("ParameterAlreadyExists", 400, "already exists"),
            ("TooManyUpdates", 400, "busy"),
            ("ThrottlingException", 400, "throttled"),
            ("ValidationException", 400, "HTTP 400"),
            ("AccessDeniedException", 400, "denied"),
            ("InternalServerError", 500, "not answered"),
        ];
        for (code, status, meaning) in rows {
            let body = format!(r#"{{"__type":"{code}","message":"HTTP {status}"}}"#);
            let fake = answer(status, &body);
            let outcome = fake.aws().put_parameter(&here(), "/a", "v", Replacing::Nothing).await;
            let sentence = outcome.unwrap_err().to_string();
            assert!(sentence.contains(meaning), "{code}: {sentence}");
            assert_eq!(fake.asked().len(), 1, "a mutation is sent once");
        }
    }
}
