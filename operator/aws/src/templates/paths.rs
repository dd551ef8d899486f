//! Which elements an answer really has.
//!
//! The SDK reads the elements that it knows and passes over all others without a word. Of a launch template that is to
//! be copied whole, that would be losing something; so the names are taken from the answer itself.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use aws_sdk_ec2::config::interceptors::AfterDeserializationInterceptorContextRef;
use aws_sdk_ec2::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_ec2::error::BoxError;

/// Takes note of the elements with something in them, below this one, in the newest answer.
#[derive(Clone, Debug)]
pub(super) struct Paths {
    below: &'static str,
    found: Arc<Mutex<BTreeSet<String>>>,
}

impl Paths {
    pub(super) fn new(below: &'static str) -> Self {
        Self { below, found: Arc::default() }
    }

    /// What was found: names from the outermost on, with dots between them, without the `item`s of lists.
    pub(super) fn found(&self) -> BTreeSet<String> {
        self.found.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Intercept for Paths {
    fn name(&self) -> &'static str {
        "Paths"
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let body = std::str::from_utf8(context.response().body().bytes().unwrap_or_default())?;
        *self.found.lock().unwrap_or_else(PoisonError::into_inner) = paths(body, self.below);
        Ok(())
    }
}

/// The document is known to be one: the SDK has read it.
fn paths(body: &str, below: &str) -> BTreeSet<String> {
    let (mut found, mut open, mut rest) = (BTreeSet::new(), Vec::new(), body);
    while let Some((text, (tag, after))) =
        rest.split_once('<').and_then(|(text, tag)| Some((text, tag.split_once('>')?)))
    {
        rest = after;
        if !text.trim().is_empty()
            && let Some(outer) = open.iter().position(|name| *name == below)
        {
            let inner = open[outer + 1..].iter().copied().filter(|name| *name != "item");
            found.insert(inner.collect::<Vec<_>>().join("."));
        }
        if tag.starts_with('/') {
            open.pop();
        } else if !tag.ends_with('/') && !tag.starts_with(['?', '!']) {
            open.push(tag.split_ascii_whitespace().next().unwrap_or_default());
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::paths;

    #[test]
    fn elements_are_found_where_they_hold_something() {
        let body = "<?xml version=\"1.0\"?>\n<R xmlns=\"x\"><id>1</id><data>\n  <a>1</a> <b/><c></c>\
                    <list><item><d k=\"v\">x</d></item><item><d>y</d><e><f>z</f></e></item></list>\
                    <set><item>s</item></set></data><after>2</after></R>";
        let found: Vec<_> = paths(body, "data").into_iter().collect();
        assert_eq!(found, ["a", "list.d", "list.e.f", "set"]);
        assert!(paths(body, "nowhere").is_empty());
    }
}
