//! All that the demo says. Lines that stay, and on a terminal one more below them that moves.

use std::env;
use std::io::{self, IsTerminal as _, Write as _};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use dryad_machine::history::Entry;
use dryad_machine::state::State;

/// Ends the line that moves, so that a line that stays takes its place.
const CLEAR: &str = "\r\x1b[2K";

/// The longest account of a transition; all of it is in the history.
const LONGEST: usize = 96;

/// What served before a Deployment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Before {
    /// It is the first.
    Nothing,
    /// Blue.
    Blue,
}

/// How something is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tone {
    /// A heading.
    Bold,
    /// By the way.
    Dim,
    /// It went well.
    Good,
    /// It did not.
    Bad,
}

impl Tone {
    fn code(self) -> &'static str {
        match self {
            Self::Bold => "1",
            Self::Dim => "2",
            Self::Good => "32",
            Self::Bad => "31",
        }
    }
}

/// Whoever tells the story, on standard output.
#[derive(Debug)]
pub(crate) struct Narrator {
    began: Instant,
    moving: bool,
    colours: bool,
    /// Whether a line that moves stands there. Held while anything is printed.
    line: Mutex<Line>,
}

#[derive(Debug, Clone, Copy)]
enum Line {
    Stays,
    Moves,
}

impl Narrator {
    pub(crate) fn new() -> Self {
        let moving = io::stdout().is_terminal();
        let unwanted = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Self { began: Instant::now(), moving, colours: moving && !unwanted, line: Mutex::new(Line::Stays) }
    }

    /// The name of it all.
    pub(crate) fn title(&self, title: &str, below: &str) {
        self.print(&format!("\n{}  {below}\n", self.tinted(Tone::Bold, title)));
    }

    /// A new act.
    pub(crate) fn act(&self, number: usize, title: &str, text: &[&str]) {
        self.print(&format!("\n{}", self.tinted(Tone::Bold, &format!("{number}  {title}"))));
        for line in text {
            self.say(line);
        }
    }

    /// A sentence.
    pub(crate) fn say(&self, text: &str) {
        self.print(&format!("   {text}"));
    }

    /// What something is.
    pub(crate) fn fact(&self, what: &str, is: &str) {
        self.print(&format!("   {}{is}", self.tinted(Tone::Dim, &format!("{what:<14}"))));
    }

    /// What a user would type.
    pub(crate) fn command(&self, command: &str) {
        self.print(&format!("   {} {command}", self.tinted(Tone::Dim, "$")));
    }

    /// A transition of a Deployment.
    pub(crate) fn transition(&self, name: &str, entry: &Entry, before: Before) {
        let place =
            entry.step.map_or_else(|| entry.state.to_string(), |step| format!("{} {step}", entry.state));
        let place = format!("{place:<14}");
        let place = match entry.state {
            State::Done => self.tinted(Tone::Good, &place),
            State::Failed | State::Rollback => self.tinted(Tone::Bad, &place),
            _ => self.tinted(Tone::Bold, &place),
        };
        let at = self.tinted(Tone::Dim, &format!("{:>6.1}s  {name}", self.began.elapsed().as_secs_f32()));
        self.print(&format!("{at}  {place}  {}", cut(&meaning(entry, before))));
    }

    /// A promise, and whether it was kept.
    pub(crate) fn promise(&self, kept: bool, text: &str) {
        let mark = if kept { self.tinted(Tone::Good, "✓") } else { self.tinted(Tone::Bad, "✗") };
        self.print(&format!(" {mark} {text}"));
    }

    /// The demo cannot go on.
    pub(crate) fn trouble(&self, text: &str) {
        self.print(&format!("\n {} {text}", self.tinted(Tone::Bad, "✗")));
    }

    /// What is going on; only where lines can move.
    pub(crate) fn progress(&self, text: &str) {
        if !self.moving {
            return;
        }
        let mut line = self.line.lock().unwrap_or_else(PoisonError::into_inner);
        // A line that is longer than the terminal is wide is cut by it, or it could not be taken back.
        let text = self.tinted(Tone::Dim, text);
        write(&format!("{CLEAR}\x1b[?7l{:>6.1}s  {text}\x1b[?7h", self.began.elapsed().as_secs_f32()));
        *line = Line::Moves;
    }

    /// Text as it is, in a tone where there are colours.
    pub(crate) fn tinted(&self, tone: Tone, text: &str) -> String {
        if self.colours { format!("\x1b[{}m{text}\x1b[0m", tone.code()) } else { text.to_owned() }
    }

    /// Lines that stay.
    pub(crate) fn print(&self, text: &str) {
        let mut line = self.line.lock().unwrap_or_else(PoisonError::into_inner);
        match std::mem::replace(&mut *line, Line::Stays) {
            Line::Moves => write(&format!("{CLEAR}{text}\n")),
            Line::Stays => write(&format!("{text}\n")),
        }
    }
}

fn write(text: &str) {
    let mut out = io::stdout().lock();
    // Nobody to read it is no reason to fail: the exit code tells.
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

/// What a state is about, for somebody who sees it for the first time.
fn meaning(entry: &Entry, before: Before) -> String {
    let message = &entry.message;
    match (entry.state, entry.step) {
        (State::Pending, _) => "waits for its turn".to_owned(),
        (State::Resolve, _) => format!("{message}: which commit exactly?"),
        (State::RolloutWait, Some(1)) => "new instances come up, at weight 0: no user sees them".to_owned(),
        (State::EvaluateWait, Some(1)) => format!("{message}; is the release good?"),
        (State::RolloutWait, _) => format!("{message}; all traffic goes over, in one change"),
        (State::EvaluateWait, _) => "users are on it; is it still good?".to_owned(),
        (State::RetainWait | State::RetireWait, _) if before == Before::Nothing => message.clone(),
        (State::RetainWait, _) => format!("{message}; blue is kept for an instant return"),
        (State::RetireWait, _) => format!("{message}; now it is drained and deleted"),
        (State::Rollback, _) => format!("back to blue, then green goes: {message}"),
        (State::Prepare | State::Done | State::Failed | State::Aborted | State::Canceled, _) => {
            message.clone()
        }
    }
}

fn cut(text: &str) -> String {
    if text.chars().count() <= LONGEST {
        return text.to_owned();
    }
    let kept: String = text.chars().take(LONGEST - 1).collect();
    format!("{}…", kept.trim_end())
}
