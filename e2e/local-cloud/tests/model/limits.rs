//! What is refused, in whose words: a table for each service.

use dryad_local_cloud::model::autoscaling::{
    AttachLoadBalancerTargetGroups, CreateAutoScalingGroup, DescribeAutoScalingGroups,
    DescribeScalingActivities, DetachLoadBalancerTargetGroups, GroupTag,
};
use dryad_local_cloud::model::ec2::{CreateLaunchTemplate, IMAGES, TemplateData};
use dryad_local_cloud::model::elb::{
    CreateListener, CreateRule, CreateTargetGroup, DeleteRule, DeleteTargetGroup, DescribeRules,
    DescribeTargetHealth, ListenerProtocol, ModifyRule, RuleAction, WeightedTargetGroup,
};
use dryad_local_cloud::model::ssm::{DeleteParameter, GetParameter, ParameterType, PutParameter};
use dryad_local_cloud::model::sts::AssumeRole;
use dryad_local_cloud::model::{Code, ec2};

use crate::stage::{Stage, group, path, template, template_data};

#[test]
fn groups_that_aws_would_not_create_are_not_created() {
    type Change = fn(&mut CreateAutoScalingGroup);
    let table: [(&str, &str, Change); 17] = [
        ("no name", "greater than or equal to 1", |it| it.auto_scaling_group_name.clear()),
        ("a long name", "less than or equal to 255", |it| it.auto_scaling_group_name = "x".repeat(256)),
        ("a colon", "without colons", |it| it.auto_scaling_group_name = "a:b".to_owned()),
        ("a space", "without colons", |it| it.auto_scaling_group_name = "a b".to_owned()),
        ("no template", "must contain either LaunchTemplate", |it| it.launch_template = None),
        ("no such template", "valid fully-formed launch template", |it| {
            it.launch_template = Some(template("nobody", "1"));
        }),
        ("no such version", "version, 7, does not exist", |it| {
            it.launch_template = Some(template("web", "7"));
        }),
        ("min above max", "Max bound, 10, must be greater", |it| it.min_size = 11),
        ("desired above max", "Desired capacity:11 must be between", |it| it.desired_capacity = Some(11)),
        ("no subnet", "At least one Availability Zone", |it| it.vpc_zone_identifier = None),
        ("no such subnet", "'subnet-x' does not exist", |it| {
            it.vpc_zone_identifier = Some("subnet-x".to_owned());
        }),
        ("no such target group", "Provided Target Groups may not be valid", |it| {
            it.target_group_arns = vec!["arn:nobody".to_owned()];
        }),
        ("a reserved tag", "reserved", |it| it.tags = vec![GroupTag::new("aws:x", "")]),
        ("a long key", "1 to 128", |it| it.tags = vec![GroupTag::new("k".repeat(129), "")]),
        ("a long value", "at most 256", |it| it.tags = vec![GroupTag::new("k", "v".repeat(257))]),
        ("51 tags", "at most 50 tags", |it| {
            it.tags = (0..51).map(|n| GroupTag::new(format!("k{n}"), "")).collect();
        }),
        ("by id and name", "either launchTemplateId or LaunchTemplateName", |it| {
            let mut both = template("web", "1");
            both.launch_template_id = Some("lt-1".to_owned());
            it.launch_template = Some(both);
        }),
    ];
    let mut stage = Stage::new();
    for (what, saying, change) in table {
        let mut request = group("web", 1, &[]);
        change(&mut request);
        let error = stage.refused(request);
        assert!(error.message.contains(saying), "{what}: {error}");
    }
    assert!(stage.world.wanted_instances().is_empty(), "a refused creation leaves nothing");
    let longest = CreateAutoScalingGroup { auto_scaling_group_name: "x".repeat(255), ..group("", 0, &[]) };
    stage.ok(longest);
}

#[test]
fn template_data_is_tried_when_it_is_used_and_not_before() {
    type Change = fn(&mut TemplateData);
    let table: [(&str, &str, Change); 6] = [
        ("no image", "ImageId", |it| it.image_id = None),
        ("no such image", "'[ami-nobody]' does not exist", |it| it.image_id = Some("ami-nobody".to_owned())),
        ("no type", "InstanceType", |it| it.instance_type = None),
        ("no such type", "Invalid value 'huge'", |it| it.instance_type = Some("huge".to_owned())),
        ("user data that is not base64", "BASE64", |it| it.user_data = Some("#!/bin/sh".to_owned())),
        ("too much user data", "16384", |it| it.user_data = Some("QUFB".repeat(5462))),
    ];
    let mut stage = Stage::new();
    for (at, (what, saying, change)) in table.into_iter().enumerate() {
        let mut launch_template_data = template_data();
        change(&mut launch_template_data);
        let name = format!("bad-{at}");
        let create = CreateLaunchTemplate {
            launch_template_name: name.clone(),
            launch_template_data,
            ..Default::default()
        };
        stage.ok(create);
        let request =
            CreateAutoScalingGroup { launch_template: Some(template(&name, "1")), ..group("web", 1, &[]) };
        let error = stage.refused(request);
        assert!(error.message.contains(saying), "{what}: {error}");
    }
}

#[test]
fn describes_are_limited_as_documented() {
    let mut stage = Stage::new();
    let names = |n| (0..n).map(|n| format!("g{n}")).collect();
    let describe = |count, max_records| DescribeAutoScalingGroups {
        auto_scaling_group_names: names(count),
        max_records,
        ..Default::default()
    };
    stage.ok(describe(50, None));
    stage.refused_as(Code::ValidationError, describe(51, None));
    stage.ok(describe(100, Some(100)));
    stage.refused_as(Code::ValidationError, describe(101, Some(100)));
    stage.refused_as(Code::ValidationError, describe(0, Some(101)));
    let token = DescribeAutoScalingGroups { next_token: Some("made up".to_owned()), ..Default::default() };
    stage.refused_as(Code::InvalidNextToken, token);
    let activities = DescribeScalingActivities {
        auto_scaling_group_name: Some("nobody".to_owned()),
        ..Default::default()
    };
    stage.refused_as(Code::ValidationError, activities);
}

#[test]
fn target_groups_are_attached_ten_at_a_time_and_detached_only_if_attached() {
    let mut stage = Stage::new();
    stage.group("web", 0, &[]);
    let arns: Vec<String> = (0..11).map(|n| stage.target_group(&format!("t{n}"))).collect();
    let attach = |arns: &[String]| AttachLoadBalancerTargetGroups {
        auto_scaling_group_name: "web".to_owned(),
        target_group_arns: arns.to_vec(),
    };
    stage.refused_as(Code::ValidationError, attach(&arns));
    stage.ok(attach(&arns[..10]));
    stage.ok(attach(&arns[..10]));
    let detach = |arn: &str| DetachLoadBalancerTargetGroups {
        auto_scaling_group_name: "web".to_owned(),
        target_group_arns: vec![arn.to_owned()],
    };
    stage.ok(detach(&arns[0]));
    stage.refused_as(Code::ValidationError, detach(&arns[10]));
    assert_eq!(stage.described("web").target_group_arns.len(), 9);
}

#[test]
fn load_balancers_refuse_what_aws_refuses() {
    let mut stage = Stage::new();
    let (listener, rule) = (stage.listener.clone(), stage.rule.clone());
    let (blue, green) = (stage.blue.clone(), stage.green.clone());
    let many: Vec<String> = (0..6).map(|n| stage.target_group(&format!("t{n}"))).collect();
    let forward = |weights: &[(&str, u32)]| vec![RuleAction::forward(weights.iter().copied())];
    let modify = |actions| ModifyRule { rule_arn: rule.clone(), actions, ..Default::default() };
    let create = |priority, actions| CreateRule {
        listener_arn: listener.clone(),
        priority,
        conditions: vec![path("/x")],
        actions,
        tags: Vec::new(),
    };
    let six: Vec<(&str, u32)> = many.iter().map(|arn| (arn.as_str(), 1)).collect();
    stage.refused_as(Code::ValidationError, modify(forward(&[(&blue, 1000), (&green, 0)])));
    stage.refused_as(Code::ValidationError, modify(forward(&six)));
    stage.ok(modify(forward(&six[..5])));
    stage.refused_as(Code::ValidationError, modify(forward(&[(&blue, 1), (&blue, 2)])));
    stage.refused_as(Code::TargetGroupNotFound, modify(forward(&[("arn:nobody", 1)])));
    stage.refused_as(Code::PriorityInUse, create(1, forward(&[(&blue, 1)])));
    stage.refused_as(Code::ValidationError, create(0, forward(&[(&blue, 1)])));
    stage.refused_as(Code::ResourceInUse, DeleteTargetGroup { target_group_arn: many[0].clone() });
    stage.refused_as(Code::RuleNotFound, DeleteRule { rule_arn: "arn:nobody".to_owned() });
    stage.refused_as(Code::ValidationError, DescribeRules::default());
    let health = DescribeTargetHealth { target_group_arn: "arn:nobody".to_owned(), targets: Vec::new() };
    stage.refused_as(Code::TargetGroupNotFound, health);
    let rules = stage.ok(DescribeRules { listener_arn: Some(listener.clone()), ..Default::default() }).rules;
    let default = rules.into_iter().find(|rule| rule.is_default).expect("a default rule").rule_arn;
    stage.refused_as(Code::OperationNotPermitted, DeleteRule { rule_arn: default });
    for name in ["", "-a", "a-", "a_b", &"x".repeat(33)] {
        let request = CreateTargetGroup { name: name.to_owned(), ..Default::default() };
        stage.refused_as(Code::ValidationError, request);
    }
    let same_name = CreateTargetGroup {
        name: "blue".to_owned(),
        protocol: Some("HTTP".to_owned()),
        port: Some(9090),
        vpc_id: Some(ec2::VPC.to_owned()),
        ..Default::default()
    };
    stage.refused_as(Code::DuplicateTargetGroupName, same_name);
    assert_eq!(stage.target_group("blue"), blue, "the same settings: the same target group");
}

#[test]
fn a_target_group_serves_one_load_balancer_only() {
    let mut stage = Stage::new();
    let other = stage.ok(dryad_local_cloud::model::elb::CreateLoadBalancer {
        name: "other".to_owned(),
        subnets: ec2::SUBNETS.map(str::to_owned).to_vec(),
        ..Default::default()
    });
    let forward = vec![RuleAction::forward([(stage.blue.as_str(), 1)])];
    let request = CreateListener {
        load_balancer_arn: other.load_balancers[0].load_balancer_arn.clone(),
        protocol: Some(ListenerProtocol::Http),
        port: Some(80),
        default_actions: forward,
        tags: Vec::new(),
    };
    stage.refused_as(Code::TargetGroupAssociationLimit, request);
}

#[test]
fn a_forward_is_told_as_aws_keeps_it() {
    let mut stage = Stage::new();
    let blue = stage.blue.clone();
    let short = RuleAction { target_group_arn: Some(blue.clone()), ..Default::default() };
    let request = ModifyRule { rule_arn: stage.rule.clone(), actions: vec![short], ..Default::default() };
    let told = stage.ok(request).rules.remove(0).actions.remove(0);
    assert_eq!(told.target_group_arn.as_deref(), Some(blue.as_str()));
    let forward = told.forward_config.expect("the long form too");
    assert_eq!(forward.target_groups, [WeightedTargetGroup { target_group_arn: blue, weight: Some(1) }]);
}

#[test]
fn parameters_refuse_what_aws_refuses() {
    let mut stage = Stage::new();
    let put = |name: &str, value: &str| PutParameter {
        name: name.to_owned(),
        value: value.to_owned(),
        kind: Some(ParameterType::String),
        ..Default::default()
    };
    for (name, value) in [
        ("aws-x", "v"),
        ("/ssm/x", "v"),
        ("a/b", "v"),
        ("a b", "v"),
        ("x", ""),
        ("x", "{{other}}"),
        ("x", &"v".repeat(4097)),
    ] {
        stage.refused_as(Code::ValidationException, put(name, value));
    }
    stage.refused_as(Code::ParameterNotFound, DeleteParameter { name: "/x".to_owned() });
    for version in 1..=101 {
        let answer = stage.ok(PutParameter { overwrite: Some(true), ..put("/x", &version.to_string()) });
        assert_eq!(answer.version, version);
    }
    let get = |name: &str| GetParameter { name: name.to_owned(), with_decryption: None };
    assert_eq!(stage.ok(get("/x:2")).parameter.value, "2");
    stage.refused_as(Code::ParameterVersionNotFound, get("/x:1"));
}

#[test]
fn a_role_gives_keys_of_its_own_account_until_they_end() {
    let mut stage = Stage::new();
    let assume = |role_arn: &str| AssumeRole {
        role_arn: role_arn.to_owned(),
        role_session_name: "dryad".to_owned(),
        ..Default::default()
    };
    stage.refused_as(Code::ValidationError, assume("arn:aws:iam::12:role/x"));
    let keys = stage.ok(assume("arn:aws:iam::210987654321:role/deploy")).credentials;
    let credentials = stage.world.credentials();
    let identity = credentials.identity(&keys.access_key_id, stage.now).expect("a key that was just issued");
    assert_eq!(identity.account.as_str(), "210987654321");
    assert_eq!(identity.principal, "arn:aws:sts::210987654321:assumed-role/deploy/dryad");
    assert_eq!(credentials.identity(&keys.access_key_id, keys.expiration), None);
}

#[test]
fn a_region_is_furnished_and_unknown_things_in_it_are_errors() {
    let mut stage = Stage::new();
    let images = stage.ok(ec2::DescribeImages::default()).images;
    assert_eq!(images.iter().map(|it| it.image_id.as_str()).collect::<Vec<_>>(), IMAGES);
    let subnets = stage.ok(ec2::DescribeSubnets::default()).subnets;
    assert_eq!(
        subnets.iter().map(|it| it.availability_zone.as_str()).collect::<Vec<_>>(),
        ["us-east-1a", "us-east-1b", "us-east-1c"]
    );
    let unknown = || vec!["nobody".to_owned()];
    let image = ec2::DescribeImages { image_ids: unknown(), ..Default::default() };
    stage.refused_as(Code::InvalidAmiIdNotFound, image);
    let subnet = ec2::DescribeSubnets { subnet_ids: unknown(), ..Default::default() };
    stage.refused_as(Code::InvalidSubnetIdNotFound, subnet);
    let group = ec2::DescribeSecurityGroups { group_ids: unknown(), ..Default::default() };
    stage.refused_as(Code::InvalidGroupNotFound, group);
    let instance = ec2::DescribeInstances { instance_ids: unknown(), ..Default::default() };
    stage.refused_as(Code::InvalidInstanceIdNotFound, instance);
}
