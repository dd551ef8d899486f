//! Which target gets the next request: pure, and exact in its proportions.

use std::collections::BTreeMap;

use http::Request;

use super::table::{Action, FixedResponse, Group, Rule, Share, Table, Target};

/// Whose turn it is, per rule and per group. Outlives the tables, so that a change of one thing does not begin
/// the turns of all others anew.
#[derive(Debug, Default)]
pub(super) struct Picker {
    weights: BTreeMap<String, Weighing>,
    turns: BTreeMap<String, usize>,
}

/// What becomes of one request.
#[derive(Debug)]
pub(super) enum Pick<'table> {
    Target {
        rule: &'table Rule,
        name: &'table str,
        group: &'table Group,
        target: &'table Target,
    },
    Fixed {
        rule: &'table Rule,
        response: &'table FixedResponse,
    },
    /// The group whose turn it was has no targets, or no group has a weight.
    NoTarget {
        rule: &'table Rule,
        group: Option<&'table str>,
    },
    NoRule,
}

impl Picker {
    pub(super) fn pick<'table, B>(&mut self, table: &'table Table, request: &Request<B>) -> Pick<'table> {
        let Some(rule) = table.rule(request) else { return Pick::NoRule };
        let shares = match &rule.action {
            Action::Fixed(response) => return Pick::Fixed { rule, response },
            Action::Forward(shares) => shares,
        };
        // The group first, its targets then: the share of a group without targets does not pass to the others.
        let next = self.weights.entry(rule.id.clone()).or_default().next(shares);
        let Some((name, group)) = next.and_then(|name| Some((name, table.group(name)?))) else {
            return Pick::NoTarget { rule, group: None };
        };
        let targets = group.in_turn();
        if targets.is_empty() {
            return Pick::NoTarget { rule, group: Some(name) };
        }
        let turn = self.turns.entry(name.to_owned()).or_default();
        let target = targets[*turn % targets.len()];
        *turn = (*turn + 1) % targets.len();
        Pick::Target { rule, name, group, target }
    }
}

/// Smooth weighted round robin: at every choice each group gains its weight, the one that has most is chosen and
/// pays the sum of all. Over any whole number of rounds the shares are exact, and never lumped together.
#[derive(Debug, Default)]
struct Weighing {
    shares: Vec<Share>,
    credit: Vec<i64>,
}

impl Weighing {
    fn next<'table>(&mut self, shares: &'table [Share]) -> Option<&'table str> {
        if self.shares != shares {
            *self = Self { shares: shares.to_vec(), credit: vec![0; shares.len()] };
        }
        let total: i64 = shares.iter().map(|share| i64::from(share.weight)).sum();
        for (credit, share) in self.credit.iter_mut().zip(shares) {
            *credit += i64::from(share.weight);
        }
        let weighted = (0..shares.len()).filter(|index| shares[*index].weight > 0);
        // The first of equals, so that the order of the table decides.
        let chosen = weighted.rev().max_by_key(|index| self.credit[*index])?;
        self.credit[chosen] -= total;
        Some(&shares[chosen].group)
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;
    use std::time::Duration;

    use super::super::table::TargetState;
    use super::*;
    use crate::model::elb::Condition;

    /// A table whose rule `r` has these groups: name, weight, and its targets' states, `h`ealthy, `n`ot, `d`raining.
    fn table(groups: &[(&str, u16, &str)]) -> Table {
        let shares =
            groups.iter().map(|(group, weight, _)| Share { group: (*group).to_owned(), weight: *weight });
        let rule = Rule {
            id: "r".to_owned(),
            priority: 1,
            conditions: vec![],
            action: Action::Forward(shares.collect()),
        };
        let group = |(name, _, states): &(&str, u16, &str)| {
            let target = |(index, state)| Target {
                id: format!("{name}{index}"),
                address: SocketAddr::from(([127, 0, 0, 1], 1)),
                state: match state {
                    'h' => TargetState::Healthy,
                    'n' => TargetState::NotHealthy,
                    _ => TargetState::Draining,
                },
            };
            let targets = states.chars().enumerate().map(target).collect();
            ((*name).to_owned(), Group { targets, drain: Duration::ZERO })
        };
        Table::new(vec![rule], groups.iter().map(group).collect()).expect("a sound table")
    }

    /// The targets of the next requests, `-` where there was none.
    fn picks(picker: &mut Picker, table: &Table, count: usize) -> String {
        let one = |_| match picker.pick(table, &Request::new(())) {
            Pick::Target { target, .. } => target.id.clone(),
            _ => "-".to_owned(),
        };
        (0..count).map(one).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn weights_and_health_decide_who_is_next() {
        let table = [
            // Round robin over the healthy ones.
            (table(&[("a", 1, "hhh")]), "a0 a1 a2 a0"),
            (table(&[("a", 1, "hnhd")]), "a0 a2 a0 a2"),
            // None healthy: to all, but never to one that drains.
            (table(&[("a", 1, "ndn")]), "a0 a2 a0 a2"),
            (table(&[("a", 1, "dd")]), "- -"),
            (table(&[("a", 1, "")]), "- -"),
            // Weights, spread evenly and exact.
            (table(&[("a", 1, "h"), ("b", 1, "h")]), "a0 b0 a0 b0"),
            (table(&[("a", 3, "h"), ("b", 1, "h")]), "a0 a0 b0 a0 a0 a0 b0 a0"),
            // Weight 0 gets nothing, healthy or not.
            (table(&[("a", 0, "hh"), ("b", 100, "h")]), "b0 b0 b0"),
            (table(&[("a", 0, "h"), ("b", 0, "h")]), "- -"),
            // A group's share does not pass to the others when it has no target.
            (table(&[("a", 1, "h"), ("b", 1, "")]), "a0 - a0 -"),
        ];
        for (table, expected) in table {
            let count = expected.split(' ').count();
            assert_eq!(picks(&mut Picker::default(), &table, count), expected, "{table:?}");
        }
    }

    #[test]
    fn a_change_of_targets_does_not_disturb_the_turns_of_weights() {
        let mut picker = Picker::default();
        let before = table(&[("a", 2, "h"), ("b", 1, "h")]);
        assert_eq!(picks(&mut picker, &before, 2), "a0 b0");
        let after = table(&[("a", 2, "hh"), ("b", 1, "h")]);
        assert_eq!(picks(&mut picker, &after, 4), "a0 a1 b0 a0");
    }

    #[test]
    fn the_rule_with_the_lowest_number_whose_conditions_all_hold_applies() {
        let rule = |id: &str, priority, conditions| Rule {
            id: id.to_owned(),
            priority,
            conditions,
            action: Action::Forward(vec![]),
        };
        let asks = |field: &str, value: &str| Condition {
            field: field.to_owned(),
            values: vec![value.to_owned()],
            ..Condition::default()
        };
        let (path, host) = (|text| asks("path-pattern", text), |text| asks("host-header", text));
        let rules = vec![
            rule("default", u32::MAX, vec![]),
            rule("api", 20, vec![path("/api/*")]),
            rule("internal", 10, vec![path("/api/*"), host("*.internal")]),
            rule("delete", 5, vec![asks("http-request-method", "DELETE")]),
        ];
        let table = Table::new(rules, BTreeMap::new()).expect("a sound table");
        let applies = |method: &str, host: &str, path: &str| {
            let request = Request::builder().method(method).uri(path).header("host", host).body(());
            table.rule(&request.expect("a request")).map(|rule| rule.id.as_str())
        };
        assert_eq!(applies("GET", "a.INTERNAL:8080", "/api/x"), Some("internal"));
        assert_eq!(applies("GET", "example.com", "/api/x?q"), Some("api"));
        assert_eq!(applies("GET", "a.internal", "/"), Some("default"));
        assert_eq!(applies("DELETE", "a.internal", "/"), Some("delete"));
    }

    #[test]
    fn a_rule_for_a_group_that_is_not_there_is_refused() {
        let shares = vec![Share { group: "gone".to_owned(), weight: 1 }];
        let rule =
            Rule { id: "r".to_owned(), priority: 1, conditions: vec![], action: Action::Forward(shares) };
        let refused = Table::new(vec![rule], BTreeMap::new()).expect_err("no such group");
        assert!(refused.to_string().contains("rule r forwards to gone"), "{refused}");
    }
}
