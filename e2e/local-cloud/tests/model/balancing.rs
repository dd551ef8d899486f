//! Routing as the data plane sees it.

use dryad_local_cloud::model::elb::{Condition, HeaderValues, Values};

use crate::stage::{Stage, path};

#[test]
fn routes_carry_weights_targets_and_their_states() {
    let mut stage = Stage::new();
    let (blue, green) = (stage.blue.clone(), stage.green.clone());
    stage.group("web-1", 1, &[&blue]);
    stage.wait(15);
    stage.group("web-2", 1, &[&green]);
    stage.wait(10);
    let routing = stage.world.routing();
    let [listener] = routing.listeners.as_slice() else { panic!("one listener: {routing:?}") };
    assert_eq!((listener.port, listener.load_balancer_name.as_str()), (80, "web"));
    let [rule, default] = listener.routes.as_slice() else { panic!("a rule and the default: {listener:?}") };
    assert_eq!(rule.rule, stage.rule);
    assert_eq!(rule.conditions, [path("/*")]);
    let forward = rule.action.forward_config.as_ref().expect("a forward");
    let weights: Vec<_> =
        forward.target_groups.iter().map(|it| (it.target_group_arn.as_str(), it.weight)).collect();
    assert_eq!(weights, [(blue.as_str(), Some(100)), (green.as_str(), Some(0))]);
    assert!(default.conditions.is_empty());
    let states =
        |arn: &String| routing.target_groups[arn].targets.iter().map(|it| it.state).collect::<Vec<_>>();
    assert_eq!((states(&blue), states(&green)), (vec!["healthy"], vec!["initial"]));
    let mut addresses: Vec<_> = stage.world.wanted_instances().iter().map(|it| it.private_ip).collect();
    addresses.dedup();
    assert_eq!(addresses.len(), 2);
    assert!(addresses.iter().all(std::net::Ipv4Addr::is_loopback));
}

#[test]
fn a_rule_is_for_the_requests_that_fit_all_its_conditions() {
    let values = |values: &[&str]| values.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>();
    let host = Condition {
        field: "host-header".to_owned(),
        host_header_config: Some(Values { values: values(&["*.Example.com"]) }),
        ..Default::default()
    };
    let method = Condition {
        field: "http-request-method".to_owned(),
        http_request_method_config: Some(Values { values: values(&["GET", "HEAD"]) }),
        ..Default::default()
    };
    let header = Condition {
        field: "http-header".to_owned(),
        http_header_config: Some(HeaderValues {
            http_header_name: "X-Dark".to_owned(),
            values: values(&["y*"]),
        }),
        ..Default::default()
    };
    let none = |_: &str| None;
    let dark = |name: &str| (name == "X-Dark").then_some("yes");
    for (condition, fits) in
        [(&path("/a/*"), true), (&path("/A/*"), false), (&host, true), (&method, true), (&header, false)]
    {
        assert_eq!(condition.holds("GET", "www.example.COM:8080", "/a/b", none), fits, "{condition:?}");
    }
    assert!(header.holds("GET", "x", "/", dark));
    assert!(!host.holds("GET", "example.com", "/", none));
    assert!(!method.holds("POST", "x", "/", none));
}
