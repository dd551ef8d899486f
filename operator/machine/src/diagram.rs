//! The table, drawn: what `docs/machine.md` shows, generated so that it can't say anything else than the code.

use std::fmt::Write as _;

use crate::event::Event;
use crate::state::State;
use crate::table::{Answer, answer};

/// The columns, in the order in which people think of them.
const COLUMNS: [Event; 9] = [
    Event::Ok,
    Event::Failed,
    Event::TimedOut,
    Event::GreenLost,
    Event::EndRequested,
    Event::Deleted,
    Event::Superseded,
    Event::Orphaned,
    Event::Restored,
];

/// The states and what leads from one to another, as a Mermaid `stateDiagram-v2`.
pub fn mermaid() -> String {
    let mut drawn = String::from("stateDiagram-v2\n    [*] --> Pending\n");
    for from in State::ALL {
        let mut edges: Vec<(State, Vec<String>)> = Vec::new();
        for event in COLUMNS {
            for (to, condition) in targets(answer(from, event)) {
                let label = format!("{}{condition}", event_name(event));
                match edges.iter_mut().find(|(known, _)| *known == to) {
                    Some((_, labels)) => labels.push(label),
                    None => edges.push((to, vec![label])),
                }
            }
        }
        for (to, labels) in edges {
            let _ = writeln!(drawn, "    {from} --> {to}: {}", labels.join(", "));
        }
        if from.is_terminal() {
            let _ = writeln!(drawn, "    {from} --> [*]");
        }
    }
    drawn
}

/// States × events, as a Markdown table.
pub fn markdown() -> String {
    let header: Vec<_> = COLUMNS.into_iter().map(event_name).collect();
    let mut table = format!("| State | {} |\n|---|{}\n", header.join(" | "), "---|".repeat(COLUMNS.len()));
    for state in State::ALL.into_iter().filter(|state| !state.is_terminal()) {
        let cells: Vec<_> = COLUMNS.into_iter().map(|event| cell(answer(state, event))).collect();
        let _ = writeln!(table, "| `{state}` | {} |", cells.join(" | "));
    }
    table
}

fn event_name(event: Event) -> &'static str {
    match event {
        Event::Orphaned => "Environment gone",
        Event::EndRequested => "abort or rollback asked",
        Event::Deleted => "deleted",
        Event::Failed => "failed",
        Event::GreenLost => "green lost",
        Event::Superseded => "superseded",
        Event::Restored => "restored",
        Event::Ok => "ok",
        Event::TimedOut => "timed out",
    }
}

/// Where an answer can lead, each with the condition under which it does.
fn targets(answer: Answer) -> Vec<(State, &'static str)> {
    match answer {
        Answer::Stay => vec![],
        Answer::Go(next) => vec![(next, "")],
        Answer::NextStep => vec![(State::RolloutWait, " (more steps)"), (State::RetainWait, " (last step)")],
        Answer::RollbackBeforeTraffic => vec![(State::Rollback, " (before green traffic)")],
        Answer::RollbackOntoViableBlue => vec![(State::Rollback, " (blue viable)")],
        Answer::EndOfRollback => vec![
            (State::Failed, " (by what began it)"),
            (State::Aborted, " (by what began it)"),
            (State::Canceled, " (by what began it)"),
        ],
        Answer::GiveUpRollback => vec![
            (State::Failed, " (BlueLost, or by what began it)"),
            (State::Aborted, " (by what began it)"),
            (State::Canceled, " (by what began it)"),
        ],
    }
}

fn cell(answer: Answer) -> String {
    match answer {
        Answer::Stay => "–".to_owned(),
        Answer::Go(next) => format!("`{next}`"),
        Answer::NextStep => "next step's `RolloutWait`, after the last `RetainWait`".to_owned(),
        Answer::RollbackBeforeTraffic => "`Rollback`, before green has traffic".to_owned(),
        Answer::RollbackOntoViableBlue => "`Rollback` if blue is viable".to_owned(),
        Answer::EndOfRollback => "by what began it: `Failed`, `Aborted`, `Canceled`".to_owned(),
        Answer::GiveUpRollback => "traffic on blue: as ok; else `Failed`, `BlueLost`".to_owned(),
    }
}
