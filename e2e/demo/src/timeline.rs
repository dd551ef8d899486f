//! Which release answered when, as a picture.

use std::time::{Duration, Instant};

use crate::load::Answer;

/// How wide the picture is.
const COLUMNS: usize = 60;

/// A row for each release, in the order in which they came, and one for failures if there are any.
pub(crate) fn timeline(answers: &[Answer]) -> Vec<String> {
    let (Some(first), Some(last)) = (answers.first(), answers.last()) else { return Vec::new() };
    let whole = last.at.duration_since(first.at);
    let mut rows: Vec<Row> = Vec::new();
    for answer in answers {
        let label = answer.release.as_deref().unwrap_or("failed");
        let column = column(first.at, answer.at, whole);
        let row = rows.iter().position(|row| row.label == label).unwrap_or_else(|| {
            rows.push(Row { label: label.to_owned(), answers: [0; COLUMNS] });
            rows.len() - 1
        });
        rows[row].answers[column] += 1;
    }
    let mut lines: Vec<_> = rows.iter().map(Row::line).collect();
    lines.push(format!("{:<10}0s{:>width$}", "", format!("{}s", whole.as_secs()), width = COLUMNS - 2));
    lines
}

struct Row {
    label: String,
    answers: [usize; COLUMNS],
}

impl Row {
    fn line(&self) -> String {
        let cell = |answers: &usize| if *answers > 0 { '█' } else { '·' };
        let cells: String = self.answers.iter().map(cell).collect();
        format!("{:<10}{cells}  {:>5}", self.label, self.answers.iter().sum::<usize>())
    }
}

fn column(first: Instant, at: Instant, whole: Duration) -> usize {
    let part = at.saturating_duration_since(first).as_millis() * COLUMNS as u128 / whole.as_millis().max(1);
    usize::try_from(part).unwrap_or(COLUMNS).min(COLUMNS - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_release_has_a_row_of_its_own_and_failures_have_one() {
        let first = Instant::now();
        let answer = |second, release: Result<&str, &str>| Answer {
            at: first + Duration::from_secs(second),
            release: release.map(str::to_owned).map_err(str::to_owned),
        };
        let lines = timeline(&[
            answer(0, Ok("shop 1")),
            answer(15, Ok("shop 1")),
            answer(30, Err("503")),
            answer(60, Ok("shop 2")),
        ]);
        let dots = |count| "·".repeat(count);
        assert_eq!(
            lines,
            [
                format!("shop 1    █{}█{}      2", dots(14), dots(44)),
                format!("failed    {}█{}      1", dots(30), dots(29)),
                format!("shop 2    {}█      1", dots(59)),
                format!("          0s{}60s", " ".repeat(55)),
            ]
        );
    }
}
