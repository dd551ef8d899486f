//! How long things may take, as users write it: `90s`, `15m`, `1h30m`.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

const PATTERN: &str = "^([0-9]{1,5}h)?([0-9]{1,5}m)?([0-9]{1,6}s)?$";

/// A duration of `MIN` to `MAX` seconds, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Span<const MIN: u32, const MAX: u32>(u32);

/// A text that is not a duration of the right length.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SpanError(String);

impl<const MIN: u32, const MAX: u32> Span<MIN, MAX> {
    /// A duration known when this is compiled.
    ///
    /// # Panics
    /// Beyond the bounds.
    pub const fn of_seconds(seconds: u32) -> Self {
        assert!(seconds >= MIN && seconds <= MAX, "the duration is out of its bounds");
        Self(seconds)
    }

    /// Its length in seconds.
    pub const fn seconds(self) -> u32 {
        self.0
    }

    fn sentence() -> String {
        format!(
            "write a duration from {} to {} in hours, minutes and seconds, such as 1h30m",
            Text(MIN),
            Text(MAX)
        )
    }
}

impl<const MIN: u32, const MAX: u32> From<Span<MIN, MAX>> for Duration {
    fn from(span: Span<MIN, MAX>) -> Self {
        Self::from_secs(u64::from(span.0))
    }
}

impl<const MIN: u32, const MAX: u32> FromStr for Span<MIN, MAX> {
    type Err = SpanError;

    fn from_str(text: &str) -> Result<Self, SpanError> {
        seconds(text)
            .filter(|seconds| (MIN..=MAX).contains(seconds) && !text.is_empty())
            .map(Self)
            .ok_or_else(|| SpanError(Self::sentence()))
    }
}

/// The seconds of `[<n>h][<n>m][<n>s]`.
fn seconds(text: &str) -> Option<u32> {
    let (mut rest, mut total) = (text, 0_u32);
    for (unit, worth) in [('h', 3600), ('m', 60), ('s', 1)] {
        if let Some((number, after)) = rest.split_once(unit) {
            let number = number.bytes().all(|byte| byte.is_ascii_digit()).then_some(number)?;
            total = number.parse::<u32>().ok()?.checked_mul(worth)?.checked_add(total)?;
            rest = after;
        }
    }
    rest.is_empty().then_some(total)
}

impl<const MIN: u32, const MAX: u32> TryFrom<String> for Span<MIN, MAX> {
    type Error = SpanError;

    fn try_from(text: String) -> Result<Self, SpanError> {
        text.parse()
    }
}

impl<const MIN: u32, const MAX: u32> From<Span<MIN, MAX>> for String {
    fn from(span: Span<MIN, MAX>) -> Self {
        span.to_string()
    }
}

impl<const MIN: u32, const MAX: u32> fmt::Display for Span<MIN, MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Text(self.0).fmt(f)
    }
}

/// Seconds in the shortest text that says them.
struct Text(u32);

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == 0 {
            return f.write_str("0s");
        }
        let parts = [(self.0 / 3600, 'h'), (self.0 / 60 % 60, 'm'), (self.0 % 60, 's')];
        parts
            .into_iter()
            .filter(|(number, _)| *number > 0)
            .try_for_each(|(number, unit)| write!(f, "{number}{unit}"))
    }
}

impl<const MIN: u32, const MAX: u32> JsonSchema for Span<MIN, MAX> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        format!("Span{MIN}To{MAX}").into()
    }

    /// The pattern comes first, so that CEL's `duration` is never asked about anything it would fail on.
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "minLength": 2,
            "maxLength": 20,
            "x-kubernetes-validations": [{
                "rule": format!(
                    "self.matches(r'{PATTERN}') && duration(self) >= duration('{MIN}s') \
                     && duration(self) <= duration('{MAX}s')"
                ),
                "message": Self::sentence(),
            }],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Tick = Span<1, 300>;

    #[test]
    fn a_duration_is_read_as_it_is_written() {
        for (text, seconds, shortest) in [
            ("1s", 1, "1s"),
            ("90s", 90, "1m30s"),
            ("5m", 300, "5m"),
            ("0h1m0s", 60, "1m"),
            ("007s", 7, "7s"),
        ] {
            let span: Tick = text.parse().expect(text);
            assert_eq!((span.seconds(), span.to_string().as_str()), (seconds, shortest), "{text}");
        }
        assert_eq!("1h30m".parse::<Span<0, 86_400>>().map(Span::seconds), Ok(5400));
        assert_eq!("0s".parse::<Span<0, 60>>().map(|span| span.to_string()), Ok("0s".to_owned()));
    }

    #[test]
    fn what_is_no_duration_or_out_of_bounds_is_refused_in_a_sentence() {
        for text in
            ["", "5", "m", "-5m", "5m30", "1.5m", "30s5m", "5d", "301s", "0s", "1h", "99999999999s", " 5s"]
        {
            let refused = text.parse::<Tick>().expect_err(text).to_string();
            assert!(refused.starts_with("write a duration from 1s to 5m"), "{text}: {refused}");
        }
    }
}
