//! How far the check goes, and what it says.

use std::sync::Mutex;
use std::time::Instant;

use stateright::{Checker, HasDiscoveries, Model};

use crate::catalogue;
use crate::scope::Scope;

/// How far a run goes.
#[derive(Clone, Copy)]
enum Reach {
    /// What everybody waits for: `cargo test`.
    Daily,
    /// What every change has to hold: CI.
    Ci,
    /// What a night has time for.
    Nightly,
}

impl Reach {
    /// As `DRYAD_MODEL` says.
    fn asked_for() -> Self {
        match std::env::var("DRYAD_MODEL").as_deref() {
            Err(_) => Self::Daily,
            Ok("ci") => Self::Ci,
            Ok("nightly") => Self::Nightly,
            Ok(other) => panic!("DRYAD_MODEL is `ci` or `nightly`, or not set, but not {other:?}"),
        }
    }

    /// How many states all scopes must have together, each counted once.
    const fn enough(self) -> usize {
        match self {
            Self::Daily => 1_000_000,
            Self::Ci => 5_000_000,
            Self::Nightly => 50_000_000,
        }
    }

    /// How many steps are tried in a scope that has no end.
    const fn limit(self) -> usize {
        match self {
            Self::Daily => 160_000,
            Self::Ci => catalogue::WIDE,
            Self::Nightly => 12_000_000,
        }
    }

    fn widen(self, scope: &mut Scope) {
        scope.limit = scope.limit.map(|_| self.limit());
        match self {
            Self::Daily => scope.endings_one_in = scope.endings_one_in.max(16),
            Self::Ci => {}
            Self::Nightly => scope.endings_one_in = 1,
        }
    }
}

/// Checks one scope; tells what it found.
fn check(scope: &Scope) -> (usize, Result<(), String>) {
    let checker = scope.clone().checker().finish_when(HasDiscoveries::AnyFailures);
    let checker = match scope.limit {
        Some(limit) => checker.target_state_count(limit),
        None => checker,
    };
    let start = Instant::now();
    let checker = checker.spawn_bfs().join();
    let unique = checker.unique_state_count();
    println!(
        "{unique:>9} states, {:>3} deep, {:>5.1}s  {}",
        checker.max_depth(),
        start.elapsed().as_secs_f64(),
        scope.name
    );
    (unique, verdict(scope, &checker))
}

/// No rule is broken, and everything is reached that must be.
pub(crate) fn verdict(scope: &Scope, checker: &impl Checker<Scope>) -> Result<(), String> {
    for (property, path) in checker.discoveries() {
        if checker.discovery_classification(property).to_string() == "counterexample" {
            let (state, steps) = (path.last_state().clone(), path.into_actions());
            let steps: Vec<_> = steps.iter().map(|step| format!("  {step:?}")).collect();
            return Err(format!(
                "{}: {property} is broken after {} steps: {:?}\n{}\n{state:#?}",
                scope.name,
                steps.len(),
                crate::properties::why(scope, &state),
                steps.join("\n"),
            ));
        }
    }
    let unreached = scope.reaches.iter().filter(|reached| checker.discovery(reached.name()).is_none());
    let unreached: Vec<_> = unreached.collect();
    match unreached.is_empty() {
        true => Ok(()),
        false => Err(format!("{}: never reached: {unreached:?}", scope.name)),
    }
}

#[test]
fn every_rule_holds_in_every_scope_and_every_deploy_ends() {
    let mut scopes = catalogue::all();
    let reach = Reach::asked_for();
    for scope in &mut scopes {
        reach.widen(scope);
    }
    let (queue, results) = (Mutex::new(scopes), Mutex::new(Vec::new()));
    let next = || queue.lock().expect("unpoisoned").pop();
    std::thread::scope(|threads| {
        for _ in 0..std::thread::available_parallelism().map_or(2, std::num::NonZero::get) {
            threads.spawn(|| {
                while let Some(scope) = next() {
                    let result = check(&scope);
                    results.lock().expect("unpoisoned").push(result);
                }
            });
        }
    });
    let (counts, verdicts): (Vec<_>, Vec<_>) = results.into_inner().expect("unpoisoned").into_iter().unzip();
    let total: usize = counts.iter().sum();
    println!("{total:>9} states in all");
    let broken: Vec<_> = verdicts.into_iter().filter_map(Result::err).collect();
    assert!(broken.is_empty(), "{}", broken.join("\n\n"));
    assert!(total >= reach.enough(), "only {total} states are checked");
}
