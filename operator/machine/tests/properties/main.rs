//! What one decision shows of the rules, whatever the objects, the memory and the clocks say: legal or not,
//! reachable or not, contradictory or not.

mod case;
mod dice;
mod restored;

use case::{Case, effects};
use dryad_machine::decide::{Action, TenureChange, Write};
use dryad_machine::effect::Effect;
use dryad_machine::environment::{Deploys, Holder};
use dryad_machine::event::{Event, Reason};
use dryad_machine::history::MESSAGE_LIMIT;
use dryad_machine::name::GroupName;
use dryad_machine::plan::Route;
use dryad_machine::reading::{Attached, Reading, Traffic};
use dryad_machine::state::State;
use dryad_machine::tenure::Role;
use dryad_machine::view::{Claim, Deletion, Existence, Finalizer, Past, Paused, PlaceInLine, Successor};
use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig { cases: 5_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_group_is_attached_only_where_it_was_announced(bytes in any::<[u8; 256]>()) {
        let case = Case::of(&bytes);
        let access = |name: &GroupName| case.environment.as_ref()?.tenure.member(name)?.access.as_ref();
        let green = case.deployment.plan.as_ref().and_then(|plan| access(&plan.green));
        for effect in effects(&case.decide()) {
            let Effect::Attach { group, slot } = effect else { continue };
            if let Some((announced, here)) = access(group).zip(green.and_then(|green| green.target_group(*slot))) {
                prop_assert!(announced.arns().any(|arn| arn == here), "{:?}", effect);
            }
        }
    }

    #[test]
    fn what_stands_apart_is_detached_there_before_it_is_emptied_or_deleted(bytes in any::<[u8; 256]>()) {
        let case = Case::of(&bytes);
        let reading = case.memory.latest(case.now, dice::TICK);
        let stands_apart = |group| {
            reading.and_then(|reading| reading.group(group)).is_some_and(|seen| seen.apart.attached != Attached::Nowhere)
        };
        let of_environment = case.decide_of_environment();
        for effect in [Some(case.decide()), of_environment].iter().flatten().flat_map(effects) {
            match effect {
                Effect::Empty(group) | Effect::Delete(group) => prop_assert!(!stands_apart(group), "{:?}", effect),
                Effect::Leave { group, .. } => prop_assert!(stands_apart(group), "{:?}", effect),
                _ => {}
            }
        }
    }

    #[test]
    fn only_the_holder_of_the_recorded_turn_changes_the_cloud(bytes in any::<[u8; 256]>()) {
        let case = Case::of(&bytes);
        let decision = case.decide();
        if !effects(&decision).is_empty() {
            let acts = matches!(
                case.state(),
                State::RolloutWait | State::EvaluateWait | State::RetireWait | State::Rollback
            );
            match &case.home {
                None => prop_assert!(case.holds_its_turn() && acts),
                Some(_) => prop_assert!(effects(&decision).iter().all(Effect::takes_down)),
            }
        }
    }

    #[test]
    fn nothing_is_taken_away_on_fewer_than_two_readings(bytes in any::<[u8; 256]>()) {
        let case = Case::of(&bytes);
        let decision = case.decide();
        for effect in effects(&decision) {
            prop_assert!(!case.removes(effect) || case.has_two_readings(), "{:?}", effect);
        }
    }

    #[test]
    fn a_deploy_touches_its_own_green_its_own_blue_and_what_is_given_up(bytes in any::<[u8; 256]>()) {
        let case = Case::of(&bytes);
        let decision = case.decide();
        let plan = case.deployment.plan.as_ref();
        let tenure = case.environment.as_ref().map(|environment| &environment.tenure);
        for group in effects(&decision).iter().filter_map(Effect::group) {
            let own = plan.is_some_and(|plan| plan.green == *group || plan.blue.contains(group));
            let given_up = tenure.and_then(|it| it.member(group)).is_some_and(|it| it.role == Role::Doomed);
            prop_assert!(own || given_up, "{}", group);
        }
    }

    #[test]
    fn nothing_is_asked_of_a_group_whose_name_somebody_else_has(bytes in any::<[u8; 256]>()) {
        let case = Case::of(&bytes);
        let of = case.decide_of_environment();
        let reading = case.memory.latest(case.now, dice::TICK);
        for effect in [Some(case.decide()), of].iter().flatten().flat_map(effects) {
            let foreign = reading.zip(effect.group()).is_some_and(|(it, name)| it.foreign.contains_key(name));
            prop_assert_eq!(foreign, matches!(effect, Effect::Disown(_)), "{:?}", effect);
        }
    }

    #[test]
    fn green_is_launched_in_its_first_step_only_and_never_while_it_is_seen(bytes in any::<[u8; 256]>()) {
        let case = Case::of(&bytes);
        for effect in effects(&case.decide()) {
            if let Effect::Launch { group, desired } = effect {
                prop_assert_eq!(case.deployment.plan.as_ref().map(|plan| &plan.green), Some(group));
                prop_assert_eq!((case.state(), case.deployment.history.step()), (State::RolloutWait, Some(1)));
                prop_assert!(!case.is_present(group) && *desired > 0);
            }
        }
    }

    #[test]
    fn blue_is_not_emptied_or_deleted_before_it_is_retired(bytes in any::<[u8; 256]>()) {
        let case = Case::of(&bytes);
        let blue = case.deployment.plan.as_ref().map_or(&[][..], |plan| &plan.blue);
        let doomed = |group: &GroupName| {
            let member = case.environment.as_ref().and_then(|it| it.tenure.member(group));
            member.is_some_and(|member| member.role == Role::Doomed)
        };
        for effect in effects(&case.decide()) {
            if let Effect::Empty(group) | Effect::Delete(group) = effect {
                let green = case.deployment.plan.as_ref().is_some_and(|plan| plan.green == *group);
                let found_good = case.deployment.history.has(State::RetainWait);
                let retiring = case.state() == State::RetireWait || (found_good && case.home.is_some());
                prop_assert!(!blue.contains(group) || green || doomed(group) || retiring);
            }
        }
    }

    #[test]
    fn an_entry_follows_the_one_before_in_number_and_time(bytes in any::<[u8; 256]>()) {
        let case = Case::of(&bytes);
        if let Action::Write(Write::Append(append)) = case.decide().action {
            let (history, entry) = (&case.deployment.history, &append.entry);
            prop_assert_eq!(entry.sequence, history.next_sequence());
            prop_assert!(history.last().is_none_or(|last| last.at <= entry.at));
            prop_assert!(entry.message.len() <= MESSAGE_LIMIT);
            prop_assert!(!history.state().is_terminal());
            let orphaned = entry.reason == Reason::EnvironmentGone;
            prop_assert_eq!(orphaned && case.home.is_none(), false);
            let lost = matches!(entry.reason, Reason::Restored | Reason::TurnLost);
            let holds = case.holds_its_turn();
            prop_assert!(history.state() == State::Pending || orphaned || holds != lost);
            prop_assert_eq!(append.turn.is_some(), entry.reason == Reason::TurnTaken);
            prop_assert_eq!(append.plan.is_some(), entry.state == State::Prepare);
        }
    }

    #[test]
    fn nothing_ends_or_begins_while_a_request_is_under_way(bytes in any::<[u8; 256]>()) {
        let case = Case::of(&bytes);
        let uncertain = !case.memory.is_certain(case.now);
        if let Action::Write(write) = case.decide().action {
            let holds = case.holds_its_turn();
            match write {
                Write::Tenure { change: TenureChange::Take | TenureChange::Release, .. } => {
                    prop_assert!(!uncertain);
                }
                // Who has lost the turn has nothing to wait for: it is the Environment that is uncertain.
                Write::Append(append)
                    if append.entry.state.is_terminal() && append.entry.reason.event() != Some(Event::Restored) =>
                {
                    let launched = !matches!(case.state(), State::Pending | State::Resolve);
                    prop_assert!(!uncertain || !launched);
                }
                Write::RemoveFinalizer => prop_assert!(!holds || case.home.is_some()),
                _ => {}
            }
        }
    }

    #[test]
    fn a_turn_is_taken_only_when_it_is_free_and_due(bytes in any::<[u8; 256]>()) {
        let case = Case::of(&bytes);
        if let Action::Write(Write::Tenure { to, change: TenureChange::Take }) = case.decide().action {
            let environment = case.environment.as_ref().expect("there is one");
            prop_assert!(environment.tenure.holder.is_none() && environment.deletion == Deletion::None);
            prop_assert_eq!(&environment.claim, &Claim::Undisputed);
            prop_assert_eq!(to.turn, environment.tenure.turn.next());
            prop_assert_eq!(case.queue.place, PlaceInLine::Next);
            prop_assert_eq!(case.queue.successor, Successor::None);
            prop_assert_eq!(case.deployment.request.paused, Paused::No);
            prop_assert_eq!(case.state(), State::Pending);
            let green = to.groups.last().expect("green is announced with it");
            prop_assert_eq!((&green.owner, green.turn), (&case.deployment.uid, to.turn));
        }
    }

    #[test]
    fn what_was_declared_anew_is_given_up_only_while_it_waits(bytes in any::<[u8; 256]>()) {
        let mut case = Case::of(&bytes);
        case.queue.successor = Successor::Newer;
        let before = case.decide();
        case.queue.successor = Successor::None;
        let after = case.decide();
        let holder = case.environment.as_ref().and_then(|environment| environment.tenure.holder.as_ref());
        let waits = case.state() == State::Pending && holder != Some(&case.deployment.uid);
        prop_assert!(waits || before == after);
    }

    #[test]
    fn a_plan_is_made_from_a_reading_of_this_turn(bytes in any::<[u8; 256]>()) {
        let case = Case::of(&bytes);
        if let Action::Write(Write::Append(append)) = case.decide().action
            && let Some(plan) = append.plan
        {
            let reading = case.memory.latest(case.now, dice::TICK);
            let unusable = |reading: &Reading| matches!(reading.traffic, Traffic::Unusable(_));
            let weighted = matches!(plan.route, Route::Weighted { .. });
            prop_assert!(reading.is_some_and(|reading| !weighted || !unusable(reading)));
            let environment = case.environment.as_ref().expect("there is one");
            prop_assert_eq!(plan.environment, environment.revision.clone());
            prop_assert!(!plan.blue.contains(&plan.green));
        }
    }

    #[test]
    fn what_has_ended_only_lets_go(bytes in any::<[u8; 256]>()) {
        let case = Case::of(&bytes);
        if case.state().is_terminal() {
            let lets_go = match case.decide().action {
                Action::Wait | Action::Write(Write::RemoveFinalizer) => true,
                Action::Write(Write::Tenure { change, .. }) => change == TenureChange::Release,
                Action::Write(Write::Append(_) | Write::AddFinalizer | Write::Start) | Action::Act(_) => false,
            };
            prop_assert!(lets_go);
        }
    }

    #[test]
    fn a_deploy_without_our_finalizer_that_is_being_deleted_is_left_alone(bytes in any::<[u8; 256]>()) {
        let case = Case::of(&bytes);
        let going = case.deployment.existence == Existence::BeingDeleted;
        if going && case.deployment.finalizer == Finalizer::Absent && !case.state().is_terminal() {
            prop_assert_eq!(case.decide().action, Action::Wait);
        }
    }

    #[test]
    fn a_deploy_says_so_while_an_unanswered_request_may_still_land(bytes in any::<[u8; 256]>()) {
        let case = Case::of(&bytes);
        let known = case.environment.as_ref().is_some_and(|environment| environment.past == Past::Known);
        let waits = case.holds_its_turn() && case.state() != State::Pending && !case.state().is_terminal();
        let waits = waits && known;
        if let Some(progress) = case.decide().progress.filter(|_| waits) {
            let told = progress.message.contains("an unanswered request to the cloud may still land");
            prop_assert_eq!(told, !case.memory.is_certain(case.now), "{}", progress.message);
        }
    }

    #[test]
    fn while_something_may_land_what_serves_is_grown_and_nothing_else(bytes in any::<[u8; 256]>()) {
        let case = Case::of(&bytes);
        let reading = case.memory.latest(case.now, dice::TICK).filter(|_| !case.memory.is_certain(case.now));
        let decision = case.decide_of_environment();
        for effect in decision.iter().flat_map(effects) {
            let Effect::Resize { group, size } = effect else { continue };
            if let Some(seen) = reading.and_then(|reading| reading.group(group)) {
                prop_assert!(size.min >= seen.min && size.max >= seen.max, "{:?} {:?}", size, seen);
                prop_assert!(size.desired.is_none() && size.settles_at(seen.desired) > seen.desired);
            }
        }
    }

    #[test]
    fn the_environments_loop_touches_what_is_given_up_and_the_size_of_what_serves(bytes in any::<[u8; 256]>()) {
        let case = Case::of(&bytes);
        let Some((environment, decision)) = case.environment.as_ref().zip(case.decide_of_environment()) else {
            return Ok(());
        };
        if decision.action == Action::Write(Write::RemoveFinalizer) {
            prop_assert_eq!(case.deploys, Deploys::Ended);
            prop_assert!(environment.deletion != Deletion::None && environment.tenure.holder.is_none());
        }
        for effect in effects(&decision) {
            let group = effect.group().expect("it never moves traffic");
            let role = environment.tenure.member(group).map(|member| member.role);
            let keeps_up = matches!(effect, Effect::Resize { .. });
            prop_assert_eq!(role, Some(if keeps_up { Role::Serving } else { Role::Doomed }));
            prop_assert!(!keeps_up || environment.tenure.holder.is_none());
            prop_assert!(effect.takes_down() || keeps_up);
            prop_assert!(!case.removes(effect) || case.has_two_readings(), "{:?}", effect);
        }
        if let Action::Write(Write::Tenure { to, change }) = decision.action {
            prop_assert!(case.memory.is_certain(case.now));
            prop_assert_eq!(to.turn, environment.tenure.turn);
            prop_assert!(change != TenureChange::Release || case.holder == Holder::Vanished);
            let stays = |name| to.member(name).is_none_or(|member| member.role == Role::Doomed);
            prop_assert!(environment.tenure.of_role(Role::Doomed).all(|doomed| stays(&doomed.name)));
        }
    }
}
