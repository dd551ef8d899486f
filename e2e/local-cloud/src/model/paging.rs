//! Pages of describe answers: tokens that name the last key given, so that changes between two pages neither repeat nor
//! skip what stays.

use super::error::{ApiError, Code};

/// What the caller asked of a page.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Page<'a> {
    /// The token of the page before, or none for the first.
    pub(crate) token: Option<&'a str>,
    /// How many at most.
    pub(crate) size: usize,
}

impl Page<'_> {
    /// The page of `items`, which are sorted by `key`, and the token for the next if there is one.
    ///
    /// # Errors
    /// `InvalidNextToken`, when the token was not given by this cloud.
    pub(crate) fn of<T>(
        self,
        items: impl Iterator<Item = T>,
        key: impl Fn(&T) -> String,
    ) -> Result<(Vec<T>, Option<String>), ApiError> {
        let after = self.token.filter(|token| !token.is_empty()).map(decode).transpose()?;
        let mut rest = items.skip_while(|item| after.as_ref().is_some_and(|after| key(item) <= *after));
        let page: Vec<T> = rest.by_ref().take(self.size).collect();
        let next = rest.next().and(page.last()).map(|last| encode(&key(last)));
        Ok((page, next))
    }
}

fn encode(key: &str) -> String {
    use std::fmt::Write as _;
    key.bytes().fold(String::from("k"), |mut token, byte| {
        // Writing to a String cannot fail.
        let _ = write!(token, "{byte:02x}");
        token
    })
}

fn decode(token: &str) -> Result<String, ApiError> {
    let bytes = token.strip_prefix('k').filter(|hex| hex.len() % 2 == 0 && hex.is_ascii()).and_then(|hex| {
        (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).ok()).collect()
    });
    bytes
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .ok_or_else(|| ApiError::new(Code::InvalidNextToken, "The token you specified is not valid."))
}

#[cfg(test)]
mod tests {
    use super::Page;

    #[test]
    fn pages_cover_everything_once() {
        let items: Vec<String> = (0..7).map(|n| format!("g{n}")).collect();
        let (mut seen, mut token) = (Vec::new(), None::<String>);
        loop {
            let page = Page { token: token.as_deref(), size: 3 };
            let (part, next) = page.of(items.iter(), |item| (*item).clone()).expect("a token of ours");
            seen.extend(part.into_iter().cloned());
            match next {
                Some(next) => token = Some(next),
                None => break,
            }
        }
        assert_eq!(seen, items);
    }

    #[test]
    fn a_foreign_token_is_refused() {
        let page = Page { token: Some("nonsense"), size: 3 };
        assert!(page.of(["a"].iter(), ToString::to_string).is_err());
    }
}
