//! Which release answered when, as a picture.

use std::time::{Duration, Instant};

use dryad_stage::load::{Seen, Span};

/// How wide the picture is.
const COLUMNS: usize = 60;

/// A row for each release, in the order in which they came, with how often it answered.
pub(crate) fn timeline(seen: &Seen) -> Vec<String> {
    let from = seen.spans.iter().map(|span| span.from).min();
    let to = seen.spans.iter().map(|span| span.to).max();
    let (Some(from), Some(to)) = (from, to) else { return Vec::new() };
    let whole = to.duration_since(from);
    let mut lines: Vec<_> = seen.answers().into_iter().map(|answer| row(answer, seen, from, whole)).collect();
    let end = format!("{} s", whole.as_secs());
    lines.push(format!("{:<10}0 s{end:>width$}", "", width = COLUMNS - 3));
    lines
}

fn row(answer: &str, seen: &Seen, first: Instant, whole: Duration) -> String {
    let mut cells = ['·'; COLUMNS];
    let spans = || seen.spans.iter().filter(|span| span.answer == answer);
    for Span { from, to, .. } in spans() {
        cells[column(*from, first, whole)..=column(*to, first, whole)].fill('█');
    }
    let cells: String = cells.iter().collect();
    format!("{answer:<10}{cells}  {:>6} answers", spans().map(|span| span.requests).sum::<u64>())
}

fn column(at: Instant, first: Instant, whole: Duration) -> usize {
    let part = at.duration_since(first).as_millis() * COLUMNS as u128 / whole.as_millis().max(1);
    usize::try_from(part).unwrap_or(COLUMNS).min(COLUMNS - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_release_has_one_row_however_often_it_comes_back() {
        let first = Instant::now();
        let span = |answer: &str, from, to| Span {
            answer: answer.to_owned(),
            from: first + Duration::from_secs(from),
            to: first + Duration::from_secs(to),
            requests: to - from,
        };
        let spans = vec![span("shop 1", 0, 30), span("shop 2", 30, 45), span("shop 1", 45, 60)];
        let picture = timeline(&Seen { spans, ..Seen::default() });
        let (bar, dots) = (|count| "█".repeat(count), |count| "·".repeat(count));
        assert_eq!(
            picture,
            [
                format!("shop 1    {}{}{}      45 answers", bar(31), dots(14), bar(15)),
                format!("shop 2    {}{}{}      15 answers", dots(30), bar(16), dots(14)),
                format!("          0 s{}60 s", " ".repeat(53)),
            ]
        );
    }
}
