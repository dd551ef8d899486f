//! What is checked, and how far.

use std::sync::Mutex;
use std::time::Instant;

use dryad_machine::view::Routing;
use stateright::{Checker, HasDiscoveries, Model};

use crate::properties::Reached;
use crate::scope::{Beginning, Caches, Cloud, Declared, Scope};
use crate::state::Budget;
use crate::world::Announced;

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
            Self::Ci => 800_000,
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

const NONE: Budget = Budget { requests: 0, deaths: 0, meddling: 0, crashes: 0, unanswered: 0 };

/// Small enough to exhaust: every state, each followed to its end.
const WHOLE: Scope =
    Scope { cloud: Cloud::Prompt, budget: Budget { requests: 1, ..NONE }, endings_one_in: 1, ..Scope::PLAIN };

/// From every state of a deploy that goes well, as far as time allows.
const DEEP: Scope = Scope {
    beginning: Beginning::Everywhere,
    cloud: Cloud::Prompt,
    endings_one_in: 64,
    limit: Some(Reach::Ci.limit()),
    ..Scope::PLAIN
};

/// One request at any time, and nothing else goes wrong: everything there is.
fn whole() -> Vec<Scope> {
    use Reached::{Aborted, BlueGone, Canceled, Done, EnvironmentGone, Failed, RetireTimedOut, Returned};
    vec![
        Scope {
            name: "one request, a rule with two target groups",
            reaches: &[Done, Failed, Aborted, Canceled, RetireTimedOut, Returned, BlueGone, EnvironmentGone],
            ..WHOLE
        },
        Scope {
            name: "one request, one shared target group",
            routing: Routing::Shared,
            reaches: &[Done, Failed, Aborted, Canceled, RetireTimedOut, Returned, BlueGone, EnvironmentGone],
            ..WHOLE
        },
        Scope {
            name: "one request, workers",
            routing: Routing::Workers,
            reaches: &[Done, Failed, Aborted, Canceled, RetireTimedOut, Returned, BlueGone, EnvironmentGone],
            ..WHOLE
        },
        Scope {
            name: "one request, first deploy",
            beginning: Beginning::First,
            reaches: &[Done, Failed, Aborted, Canceled, EnvironmentGone],
            ..WHOLE
        },
    ]
}

/// What is declared of a group's size changes, with a deploy under way and without.
fn capacity() -> Vec<Scope> {
    use Reached::{Aborted, Done, Grown, InFlight, Restored, Shrunk, Uncertain};
    vec![
        Scope {
            name: "the declared size changes, a rule",
            declared: Declared::Changing,
            reaches: &[Done, Aborted, Grown],
            ..WHOLE
        },
        Scope {
            name: "the same, shared, two instances that die, others resize",
            routing: Routing::Shared,
            cloud: Cloud::Slow,
            declared: Declared::Changing,
            size: 2,
            budget: Budget { requests: 1, deaths: 1, meddling: 1, ..NONE },
            reaches: &[Done, Shrunk],
            ..DEEP
        },
        Scope {
            name: "the same, late mutations, crashes",
            declared: Declared::Changing,
            size: 2,
            zombies: 1,
            budget: Budget { requests: 1, crashes: 1, unanswered: 1, ..NONE },
            reaches: &[Done, Shrunk, InFlight, Uncertain],
            ..DEEP
        },
        Scope {
            name: "the holder vanishes while blue is held, late mutations, crashes",
            forced: true,
            zombies: 1,
            late_writes: true,
            budget: Budget { requests: 2, crashes: 1, unanswered: 1, ..NONE },
            reaches: &[Done, Restored, InFlight],
            ..DEEP
        },
    ]
}

/// Blue was announced for other traffic than the Environment has by now.
fn moved() -> Vec<Scope> {
    use Reached::{
        Aborted, BlueGone, Canceled, Done, EnvironmentGone, Failed, InFlight, Returned, Uncertain,
    };
    let reaches = &[Done, Failed, Aborted, Canceled, Returned, BlueGone, EnvironmentGone];
    vec![
        Scope {
            name: "one request, the traffic was edited to a rule",
            announced: Announced::Elsewhere,
            reaches,
            ..WHOLE
        },
        Scope {
            name: "one request, the traffic was edited to a shared target group",
            routing: Routing::Shared,
            announced: Announced::Elsewhere,
            reaches,
            ..WHOLE
        },
        Scope {
            name: "the traffic was edited to a rule, instances die, crashes, late mutations",
            announced: Announced::Elsewhere,
            zombies: 1,
            budget: Budget { requests: 1, deaths: 1, crashes: 1, unanswered: 1, ..NONE },
            reaches: &[Done, Failed, Aborted, InFlight, Uncertain],
            ..DEEP
        },
        Scope {
            name: "the traffic was edited to a shared target group, slow cloud, late mutations",
            routing: Routing::Shared,
            announced: Announced::Elsewhere,
            cloud: Cloud::Slow,
            zombies: 1,
            budget: Budget { requests: 1, unanswered: 1, ..NONE },
            reaches: &[Done, Failed, Aborted, InFlight],
            ..DEEP
        },
    ]
}

/// The record is from a backup.
fn restored() -> Vec<Scope> {
    use Reached::{Adopted, Canceled, Done, Failed, Swept, TurnLost};
    let all = Scope { beginning: Beginning::Restored, budget: NONE, ..WHOLE };
    vec![
        Scope {
            name: "restored from a backup, a rule",
            reaches: &[Done, Failed, Canceled, Adopted, TurnLost, Swept],
            ..all.clone()
        },
        Scope {
            name: "restored from a backup, one shared target group",
            routing: Routing::Shared,
            reaches: &[Done, Canceled, Adopted, TurnLost],
            ..all.clone()
        },
        Scope {
            name: "the same, one request, instances die",
            routing: Routing::Shared,
            cloud: Cloud::Slow,
            budget: Budget { requests: 1, deaths: 1, ..NONE },
            reaches: &[Canceled, Adopted],
            limit: DEEP.limit,
            endings_one_in: DEEP.endings_one_in,
            ..all
        },
    ]
}

/// Processes and networks at their worst.
fn network() -> Vec<Scope> {
    use Reached::{Aborted, Done, Failed, InFlight, LateWrite, Uncertain};
    vec![
        Scope {
            name: "late mutations, a rule",
            zombies: 2,
            budget: Budget { requests: 1, unanswered: 2, ..NONE },
            reaches: &[Done, Failed, Aborted, InFlight],
            ..DEEP
        },
        Scope {
            name: "late mutations, shared, slow cloud",
            routing: Routing::Shared,
            cloud: Cloud::Slow,
            zombies: 1,
            budget: Budget { requests: 1, unanswered: 1, ..NONE },
            reaches: &[Done, Failed, Aborted, InFlight],
            ..DEEP
        },
        Scope {
            name: "crashes and late mutations, shared",
            routing: Routing::Shared,
            zombies: 1,
            late_writes: true,
            budget: Budget { requests: 1, crashes: 2, unanswered: 1, ..NONE },
            reaches: &[Done, Failed, Aborted, InFlight, LateWrite, Uncertain],
            ..DEEP
        },
        Scope {
            name: "two operators, lagging caches, late writes",
            caches: Caches::Lagging,
            operators: 2,
            late_writes: true,
            budget: Budget { requests: 1, crashes: 1, ..NONE },
            reaches: &[Done, Failed, LateWrite, Uncertain],
            ..DEEP
        },
    ]
}

/// Clouds and users at their worst.
fn cloud() -> Vec<Scope> {
    use Reached::{
        Aborted, BlueLost, Done, Failed, GreenLost, InFlight, LateWrite, Orphaned, SecondTurn, Taken,
        Uncertain, Vanished,
    };
    vec![
        Scope {
            name: "instances die, groups are resized and deleted",
            cloud: Cloud::Slow,
            budget: Budget { requests: 1, deaths: 1, meddling: 1, ..NONE },
            reaches: &[Done, Failed, GreenLost, BlueLost],
            ..DEEP
        },
        Scope {
            name: "the same, shared, two instances each, late mutations",
            routing: Routing::Shared,
            size: 2,
            zombies: 1,
            budget: Budget { requests: 1, deaths: 1, meddling: 1, unanswered: 1, ..NONE },
            reaches: &[Done, Failed, GreenLost, BlueLost, InFlight],
            ..DEEP
        },
        Scope {
            name: "others make groups under names of ours",
            budget: Budget { requests: 1, meddling: 1, ..NONE },
            reaches: &[Done, Failed, Taken],
            ..DEEP
        },
        Scope {
            name: "the same, late mutations, crashes",
            zombies: 1,
            budget: Budget { meddling: 2, crashes: 1, unanswered: 1, ..NONE },
            reaches: &[Done, Failed, InFlight],
            ..DEEP
        },
        Scope {
            name: "everything at once, workers",
            routing: Routing::Workers,
            cloud: Cloud::Slow,
            zombies: 1,
            late_writes: true,
            forced: true,
            budget: Budget { requests: 1, deaths: 1, meddling: 1, crashes: 1, unanswered: 1 },
            reaches: &[Done, Failed, InFlight, LateWrite, Uncertain],
            ..DEEP
        },
        Scope {
            name: "everything at once, first deploy",
            beginning: Beginning::First,
            cloud: Cloud::Failing,
            zombies: 1,
            late_writes: true,
            second: true,
            budget: Budget { requests: 1, deaths: 1, meddling: 1, crashes: 1, unanswered: 1 },
            reaches: &[InFlight, LateWrite, Uncertain],
            ..DEEP
        },
        Scope {
            name: "stale looks",
            cloud: Cloud::Stale,
            budget: Budget { requests: 1, ..NONE },
            reaches: &[Done, Failed, Aborted],
            ..DEEP
        },
        Scope {
            name: "failing looks, late mutations",
            cloud: Cloud::Failing,
            zombies: 1,
            budget: Budget { requests: 1, unanswered: 1, ..NONE },
            reaches: &[Done, Failed, InFlight],
            ..DEEP
        },
        Scope {
            name: "a second deploy, objects deleted by force, late mutations",
            second: true,
            forced: true,
            zombies: 1,
            budget: Budget { requests: 2, unanswered: 1, ..NONE },
            reaches: &[Done, SecondTurn, Vanished, InFlight, Orphaned],
            ..DEEP
        },
    ]
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
    let mut scopes = [whole(), capacity(), moved(), restored(), network(), cloud()].concat();
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
