//! Whether an answer came whole.
//!
//! The SDK reads as far as an answer goes: one that breaks off in the middle of a list is taken for a shorter list, and
//! an empty list of groups means that they are gone. HTTP mostly notices, but not behind everything that may stand
//! between AWS and here.

use aws_sdk_autoscaling::config::interceptors::AfterDeserializationInterceptorContextRef;
use aws_sdk_autoscaling::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_autoscaling::error::BoxError;

/// Refuses answers of success that are not one whole XML document.
#[derive(Debug)]
pub(crate) struct Whole;

impl Intercept for Whole {
    fn name(&self) -> &'static str {
        "Whole"
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let answer = context.response();
        if !answer.status().is_success() || answer.body().bytes().is_some_and(is_whole) {
            Ok(())
        } else {
            Err("the answer is not one whole XML document".into())
        }
    }
}

/// Whether it ends with the end of the element that it begins with.
fn is_whole(body: &[u8]) -> bool {
    let text = std::str::from_utf8(body).unwrap_or_default().trim();
    let element = match text.strip_prefix("<?xml") {
        Some(declaration) => declaration.split_once("?>").map_or("", |(_, element)| element.trim_start()),
        None => text,
    };
    let Some((tag, _)) = element.strip_prefix('<').and_then(|rest| rest.split_once('>')) else {
        return false;
    };
    if tag.ends_with('/') {
        return element.len() == tag.len() + "<>".len();
    }
    let name = tag.split_ascii_whitespace().next().unwrap_or_default();
    let last = element.strip_suffix('>').and_then(|rest| rest.strip_suffix(name));
    last.is_some_and(|rest| rest.ends_with("</"))
}

#[cfg(test)]
mod tests {
    use super::is_whole;

    #[test]
    fn a_document_is_whole_with_its_last_byte() {
        for whole in [
            "<A><A>x</A></A>",
            "<A/>",
            r#"<?xml version="1.0" encoding="UTF-8"?>
<A xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><b/></A>
"#,
        ] {
            assert!(is_whole(whole.as_bytes()), "{whole}");
            let whole = whole.trim_end();
            // An inner element of the root's name could be taken for the root; AWS has none.
            for length in (0..whole.len()).filter(|length| &whole[..*length] != "<A><A>x</A>") {
                assert!(!is_whole(&whole.as_bytes()[..length]), "{}", &whole[..length]);
            }
        }
    }

    #[test]
    fn what_is_no_document_is_not_whole() {
        for body in [&b"<A>\xff</A>"[..], b"", b"ok", b"<A></B>", b"x<A></A>"] {
            assert!(!is_whole(body), "{}", String::from_utf8_lossy(body));
        }
    }
}
