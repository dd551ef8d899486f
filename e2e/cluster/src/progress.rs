//! What a user sees while something takes its time: one line that moves on a terminal, a line every few seconds
//! elsewhere. On standard error itself, past what captures a test's output: who waits for minutes wants to know
//! what for.

use std::io::{self, IsTerminal as _, Write as _};
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// The progress of one task.
#[derive(Debug)]
pub(crate) struct Progress {
    task: &'static str,
    pace: Pace,
    last: Mutex<Option<Instant>>,
}

#[derive(Debug, Clone, Copy)]
enum Pace {
    Terminal,
    Lines,
}

impl Pace {
    fn interval(self) -> Duration {
        match self {
            Pace::Terminal => Duration::from_millis(100),
            Pace::Lines => Duration::from_secs(5),
        }
    }
}

impl Progress {
    pub(crate) fn start(task: &'static str) -> Self {
        let pace = if io::stderr().is_terminal() { Pace::Terminal } else { Pace::Lines };
        Self { task, pace, last: Mutex::new(None) }
    }

    /// Says how far it is; left out when the last word is too recent.
    pub(crate) fn show(&self, state: &str) {
        let mut last = self.last.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if last.is_some_and(|at| at.elapsed() < self.pace.interval()) {
            return;
        }
        *last = Some(Instant::now());
        match self.pace {
            Pace::Terminal => write(&format!("\r\x1b[2K{}: {state}", self.task)),
            Pace::Lines => write(&format!("{}: {state}\n", self.task)),
        }
    }

    /// Says something that stays.
    pub(crate) fn note(&self, text: &str) {
        match self.pace {
            Pace::Terminal => write(&format!("\r\x1b[2K{}: {text}\n", self.task)),
            Pace::Lines => write(&format!("{}: {text}\n", self.task)),
        }
    }

    /// Ends with a word that stays.
    pub(crate) fn done(self, text: &str) {
        self.note(text);
    }
}

fn write(text: &str) {
    // Nobody to read it is no reason to fail.
    let _ = io::stderr().write_all(text.as_bytes());
}
