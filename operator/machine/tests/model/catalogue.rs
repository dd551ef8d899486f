//! What is checked: every scope, by what it is about.

use dryad_machine::view::Routing;

use crate::backup::Uids;
use crate::properties::Reached;
use crate::scope::{Beginning, Caches, Cloud, Declared, Scope};
use crate::state::Budget;
use crate::world::Announced;

/// Every scope.
pub(crate) fn all() -> Vec<Scope> {
    [whole(), capacity(), moved(), restored(), network(), cloud()].concat()
}

/// How many steps CI tries in a scope that has no end.
pub(crate) const WIDE: usize = 600_000;

const NONE: Budget = Budget { requests: 0, deaths: 0, meddling: 0, crashes: 0, unanswered: 0 };

/// Small enough to exhaust: every state, each followed to its end.
const WHOLE: Scope =
    Scope { cloud: Cloud::Prompt, budget: Budget { requests: 1, ..NONE }, endings_one_in: 1, ..Scope::PLAIN };

/// From every state of a deploy that goes well, as far as time allows.
const DEEP: Scope = Scope {
    beginning: Beginning::Everywhere,
    cloud: Cloud::Prompt,
    endings_one_in: 64,
    limit: Some(WIDE),
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
            limit: DEEP.limit,
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
    use Reached::{Adopted, Canceled, Copied, Done, Failed, InFlight, Swept, TurnLost, Uncertain};
    let all = Scope { beginning: Beginning::Restored, budget: NONE, ..WHOLE };
    let deep = Scope { limit: DEEP.limit, endings_one_in: DEEP.endings_one_in, ..all.clone() };
    vec![
        Scope {
            name: "restored from a backup, a rule",
            reaches: &[Done, Failed, Canceled, Adopted, TurnLost, Swept],
            limit: DEEP.limit,
            ..all.clone()
        },
        Scope {
            name: "restored from a backup, one shared target group",
            routing: Routing::Shared,
            reaches: &[Done, Canceled, Adopted, TurnLost],
            limit: DEEP.limit,
            ..all.clone()
        },
        Scope {
            name: "the same, one request, instances die",
            routing: Routing::Shared,
            cloud: Cloud::Slow,
            budget: Budget { requests: 1, deaths: 1, ..NONE },
            reaches: &[Canceled, Adopted],
            ..deep.clone()
        },
        Scope {
            name: "restored while a request is under way, a rule",
            zombies: 1,
            reaches: &[Done, Failed, Canceled, Adopted, Swept, InFlight],
            ..all.clone()
        },
        Scope {
            name: "restored while a request is under way, one shared target group",
            routing: Routing::Shared,
            zombies: 1,
            reaches: &[Done, Failed, Canceled, Adopted, Swept, InFlight],
            ..all.clone()
        },
        Scope {
            name: "restored under other uids",
            uids: Uids::Changed,
            reaches: &[Done, Canceled, Adopted, Copied, Swept],
            ..deep.clone()
        },
        Scope {
            name: "restored under other uids while a request is under way",
            uids: Uids::Changed,
            zombies: 1,
            reaches: &[Adopted, Copied, InFlight],
            ..deep.clone()
        },
        Scope {
            name: "restored, two operators, one of before, crashes",
            operators: 2,
            budget: Budget { crashes: 1, ..NONE },
            reaches: &[Canceled, Adopted, Uncertain],
            ..deep
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
