//! What the data plane must look like for the model to be true: pure translations of the model's views.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use http::StatusCode;
use jiff::SignedDuration;

use crate::balancer::{Action, FixedResponse, Group, Rule, Share, Table, Target, TargetState, UnknownGroup};
use crate::instances::{InstanceId, Wanted};
use crate::model::elb::{ActionType, HealthCheck, RuleAction};
use crate::model::view::{
    InstancePhase, RoutedListener, RoutedTarget, RoutedTargetGroup, Routing, WantedInstance,
};
use crate::prober::{BadMatcher, Check, CheckPort, Registration, Watched};

/// Where an instance listens whose group is in no target group when it is launched.
pub(super) const DEFAULT_PORT: u16 = 8080;

/// The instances that are not terminated. One that is shutting down is, but may take its grace.
pub(super) fn instances(wanted: &[WantedInstance], environment: &BTreeMap<String, String>) -> Vec<Wanted> {
    let up = wanted.iter().filter(|instance| instance.phase != InstancePhase::ShuttingDown);
    up.filter_map(|instance| {
        Some(Wanted {
            // The model's ids are hexadecimal digits.
            id: instance.id.parse().ok()?,
            user_data: instance.user_data.clone().unwrap_or_default().into_bytes(),
            address: SocketAddr::from((instance.private_ip, instance.port.unwrap_or(DEFAULT_PORT))),
            environment: environment.clone(),
        })
    })
    .collect()
}

/// Those of them on which nothing may run.
pub(super) fn without_power(wanted: &[WantedInstance]) -> impl Iterator<Item = InstanceId> {
    let lost = wanted.iter().filter(|instance| instance.phase == InstancePhase::Lost);
    lost.filter_map(|instance| instance.id.parse().ok())
}

/// The targets that must be checked, every `interval` if that is given, else as their groups say.
pub(super) fn watched(routing: &Routing, interval: Option<SignedDuration>) -> Vec<Watched> {
    let mut watched = Vec::new();
    for group in routing.target_groups.values().filter(|group| group.in_use) {
        let check = match check(&group.health_check, interval) {
            Ok(check) => check,
            Err(error) => {
                tracing::warn!(group = group.name, %error, "its targets are not checked");
                continue;
            }
        };
        let checked = |target: &&RoutedTarget| matches!(target.state, "initial" | "healthy" | "unhealthy");
        watched.extend(group.targets.iter().filter(checked).map(|target| Watched {
            registration: Registration {
                group: group.arn.clone(),
                target: target.instance.clone(),
                number: u64::try_from(target.registered.as_nanosecond()).unwrap_or_default(),
            },
            address: SocketAddr::from((target.ip, group.port)),
            check: check.clone(),
        }));
    }
    watched
}

fn check(check: &HealthCheck, interval: Option<SignedDuration>) -> Result<Check, BadMatcher> {
    let seconds = |seconds| Duration::from_secs(u64::from(seconds));
    Ok(Check {
        path: check.path.clone(),
        // The only word that is no number is `traffic-port`.
        port: check.port.parse().map_or(CheckPort::Traffic, CheckPort::Fixed),
        interval: interval.map_or_else(|| seconds(check.interval), SignedDuration::unsigned_abs),
        timeout: seconds(check.timeout),
        matcher: check.matcher.parse()?,
    })
}

/// The table of one listener.
pub(super) fn table(listener: &RoutedListener, routing: &Routing) -> Result<Table, UnknownGroup> {
    let rules = (0..).zip(&listener.routes).map(|(priority, route)| Rule {
        id: route.rule.clone(),
        priority,
        conditions: route.conditions.clone(),
        action: action(&route.action),
    });
    let named =
        |arn: &String| listener.routes.iter().any(|route| route.action.target_groups().any(|it| it == arn));
    let groups = routing.target_groups.iter().filter(|(arn, _)| named(arn));
    Table::new(rules.collect(), groups.map(|(arn, group)| (arn.clone(), targets(group))).collect())
}

fn action(action: &RuleAction) -> Action {
    match action.kind {
        ActionType::Forward => {
            let weighted = action.forward_config.iter().flat_map(|forward| &forward.target_groups);
            let share = weighted.map(|group| Share {
                group: group.target_group_arn.clone(),
                // The model allows no more than 999.
                weight: u16::try_from(group.weight.unwrap_or(1)).unwrap_or(u16::MAX),
            });
            Action::Forward(share.collect())
        }
        ActionType::FixedResponse => {
            let response = action.fixed_response_config.clone().unwrap_or_default();
            Action::Fixed(FixedResponse {
                status: response.status_code.parse().unwrap_or(StatusCode::SERVICE_UNAVAILABLE),
                content_type: response.content_type.unwrap_or_else(|| "text/plain".to_owned()),
                body: response.message_body.unwrap_or_default(),
            })
        }
    }
}

fn targets(group: &RoutedTargetGroup) -> Group {
    let target = |target: &RoutedTarget| {
        let state = match target.state {
            "healthy" => TargetState::Healthy,
            "draining" => TargetState::Draining,
            "initial" | "unhealthy" => TargetState::NotHealthy,
            // `unused`: its instance is going, and nothing may be sent there.
            _ => return None,
        };
        let address = SocketAddr::from((target.ip, group.port));
        Some(Target { id: target.instance.clone(), address, state })
    };
    Group { targets: group.targets.iter().filter_map(target).collect(), drain: group.drain.unsigned_abs() }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use jiff::Timestamp;

    use super::*;
    use crate::model::{Account, Place};

    fn place() -> Place {
        let account = Account::try_from("123456789012".to_owned()).expect("twelve digits");
        Place { account, region: "us-east-1".to_owned() }
    }

    fn instance(id: &str, phase: InstancePhase, port: Option<u16>) -> WantedInstance {
        WantedInstance {
            place: place(),
            id: id.to_owned(),
            group: "web".to_owned(),
            phase,
            private_ip: Ipv4Addr::new(127, 4, 0, 2),
            port,
            zone: "us-east-1a".to_owned(),
            image_id: None,
            instance_type: None,
            user_data: None,
            tags: BTreeMap::new(),
            template_id: "lt-0".to_owned(),
            template_version: 1,
        }
    }

    fn group(states: &[&'static str], check: HealthCheck) -> RoutedTargetGroup {
        let target = |state: &&'static str| RoutedTarget {
            instance: format!("i-{state}"),
            ip: Ipv4Addr::new(127, 4, 0, 2),
            registered: Timestamp::UNIX_EPOCH,
            state,
        };
        RoutedTargetGroup {
            place: place(),
            arn: "g".to_owned(),
            name: "g".to_owned(),
            port: 9000,
            in_use: true,
            health_check: check,
            drain: SignedDuration::from_secs(30),
            targets: states.iter().map(target).collect(),
        }
    }

    const STATES: [&str; 5] = ["initial", "healthy", "unhealthy", "draining", "unused"];

    #[test]
    fn what_is_up_runs_at_the_port_of_its_target_group_or_at_the_default_one() {
        let wanted = [
            instance("i-1", InstancePhase::Up, Some(9000)),
            instance("i-2", InstancePhase::Up, None),
            instance("i-3", InstancePhase::ShuttingDown, None),
        ];
        let run = instances(&wanted, &BTreeMap::new());
        let addresses: Vec<_> = run.iter().map(|it| format!("{} {}", it.id, it.address)).collect();
        assert_eq!(addresses, ["i-1 127.4.0.2:9000", "i-2 127.4.0.2:8080"]);
    }

    #[test]
    fn what_has_lost_its_power_is_not_terminated_and_may_run_nothing() {
        let wanted = [instance("i-1", InstancePhase::Up, None), instance("i-2", InstancePhase::Lost, None)];
        assert_eq!(instances(&wanted, &BTreeMap::new()).len(), 2);
        assert_eq!(without_power(&wanted).map(|id| id.to_string()).collect::<Vec<_>>(), ["i-2"]);
    }

    #[test]
    fn targets_get_traffic_and_checks_by_their_state() {
        let group = group(&STATES, HealthCheck::default());
        let routed: Vec<_> = targets(&group).targets.into_iter().map(|it| (it.id, it.state)).collect();
        let expected = [
            ("i-initial", TargetState::NotHealthy),
            ("i-healthy", TargetState::Healthy),
            ("i-unhealthy", TargetState::NotHealthy),
            ("i-draining", TargetState::Draining),
        ];
        assert_eq!(routed, expected.map(|(id, state)| (id.to_owned(), state)));

        let routing =
            |group| Routing { listeners: vec![], target_groups: BTreeMap::from([("g".to_owned(), group)]) };
        let checked = watched(&routing(group.clone()), None);
        let checked: Vec<_> = checked.iter().map(|it| it.registration.target.as_str()).collect();
        assert_eq!(checked, ["i-initial", "i-healthy", "i-unhealthy"]);
        let unused = RoutedTargetGroup { in_use: false, ..group };
        assert_eq!(watched(&routing(unused), None), []);
    }

    #[test]
    fn checks_are_made_as_the_target_group_says_unless_an_interval_is_given() {
        let elsewhere = HealthCheck { port: "9001".to_owned(), ..HealthCheck::default() };
        let made = check(&elsewhere, None).expect("a check");
        assert_eq!((made.interval, made.port), (Duration::from_secs(30), CheckPort::Fixed(9001)));
        let made = check(&HealthCheck::default(), Some(SignedDuration::from_millis(200))).expect("a check");
        assert_eq!((made.interval, made.timeout), (Duration::from_millis(200), Duration::from_secs(5)));
        assert_eq!(made.port, CheckPort::Traffic);
    }
}
