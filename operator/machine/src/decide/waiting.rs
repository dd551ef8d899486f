//! What a deploy waits for while no event holds, in words.

use super::{Progress, rollback, standing, transition};
use crate::case::Case;
use crate::memory::Verdict;
use crate::name::GroupName;
use crate::reading::{AtWork, Attached, Presence, Reading};
use crate::state::State;
use crate::view::{Claim, Paused, Resolution};

/// What the deploy waits for, with the cloud's own words where it has some.
pub(super) fn progress(case: &Case<'_>) -> Progress {
    let seen = case.plan().zip(case.reading()).zip(case.step());
    let counts = seen.map(|((plan, reading), step)| {
        (reading.healthy(&plan.green), step.capacity.of(case.desired(reading)))
    });
    let mut message = waiting_for(case, counts);
    if let Some(doubt) = doubt(case) {
        message = format!("{message}; {doubt}");
    }
    if let Some(note) = case.memory.note()
        && case.state() != State::Pending
    {
        message = format!("{message}: {note}");
    }
    Progress {
        message,
        healthy: counts.map(|(healthy, _)| healthy),
        wanted: counts.map(|(_, wanted)| wanted),
    }
}

/// That the world is uncertain, where the state has a use for the cloud. It names no time: that would be another one
/// with every look at the clock, and a write for each.
fn doubt(case: &Case<'_>) -> Option<&'static str> {
    let concerned = match case.state() {
        State::Resolve
        | State::Prepare
        | State::RolloutWait
        | State::EvaluateWait
        | State::RetainWait
        | State::RetireWait
        | State::Rollback => true,
        // These have words of their own for it.
        State::Pending | State::Done | State::Failed | State::Aborted | State::Canceled => false,
    };
    (concerned && !case.is_certain()).then_some("an unanswered request to the cloud may still land")
}

fn waiting_for(case: &Case<'_>, counts: Option<(u32, u32)>) -> String {
    match case.state() {
        _ if case.view.deployment.request.paused == Paused::Yes && before_retain(case.state()) => {
            "paused".to_owned()
        }
        State::Pending => pending(case),
        State::Resolve => match case.view.resolution {
            Resolution::Unknown(why) => why.clone().unwrap_or_else(|| "resolving the release".to_owned()),
            Resolution::Resolved(_) => transition::compile(case).err().unwrap_or_default(),
            Resolution::Rejected(why) | Resolution::NotPermitted(why) => why.clone(),
        },
        State::Prepare => "preparing".to_owned(),
        State::EvaluateWait => match case.memory.verdict() {
            Some(Verdict::Good) => good(case, counts),
            Some(Verdict::NotYet(why) | Verdict::Bad(why)) => why.clone(),
            None => "waiting for the checks".to_owned(),
        },
        State::RolloutWait => match counts {
            Some((healthy, wanted)) => rolling_out(case, healthy, wanted),
            None => "waiting to see the cloud".to_owned(),
        },
        State::RetainWait => match reached_apart(case) {
            None => "keeping blue for an instant return".to_owned(),
            Some(by) => format!(
                "keeping blue for an instant return; requests still reach it by {by}, where nobody answers them once it \
                 is retired"
            ),
        },
        State::RetireWait => retiring(case),
        State::Rollback => rolling_back(case),
        State::Done | State::Failed | State::Aborted | State::Canceled => String::new(),
    }
}

/// By what requests still reach blue where it was announced, if that is elsewhere.
fn reached_apart(case: &Case<'_>) -> Option<String> {
    let (plan, reading) = (case.plan()?, case.reading()?);
    let blue = plan.blue.iter().find(|name| reading.carries_apart(name, AtWork::No))?;
    let access = case.environment()?.tenure.member(blue)?.access.as_ref()?;
    access.arns().next().map(ToString::to_string)
}

/// Nobody is taken from a rule of another shape: it may be the one that has the traffic.
fn retiring(case: &Case<'_>) -> String {
    let seen = case.plan().zip(case.reading());
    if let Some(why) = seen.and_then(|(plan, reading)| standing::unusable(plan.route, reading)) {
        return format!("retiring blue, but {why}");
    }
    let left = seen.and_then(|(plan, reading)| {
        let is_left = |name: &&GroupName| !case.memory.is_gone(name, case.now, case.tick());
        plan.blue.iter().find(is_left).map(|name| leaving(name, reading))
    });
    left.map_or_else(|| "retiring blue".to_owned(), |left| format!("retiring blue: {left}"))
}

/// How far a group is on its way out.
fn leaving(name: &GroupName, reading: &Reading) -> String {
    match reading.group(name) {
        None => format!("it is being made sure that group {name} is gone"),
        Some(seen) if seen.presence == Presence::BeingDeleted => format!("group {name} is being deleted"),
        Some(seen) if seen.attached != Attached::Nowhere || seen.apart.attached != Attached::Nowhere => {
            format!("group {name} is attached to a target group")
        }
        Some(seen) if seen.draining > 0 => {
            format!("{} instances of group {name} are draining", seen.draining)
        }
        Some(seen) => format!("group {name} has {} instances", seen.instances),
    }
}

/// What the traffic waits for, as long as it is not back.
fn rolling_back(case: &Case<'_>) -> String {
    let seen = case.plan().zip(case.reading());
    let away = seen.filter(|(plan, reading)| !case.traffic_is_home(plan, reading));
    let unusable = away.and_then(|(plan, reading)| standing::unusable(plan.route, reading));
    if let Some(why) = unusable {
        return format!("rolling back, but {why}");
    }
    let short = away.and_then(|(plan, reading)| {
        let healthy: u32 = plan.blue.iter().map(|name| reading.healthy(name)).sum();
        let need = plan.floor.max(1);
        (healthy < need && !plan.blue.is_empty()).then(|| {
            format!(
                "rolling back: {healthy} of {need} instances of blue are healthy, and green stays until they are"
            )
        })
    });
    let left = || {
        let (plan, reading) = seen.filter(|_| away.is_none())?;
        Some(format!("rolling back: {}", leaving(&plan.green, reading)))
    };
    let message = short.or_else(left).unwrap_or_else(|| "rolling back".to_owned());
    match seen.and_then(|(plan, reading)| rollback::stray_blue(case, plan, reading)) {
        Some(stray) => format!("{message}; {stray}"),
        None => message,
    }
}

/// How many are up; where that is enough, what else is waited for.
fn rolling_out(case: &Case<'_>, healthy: u32, wanted: u32) -> String {
    let up = format!("{healthy} of {wanted} instances are healthy");
    let seen = case.plan().zip(case.step()).zip(case.reading()).filter(|_| healthy >= wanted.max(1));
    let lacking = seen.and_then(|((plan, step), reading)| standing::lacking(case, plan, step, reading));
    lacking.map_or(up.clone(), |lacking| format!("{up}, but {lacking}"))
}

/// What is waited for while every check is good.
fn good(case: &Case<'_>, counts: Option<(u32, u32)>) -> String {
    let seconds = case.pace().map_or(0, |pace| pace.evaluate_seconds);
    let seen = case.plan().zip(case.step()).zip(case.reading());
    let lacking = seen.and_then(|((plan, step), reading)| standing::lacking(case, plan, step, reading));
    but(lacking.as_deref(), counts, seconds)
}

/// Good checks prove nothing of instances that are not there, nor of a moment.
fn but(lacking: Option<&str>, counts: Option<(u32, u32)>, seconds: u32) -> String {
    match (lacking, counts) {
        (Some(lacking), _) => format!("every check is good, but {lacking}"),
        (None, Some((healthy, wanted))) if healthy < wanted.max(1) => {
            format!("every check is good, but only {healthy} of {wanted} instances are healthy")
        }
        _ if seconds > 0 => format!("every check is good; that has to last for {seconds}s without a gap"),
        _ => "every check is good".to_owned(),
    }
}

fn before_retain(state: State) -> bool {
    !matches!(state, State::RetainWait | State::RetireWait | State::Rollback)
}

fn pending(case: &Case<'_>) -> String {
    let Some(environment) = case.environment() else {
        return "its Environment does not exist; create it, or delete this Deployment".to_owned();
    };
    match (&environment.tenure.holder, &environment.claim) {
        (None, Claim::Lost(why)) => why.clone(),
        (Some(_), _) => "waiting for its turn; another Deployment has it".to_owned(),
        (None, _) if !case.is_certain() => "waiting until no earlier request can land any more".to_owned(),
        (None, _) => "waiting for its turn".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::but;

    #[test]
    fn good_checks_are_not_all_that_is_waited_for() {
        let only = "every check is good, but only";
        let rows = [
            (
                "the traffic comes first",
                Some("it rains"),
                Some((0, 2)),
                60,
                "every check is good, but it rains",
            ),
            ("an instance lacks", None, Some((1, 2)), 60, &format!("{only} 1 of 2 instances are healthy")),
            ("none is wanted", None, Some((0, 0)), 60, &format!("{only} 0 of 0 instances are healthy")),
            (
                "all are there",
                None,
                Some((2, 2)),
                60,
                "every check is good; that has to last for 60s without a gap",
            ),
            (
                "nobody has looked",
                None,
                None,
                60,
                "every check is good; that has to last for 60s without a gap",
            ),
            ("a moment is enough", None, Some((3, 2)), 0, "every check is good"),
        ];
        for (case, lacking, counts, seconds, sentence) in rows {
            assert_eq!(but(lacking, counts, seconds), sentence, "{case}");
        }
    }
}
