//! From answers to a verdict, in words. Pure.

use std::fmt::Write as _;
use std::time::Duration;

use super::{BODY_LIMIT, ExpectStatus, HttpCheck};
use crate::quote::Line;

/// How many failed requests a verdict tells of one by one.
const TOLD: usize = 3;

/// An answer, as far as it was read.
pub(super) struct Answer<'a> {
    pub(super) status: u16,
    /// Where it would redirect to.
    pub(super) location: Option<&'a str>,
    pub(super) body: Body<'a>,
    /// How long it took to be read.
    pub(super) latency: Duration,
}

/// As much of the body as was read.
pub(super) enum Body<'a> {
    /// All that there is.
    Whole(&'a str),
    /// There is more than [`BODY_LIMIT`].
    Beginning(&'a str),
}

/// What one request came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sample {
    /// The name of the [`Address`](super::Address) that was asked.
    pub from: String,
    /// A good answer, or what was wrong.
    pub result: Result<(), Fault>,
}

/// What was wrong with one request; reads on after the address's name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Another status.
    #[error("answered {status}, expected {expected}")]
    Status {
        /// What it answered.
        status: u16,
        /// What it should have answered.
        expected: ExpectStatus,
    },
    /// A redirect, where none is expected.
    #[error("answered {status} to `{to}`, expected {expected} (redirects are not followed)")]
    Redirect {
        /// What it answered.
        status: u16,
        /// Where it points, cut.
        to: String,
        /// What it should have answered.
        expected: ExpectStatus,
    },
    /// A body without the text.
    #[error("answered without `{wanted}` in its body")]
    Body {
        /// The text looked for.
        wanted: String,
    },
    /// A large body, whose beginning is without the text.
    #[error("answered without `{wanted}` in the first {} KiB of its body", BODY_LIMIT / 1024)]
    LongBody {
        /// The text looked for.
        wanted: String,
    },
    /// A good answer that took too long.
    #[error("took {} ms to answer, {} ms are allowed", took.as_millis(), limit.as_millis())]
    Slow {
        /// How long it took.
        took: Duration,
        /// How long it might have taken.
        limit: Duration,
    },
    /// No answer, or not all of it, in time.
    #[error("did not answer within {} ms", after.as_millis())]
    TimedOut {
        /// How long it was waited for.
        after: Duration,
    },
    /// Nobody listens.
    #[error("refused the connection")]
    Refused,
    /// No connection, for another reason.
    #[error("could not be reached ({0})")]
    Unreachable(String),
    /// The connection ended before the answer did.
    #[error("broke off its answer")]
    BrokenOff,
    /// The operator could not ask; says nothing about who was to be asked.
    #[error("was not asked ({0})")]
    NotAsked(String),
}

impl Fault {
    /// Whether nobody said anything: so it is, too, with an application that has not started yet.
    fn is_silence(&self) -> bool {
        match self {
            Self::TimedOut { .. } | Self::Refused | Self::Unreachable(_) => true,
            Self::Status { .. }
            | Self::Redirect { .. }
            | Self::Body { .. }
            | Self::LongBody { .. }
            | Self::Slow { .. }
            | Self::BrokenOff
            | Self::NotAsked(_) => false,
        }
    }
}

/// What it means that nobody answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Silence {
    /// The application may still be starting: neither good nor bad.
    Waits,
    /// As bad as a wrong answer.
    Fails,
}

/// What all requests together come to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// As good as it has to be.
    Good,
    /// More failed than may.
    Bad {
        /// Which, and how.
        reason: String,
    },
    /// Nobody was there to be asked, or listens yet, or asking failed on our side: neither good nor bad.
    Unknown {
        /// Why.
        reason: String,
    },
}

/// Whether one answer is good. Latency is judged last: a slow wrong answer is wrong before it is slow.
pub(super) fn inspect(check: &HttpCheck, answer: &Answer<'_>) -> Result<(), Fault> {
    let &Answer { status, location, ref body, latency } = answer;
    let expected = check.expect_status;
    if !expected.accepts(status) {
        return Err(match location {
            Some(to) if (300..400).contains(&status) => {
                Fault::Redirect { status, to: Line::new(to).into(), expected }
            }
            _ => Fault::Status { status, expected },
        });
    }
    if let Some(wanted) = &check.body_contains {
        match body {
            Body::Whole(text) if !text.contains(wanted) => {
                return Err(Fault::Body { wanted: wanted.clone() });
            }
            Body::Beginning(text) if !text.contains(wanted) => {
                return Err(Fault::LongBody { wanted: wanted.clone() });
            }
            Body::Whole(_) | Body::Beginning(_) => {}
        }
    }
    match check.latency_limit {
        Some(limit) if latency > limit => Err(Fault::Slow { took: latency, limit }),
        _ => Ok(()),
    }
}

/// The verdict on all requests of one asking.
///
/// Requests that could not be sent count neither way, but while there are any the verdict is never good. Where silence
/// waits, it makes no verdict bad, and a good one only as far as requests may fail.
pub fn judge(check: &HttpCheck, samples: &[Sample], silence: Silence) -> Verdict {
    let allowed = usize::try_from(check.failure_limit).unwrap_or(usize::MAX);
    let (mut failed, mut silent, mut unasked) = (Vec::new(), Vec::new(), Vec::new());
    for sample in samples {
        match (&sample.result, silence) {
            (Ok(()), _) => {}
            (Err(Fault::NotAsked(_)), _) => unasked.push(sample),
            (Err(fault), Silence::Waits) if fault.is_silence() => silent.push(sample),
            (Err(_), Silence::Waits | Silence::Fails) => failed.push(sample),
        }
    }
    if failed.len() > allowed {
        let limit = match check.failure_limit {
            0 => "none may".to_owned(),
            limit => format!("{limit} may"),
        };
        let count = format!("{} of {} requests failed, {limit}", failed.len(), samples.len());
        return Verdict::Bad { reason: format!("{count}: {}", told(&failed)) };
    }
    if samples.is_empty() {
        return Verdict::Unknown { reason: "there is nobody to ask yet".to_owned() };
    }
    if failed.len() + silent.len() > allowed {
        return Verdict::Unknown { reason: told(&silent) };
    }
    if unasked.is_empty() { Verdict::Good } else { Verdict::Unknown { reason: told(&unasked) } }
}

/// The first few different ones, and how many more there are.
fn told(samples: &[&Sample]) -> String {
    let mut sentences: Vec<String> = Vec::new();
    for Sample { from, result } in samples {
        if let Err(fault) = result {
            let sentence = format!("{from} {fault}");
            if !sentences.contains(&sentence) {
                sentences.push(sentence);
            }
        }
    }
    let more = sentences.len().saturating_sub(TOLD);
    sentences.truncate(TOLD);
    let mut text = sentences.join("; ");
    if more > 0 {
        // Writing to a string cannot fail.
        let _ = write!(text, "; and {more} more");
    }
    text
}
