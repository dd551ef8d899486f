//! The model check catches what it is there to catch: one missing guard a test.

use stateright::{Checker, HasDiscoveries, Model};

use crate::backup::Uids;
use crate::scope::{Beginning, Caches, Cloud, Declared, Scope};
use crate::seam::Seam;
use crate::state::Budget;
use crate::world::Announced;

/// Where most guards are missed soon: anything may happen, from anywhere.
const ANYWHERE: Scope = Scope {
    name: "seeded",
    beginning: Beginning::Everywhere,
    cloud: Cloud::Prompt,
    zombies: 1,
    budget: Budget { requests: 1, deaths: 0, meddling: 0, crashes: 0, unanswered: 1 },
    endings_one_in: 1_000_000_007,
    limit: Some(3_000_000),
    ..Scope::PLAIN
};

fn assert_caught(seam: Seam, rule: &'static str, scope: &Scope) {
    let scope = Scope { seam, ..scope.clone() };
    let checker = scope.clone().checker().finish_when(HasDiscoveries::AnyOf([rule].into()));
    let limit = scope.limit.unwrap_or(usize::MAX);
    let checker = checker.target_state_count(limit).spawn_bfs().join();
    let path = checker.discovery(rule);
    let path = path.unwrap_or_else(|| panic!("{seam:?} breaks {rule}, and nothing noticed"));
    println!("{seam:?} breaks {rule} after {} steps", path.into_actions().len());
}

macro_rules! caught {
    ($($name:ident: $seam:ident breaks $rule:literal in $scope:expr;)*) => {
        $(#[test]
        fn $name() {
            assert_caught(Seam::$seam, $rule, &$scope);
        })*
    };
}

const FORCED: Scope =
    Scope { forced: true, budget: Budget { requests: 1, unanswered: 1, ..ANYWHERE.budget }, ..ANYWHERE };
const PAIR: Scope = Scope {
    operators: 2,
    caches: Caches::Lagging,
    budget: Budget { requests: 1, crashes: 1, ..ANYWHERE.budget },
    ..ANYWHERE
};
const SCALED: Scope = Scope {
    declared: Declared::Changing,
    size: 2,
    cloud: Cloud::Slow,
    zombies: 0,
    budget: Budget { deaths: 1, unanswered: 0, ..ANYWHERE.budget },
    ..ANYWHERE
};
/// The holder of the turn vanishes, and then the Environment is deleted.
const ABANDONED: Scope = Scope {
    forced: true,
    zombies: 0,
    budget: Budget { requests: 2, unanswered: 0, ..ANYWHERE.budget },
    ..ANYWHERE
};
/// Others make groups under names of ours.
const CROWDED: Scope =
    Scope { zombies: 0, budget: Budget { meddling: 1, unanswered: 0, ..ANYWHERE.budget }, ..ANYWHERE };
/// The Environment's traffic was edited since blue was launched.
const MOVED: Scope = Scope { announced: Announced::Elsewhere, ..ANYWHERE };
/// The record is from a backup.
const RESTORED: Scope = Scope {
    beginning: Beginning::Restored,
    zombies: 0,
    budget: Budget { requests: 0, unanswered: 0, ..ANYWHERE.budget },
    ..ANYWHERE
};
/// And what was sent before may still land.
const RESTORED_EARLY: Scope = Scope { zombies: 1, endings_one_in: 1, ..RESTORED };
/// And who sent it was only stopped.
const RESTORED_PAIR: Scope = Scope { operators: 2, ..RESTORED };
/// And everything has another uid.
const MADE_ANEW: Scope = Scope { uids: Uids::Changed, ..RESTORED };
const ENDING: Scope = Scope { endings_one_in: 1, zombies: 0, ..ANYWHERE };

caught! {
    one_look_instead_of_two_is_caught: LooksOnce breaks "S1" in ANYWHERE;
    a_blue_reduced_without_d_on_record_is_caught: SkipsHold breaks "S1" in ANYWHERE;
    acting_without_asking_who_leads_is_caught: ActsWithoutAsking breaks "S2" in PAIR;
    ending_with_requests_under_way_is_caught: IgnoresUncertainty breaks "S2" in ANYWHERE;
    a_turn_given_back_early_is_caught: ReleasesEarly breaks "S2" in ANYWHERE;
    going_on_after_the_end_is_caught: GoesOnAfterTheEnd breaks "S3" in ANYWHERE;
    traffic_moved_before_it_is_recorded_is_caught: ActsBeforeRecording breaks "S4" in ANYWHERE;
    a_return_to_retired_blue_is_caught: ReturnsToRetiredBlue breaks "S5" in ANYWHERE;
    an_unannounced_launch_is_caught: LaunchesUnannounced breaks "S6" in ANYWHERE;
    absence_taken_for_gone_is_caught: TakesAbsenceForGone breaks "S6" in ANYWHERE;
    a_group_forgotten_early_is_caught: ForgetsEarly breaks "S6" in ANYWHERE;
    uncertainty_kept_to_one_loop_is_caught: KeepsUncertaintyToItself breaks "S2" in FORCED;
    a_finalizer_removed_early_is_caught: LetsGoEarly breaks "S7" in ANYWHERE;
    a_deploy_that_never_gives_up_is_caught: NeverGivesUp breaks "L" in ENDING;
    a_machine_that_never_rests_is_caught: NeverRests breaks "L" in ENDING;
    leftovers_are_caught: NeverTidies breaks "L" in ENDING;
    a_deploy_that_outlives_its_environment_is_caught: NeverAsksForItsHome breaks "L" in Scope { endings_one_in: 1, ..ABANDONED };
    another_ones_group_deleted_is_caught: DeletesBlindly breaks "S6" in CROWDED;
    a_deploy_blinded_by_another_ones_group_is_caught: BlindedByOthers breaks "L" in Scope { endings_one_in: 1, ..CROWDED };
    a_group_shrunk_while_its_instances_come_and_go_is_caught: ShrinksBlindly breaks "S1" in SCALED;
    a_blue_that_stays_held_is_caught: NeverRestores breaks "L" in Scope { endings_one_in: 1, ..ABANDONED };
    a_group_emptied_while_it_is_reached_where_it_was_announced_is_caught: NeverLeaves breaks "S1" in MOVED;
    a_blue_attached_where_it_was_not_announced_is_caught: AttachesAnywhere breaks "S6" in MOVED;
    an_old_record_that_is_gone_by_is_caught: GoesByOldRecords breaks "S7" in Scope { budget: Budget { requests: 1, ..RESTORED.budget }, ..RESTORED };
    an_adoption_before_all_has_landed_is_caught: AdoptsEarly breaks "L" in RESTORED_EARLY;
    a_record_that_is_asked_about_once_only_is_caught: AsksOnce breaks "L" in RESTORED_EARLY;
    a_process_of_before_that_acts_without_asking_is_caught: ActsWithoutAsking breaks "S2" in RESTORED_PAIR;
    a_group_adopted_without_the_uid_on_its_tags_is_caught: ForgetsOldUids breaks "L" in Scope { endings_one_in: 1, ..MADE_ANEW };
    a_copy_that_runs_again_is_caught: RunsCopies breaks "L4" in MADE_ANEW;
    an_environment_let_go_of_with_its_blue_held_is_caught: LeavesHeld breaks "S7" in ABANDONED;
}
