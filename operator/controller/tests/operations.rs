//! `docs/operations.md` holds every sentence that Dryad can print, so that whoever searches for one finds what to do.
//!
//! The sentences are taken from the sources of the operator: the texts of errors, of the history and of progress, and
//! what is logged as a warning or an error. Of a sentence with blanks in it the longest run between two blanks counts.
//! So are the single words that histories and conditions give as reasons.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use dryad_machine::event::Reason;
use proc_macro2::{Delimiter, Ident, TokenStream, TokenTree};

/// Where words are that reach people.
const SOURCES: [&str; 6] = [
    "crds/src/condition",
    "operator/machine/src",
    "operator/cloud/src",
    "operator/aws/src",
    "operator/controller/src",
    "operator/dryad/src",
];
/// Where conditions get their types and reasons from.
const CONDITIONS: [&str; 3] =
    ["crds/src/condition", "operator/controller/src/environment", "operator/controller/src/projection"];
/// No shorter word is a reason.
const FEWEST_LETTERS: usize = 4;
/// What a text must have to be a sentence and not a name.
const FEWEST_WORDS: usize = 3;
/// The file that draws the machine's picture, and the one that knows git's own words.
const OTHER_WORDS: [&str; 2] = ["machine/src/diagram.rs", "release/git/explain.rs"];
/// What is no sentence of Dryad's: for git, ssh, a browser, or known from AWS's answers.
const NOT_PRINTED: [&str; 12] = [
    "Encoded authorization failure message",
    "[extensions]",
    "a share is 0 to 100 percent",
    "application/openmetrics-text",
    "is listed",
    "name not found",
    "not authorized to",
    "not part of the group",
    "repositoryformatversion",
    "ssh -F none",
    "target groups may not be valid",
    "valid fully-formed launch template",
];
/// Shorter runs would be found anywhere.
const SHORTEST_RUN: usize = 8;

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Every source file of the operator that is not there for tests only.
fn sources(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).unwrap().map(Result::unwrap) {
        let path = entry.path();
        let stem = path.file_stem().unwrap().to_str().unwrap();
        let for_tests = stem.ends_with("tests") || stem.starts_with("testing");
        if path.is_dir() && !for_tests {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") && !for_tests {
            found.push(path);
        }
    }
}

/// The texts of one file's tokens that people may meet.
fn texts(tokens: TokenStream, found: &mut Vec<String>) {
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Punct(punct) if punct.as_char() == '#' => {
                if let Some(TokenTree::Punct(_)) = tokens.peek() {
                    tokens.next();
                }
                let Some(TokenTree::Group(attribute)) = tokens.next() else { continue };
                let words = attribute.stream().to_string();
                if words.starts_with("error") {
                    texts(attribute.stream(), found);
                } else if words.starts_with("cfg") && words.contains("test") {
                    let ends = |token: &TokenTree| match token {
                        TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
                        TokenTree::Punct(punct) => punct.as_char() == ';',
                        TokenTree::Ident(_) | TokenTree::Literal(_) => false,
                    };
                    tokens.by_ref().find(ends);
                }
            }
            TokenTree::Ident(word) if is_for_developers(&word) => {
                tokens.next_if(|next| matches!(next, TokenTree::Punct(punct) if punct.as_char() == '!'));
                tokens.next_if(|next| matches!(next, TokenTree::Group(_)));
            }
            TokenTree::Group(group) => texts(group.stream(), found),
            TokenTree::Literal(literal) => found.extend(text(&literal.to_string())),
            TokenTree::Ident(_) | TokenTree::Punct(_) => {}
        }
    }
}

/// Macros and functions whose text no user meets as such: chatter, patterns, what only a defect prints.
fn is_for_developers(word: &Ident) -> bool {
    const WORDS: [&str; 16] = [
        "assert",
        "contains",
        "debug",
        "debug_assert",
        "env",
        "expect",
        "info",
        "lacking",
        "panic",
        "pattern",
        "register",
        "register_with_unit",
        "starts_with",
        "trace",
        "unreachable",
        "word",
    ];
    WORDS.iter().any(|known| word == known)
}

/// What is between the quotes.
fn text(literal: &str) -> Option<String> {
    let text = literal.strip_prefix('"')?.strip_suffix('"')?;
    let text = text.replace("\\\"", "\"").replace("\\n", " ").replace("\\\n", " ").replace("\\\\", "\\");
    Some(plain(&text))
}

fn is_a_sentence(text: &str) -> bool {
    text.split(' ').count() >= FEWEST_WORDS && text.contains(char::is_alphabetic)
}

/// Whether it is written as the reason or the type of a condition is.
fn is_a_reason(text: &str) -> bool {
    text.len() >= FEWEST_LETTERS
        && text.starts_with(char::is_uppercase)
        && text.contains(char::is_lowercase)
        && text.chars().all(char::is_alphabetic)
}

/// All texts of these sources, each with the file that it is in.
fn all_texts(sources_of: &[&str]) -> Vec<(PathBuf, String)> {
    let mut files = Vec::new();
    for source in sources_of {
        sources(&repository().join(source), &mut files);
    }
    files.retain(|file| !OTHER_WORDS.iter().any(|other| file.ends_with(other)));
    let of = |file: PathBuf| {
        let tokens: TokenStream = fs::read_to_string(&file).unwrap().parse().unwrap();
        let mut found = Vec::new();
        texts(tokens, &mut found);
        let file = file.strip_prefix(repository()).unwrap().to_owned();
        found.into_iter().map(move |text| (file.clone(), text))
    };
    files.into_iter().flat_map(of).collect()
}

fn guide() -> String {
    fs::read_to_string(repository().join("docs/operations.md")).unwrap()
}

/// On one line, without what Markdown may add or needs escaped.
fn plain(text: &str) -> String {
    text.replace(['`', '\\'], "").split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The longest run without a blank.
fn run(sentence: &str) -> &str {
    let outside = |text: &'_ str| -> Vec<(usize, usize)> {
        let (mut runs, mut from, mut depth) = (Vec::new(), 0, 0_u32);
        for (at, character) in text.char_indices() {
            match character {
                '{' => {
                    if depth == 0 {
                        runs.push((from, at));
                    }
                    depth += 1;
                }
                '}' => {
                    depth = depth.saturating_sub(1);
                    from = at + 1;
                }
                _ => {}
            }
        }
        runs.push((from, text.len()));
        runs
    };
    let runs = outside(sentence).into_iter().map(|(from, to)| sentence[from..to].trim());
    runs.max_by_key(|run| run.len()).unwrap_or_default()
}

#[test]
fn every_sentence_that_dryad_can_print_is_found_in_the_operations_guide() {
    let guide = plain(&guide());
    let (mut missing, mut seen) = (Vec::new(), 0);
    for (file, sentence) in all_texts(&SOURCES).into_iter().filter(|(_, text)| is_a_sentence(text)) {
        let run = run(&sentence);
        if run.len() < SHORTEST_RUN || NOT_PRINTED.iter().any(|other| sentence.contains(other)) {
            continue;
        }
        seen += 1;
        if !guide.contains(run) {
            missing.push(format!("{}: {sentence}", file.display()));
        }
    }
    assert!(seen > 100, "only {seen} sentences were found in the sources: does this test still read them?");
    assert!(missing.is_empty(), "docs/operations.md lacks:\n{}", missing.join("\n"));
}

#[test]
fn every_reason_and_condition_is_found_in_the_operations_guide() {
    let guide = guide();
    let in_conditions = all_texts(&CONDITIONS).into_iter().map(|(_, text)| text).filter(|it| is_a_reason(it));
    let all: BTreeSet<_> = in_conditions.chain(Reason::ALL.map(|reason| reason.name().to_owned())).collect();
    assert!(all.len() > Reason::ALL.len() + 20, "does this test still read the sources? {all:?}");
    let lacks = |reason: &&String| !guide.contains(&format!("`{reason}`"));
    let missing: Vec<_> = all.iter().filter(lacks).collect();
    assert!(missing.is_empty(), "docs/operations.md lacks: {missing:?}");
}
