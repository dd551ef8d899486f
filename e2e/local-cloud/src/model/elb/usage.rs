//! Which load balancer a target group serves: the one whose listeners or rules name it, at whatever weight.
//!
//! <https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health-checks.html>: targets of a
//! group that no rule names are `unused` and are not checked.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::State;
use super::actions_of_rules::RuleAction;
use super::targets::Phase;
use crate::model::error::{ApiError, Code};

impl State {
    /// The load balancers that name the target group.
    pub(crate) fn load_balancers_of(&self, target_group: &str) -> BTreeSet<String> {
        self.actions_by_load_balancer()
            .filter(|(_, action)| action.target_groups().any(|named| named == target_group))
            .map(|(load_balancer, _)| load_balancer.to_owned())
            .collect()
    }

    /// Every action of every listener and rule, with the load balancer it belongs to.
    fn actions_by_load_balancer(&self) -> impl Iterator<Item = (&str, &RuleAction)> {
        let listeners = self.listeners.values().map(|listener| (&listener.load_balancer, &listener.actions));
        let rules = self.rules.values().filter_map(|rule| {
            self.listeners.get(&rule.listener).map(|listener| (&listener.load_balancer, &rule.actions))
        });
        listeners.chain(rules).flat_map(|(load_balancer, actions)| {
            actions.iter().map(move |action| (load_balancer.as_str(), action))
        })
    }

    /// Refuses actions that name a target group which serves another load balancer already.
    pub(crate) fn check_association(
        &self,
        load_balancer: &str,
        actions: &[RuleAction],
    ) -> Result<(), ApiError> {
        for arn in actions.iter().flat_map(RuleAction::target_groups) {
            if self.load_balancers_of(arn).iter().any(|other| other != load_balancer) {
                return Err(ApiError::new(
                    Code::TargetGroupAssociationLimit,
                    format!(
                        "The following target groups cannot be associated with more than one load balancer: {arn}"
                    ),
                ));
            }
        }
        Ok(())
    }

    /// Notes which target groups came into use or fell out of it. Checks begin anew for the former; the latter have
    /// nothing left to drain.
    pub(crate) fn refresh_usage(&mut self, now: Timestamp) {
        let used: BTreeSet<String> = self
            .actions_by_load_balancer()
            .flat_map(|(_, action)| action.target_groups().map(str::to_owned))
            .collect();
        for group in self.target_groups.values_mut() {
            match (group.used_since, used.contains(&group.arn)) {
                (None, true) => group.used_since = Some(now),
                (Some(_), false) => {
                    group.used_since = None;
                    group.targets.retain(|_, target| !matches!(target.phase, Phase::Draining { .. }));
                    for target in group.targets.values_mut() {
                        target.phase = Phase::initial();
                    }
                }
                (None, false) | (Some(_), true) => {}
            }
        }
    }
}
