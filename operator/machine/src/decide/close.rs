//! What a deploy that has ended still does: give the turn back, then let go of its object.

use super::{Decision, LOOKING_BACK, TenureChange, Write, turn};
use crate::case::Case;
use crate::view::{Finalizer, Home, Past};

pub(super) fn close(case: &Case<'_>) -> Decision {
    let deployment = case.view.deployment;
    // One that has the name of an Environment that is gone knows nothing of this turn.
    if let Some(environment) = case.environment().filter(|_| matches!(case.view.home, Home::Standing)) {
        let tenure = &environment.tenure;
        let unfinished =
            tenure.holder.as_ref() == Some(&deployment.uid) || deployment.finalizer == Finalizer::Present;
        if environment.past == Past::Unknown && unfinished {
            return Decision::wait(case.tick(), LOOKING_BACK);
        }
        if tenure.holder.as_ref() == Some(&deployment.uid) {
            if !case.is_certain() {
                let wait = case.memory.certain_from().saturating_sub(case.now.mono);
                return Decision::wait(wait, "waiting until no request of this deploy can land any more");
            }
            return match turn::end(case) {
                Some(end) => Decision::write(Write::Tenure {
                    to: Box::new(tenure.release(&end)),
                    change: TenureChange::Release,
                }),
                None => Decision::wait(case.tick(), "looking which group carries the traffic now"),
            };
        }
        // One that has let go has seen it. Should the turns be fewer by now, they are another Environment's of that name.
        let open = deployment.finalizer == Finalizer::Present;
        if open && deployment.turn.is_some_and(|turn| tenure.turn < turn) {
            return Decision::wait(case.tick(), "waiting to see its own turn in the Environment");
        }
    }
    match deployment.finalizer {
        Finalizer::Present => Decision::write(Write::RemoveFinalizer),
        Finalizer::Absent => Decision::nothing_more(),
    }
}
