use std::sync::{Arc, Mutex};
use std::time::Duration;

use dryad_crds::deployment::status::Template;
use dryad_crds::environment::EnvironmentSpec;
use dryad_machine::name::{AccountName, GroupName, Place, Region, Turn, Uid};
use dryad_machine::tenure::{Member, Role};
use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;
use serde_json::{Value, json};

use super::*;
use crate::process::metrics::Metrics;

const ARN: &str = "arn:aws:elasticloadbalancing:us-east-1:123456789012";

/// All that [`spec`] names, and nothing else.
fn file() -> String {
    format!(
        "accounts:
  default:
    regions: [us-east-1]
    namespaces:
      shop:
        instanceProfiles: [web]
        subnets: [subnet-a, subnet-b]
        securityGroups: [sg-1]
        keyNames: [ops]
        rules: ['{ARN}:listener-rule/app/web/1/2/3']
        targetGroups: ['{ARN}:targetgroup/web-*/*']
"
    )
}

fn spec() -> Value {
    json!({
        "target": { "autoScalingGroup": {
            "region": "us-east-1",
            "launchTemplate": {
                "imageId": "ami-0abc", "instanceType": "t3.micro", "instanceProfile": "web", "keyName": "ops",
                "securityGroupIds": ["sg-1"],
            },
            "subnetIds": ["subnet-a", "subnet-b"],
            "capacity": { "min": 1, "max": 2 },
        } },
        "traffic": { "loadBalancerRule": {
            "ruleArn": format!("{ARN}:listener-rule/app/web/1/2/3"),
            "targetGroupArns": [format!("{ARN}:targetgroup/web-a/1"), format!("{ARN}:targetgroup/web-b/2")],
        } },
    })
}

fn template(spec: Value) -> Template {
    Template::of(&serde_json::from_value::<EnvironmentSpec>(spec).expect("a spec"))
}

/// What stands in the way of the changed spec, a line each.
fn refused(file: &str, namespace: &str, change: impl FnOnce(&mut Value)) -> String {
    let mut spec = spec();
    change(&mut spec);
    let configuration = Configuration::parse(file).expect("a configuration");
    let refusals = permits(&configuration, namespace, &template(spec)).err().unwrap_or_default();
    refusals.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

#[test]
fn what_is_listed_is_permitted() {
    assert_eq!(refused(&file(), "shop", |_| ()), "");
}

/// Something else that a spec could say.
type Change<'a> = Box<dyn FnOnce(&mut Value) + 'a>;

#[test]
fn what_is_not_listed_is_refused_with_the_entry_that_is_missing() {
    let group = |spec: &mut Value, path: &str, value: Value| {
        *spec.pointer_mut(&format!("/target/autoScalingGroup{path}")).expect(path) = value;
    };
    let at = "accounts.default.namespaces.shop";
    let rows: [(Change<'_>, String); 11] = [
        (
            Box::new(|spec| group(spec, "/launchTemplate/instanceProfile", json!("admin"))),
            format!("{at}.instanceProfiles lacks admin"),
        ),
        (
            Box::new(|spec| group(spec, "/launchTemplate/keyName", json!("root"))),
            format!("{at}.keyNames lacks root"),
        ),
        (
            Box::new(|spec| group(spec, "/launchTemplate/securityGroupIds", json!(["sg-1", "sg-2"]))),
            format!("{at}.securityGroups lacks sg-2"),
        ),
        (
            Box::new(|spec| group(spec, "/launchTemplate/securityGroupIds", json!([]))),
            format!("{at}.securityGroups lacks default"),
        ),
        (
            Box::new(|spec| {
                let from = json!({ "from": { "id": "lt-1", "version": "$Latest" } });
                group(spec, "/launchTemplate", from);
            }),
            format!("{at}.launchTemplates lacks lt-1"),
        ),
        (
            Box::new(|spec| {
                let launch = json!({
                    "imageIdFromParameter": "/golden/web", "instanceType": "t3.micro", "securityGroupIds": ["sg-1"],
                });
                group(spec, "/launchTemplate", launch);
            }),
            format!("{at}.ssmPrefixes lacks /golden/web"),
        ),
        (
            Box::new(|spec| group(spec, "/subnetIds", json!(["subnet-c"]))),
            format!("{at}.subnets lacks subnet-c"),
        ),
        (
            Box::new(|spec| {
                spec["traffic"]["loadBalancerRule"]["ruleArn"] =
                    json!(format!("{ARN}:listener-rule/app/pay/1/2/3"));
            }),
            format!("{at}.rules lacks {ARN}:listener-rule/app/pay/1/2/3"),
        ),
        (
            Box::new(|spec| {
                spec["traffic"] = json!({ "targetGroup": { "arn": format!("{ARN}:targetgroup/pay/1") } });
            }),
            format!("{at}.targetGroups lacks {ARN}:targetgroup/pay/1"),
        ),
        (
            Box::new(|spec| spec["target"]["autoScalingGroup"]["account"] = json!("production")),
            "accounts lacks production".to_owned(),
        ),
        (
            Box::new(|spec| {
                spec["target"]["autoScalingGroup"]["region"] = json!("eu-west-1");
                spec["traffic"] = Value::Null;
            }),
            "accounts.default.regions lacks eu-west-1".to_owned(),
        ),
    ];
    for (change, expected) in rows {
        assert_eq!(refused(&file(), "shop", change), expected);
    }
}

#[test]
fn a_parameter_is_written_only_below_a_prefix_that_is_listed() {
    let mut spec = spec();
    spec["deployedParameter"] = json!("/shop/web/deployed");
    let spec: EnvironmentSpec = serde_json::from_value(spec).expect("a spec");
    let lacking = |file: &str| withheld(&Configuration::parse(file).expect("a configuration"), "shop", &spec);
    let refusal = lacking(&file()).expect("a refusal").to_string();
    assert_eq!(refusal, "accounts.default.namespaces.shop.ssmPrefixes lacks /shop/web/deployed");
    assert_eq!(lacking(&format!("{}        ssmPrefixes: [/shop/]\n", file())), None);
    assert!(lacking("accounts: {}").is_some());
}

#[test]
fn a_namespace_without_an_entry_may_name_nothing_and_hears_of_everything() {
    let refusals = refused(&file(), "bank", |_| ());
    let lines: Vec<_> = refusals.lines().map(|line| line.split(' ').next().unwrap()).collect();
    let at = |list| format!("accounts.default.namespaces.bank.{list}");
    let lists = [
        "instanceProfiles",
        "keyNames",
        "securityGroups",
        "subnets",
        "subnets",
        "rules",
        "targetGroups",
        "targetGroups",
    ];
    assert_eq!(lines, lists.map(at));
}

#[test]
fn what_everybody_may_name_is_added_to_what_a_namespace_may() {
    let narrow = file().replace("instanceProfiles: [web]", "instanceProfiles: []");
    assert_ne!(refused(&narrow, "shop", |_| ()), "");
    let wide = format!("{narrow}      '*':\n        instanceProfiles: [web]\n");
    assert_eq!(refused(&wide, "shop", |_| ()), "");
    assert_ne!(refused(&wide, "bank", |_| ()), "");
}

#[test]
fn an_arn_of_another_region_or_account_is_refused_whatever_is_listed() {
    let role = "roleArn: 'arn:aws:iam::210987654321:role/dryad'\n    regions: [us-east-1]";
    let elsewhere = refused(&file().replace("regions: [us-east-1]", role), "shop", |_| ());
    assert_eq!(elsewhere.lines().count(), 3);
    assert!(
        elsewhere.lines().all(|line| line.ends_with("is of 123456789012, but the target of 210987654321"))
    );

    let everything = file().replace(ARN, "*").replace("[us-east-1]", "['*']");
    let elsewhere = refused(&everything, "shop", |spec| {
        spec["target"]["autoScalingGroup"]["region"] = json!("eu-west-1");
    });
    assert_eq!(elsewhere.lines().count(), 3);
    assert!(elsewhere.lines().all(|line| line.ends_with("is of us-east-1, but the target of eu-west-1")));
}

#[test]
fn without_a_file_nothing_is_permitted_and_the_sentence_says_why() {
    let refusals = permits(&Configuration::default(), "shop", &template(spec())).unwrap_err();
    assert_eq!(
        sentence(&refusals),
        "not permitted: the operator was started without --config; ask whoever runs Dryad to add it to the operator's \
         configuration"
    );
}

#[test]
fn a_sentence_says_who_can_do_what_about_it() {
    let lacks = Refusal::Lacks { at: "accounts".to_owned(), entry: "pay".to_owned() };
    let elsewhere = Refusal::Elsewhere {
        arn: "arn".to_owned(),
        named: "us-east-1".to_owned(),
        wanted: "eu-west-1".to_owned(),
    };
    let rows = [
        (
            vec![lacks.clone()],
            "accounts lacks pay; ask whoever runs Dryad to add it to the operator's configuration",
        ),
        (vec![elsewhere.clone()], "arn is of us-east-1, but the target of eu-west-1; change the Environment"),
        (
            vec![lacks, elsewhere],
            "accounts lacks pay; arn is of us-east-1, but the target of eu-west-1; change the Environment, and ask \
             whoever runs Dryad to add the rest",
        ),
    ];
    for (refusals, expected) in rows {
        assert_eq!(sentence(&refusals), format!("not permitted: {expected}"));
    }
}

#[test]
fn the_documented_example_has_every_key_and_permits_the_sample() {
    let page = include_str!("../../../../docs/configuration.md");
    let example =
        page.split("```yaml\n").nth(1).and_then(|rest| rest.split("```").next()).expect("an example");
    let configuration = Configuration::parse(example).expect("it can be used");
    let keys = [
        List::InstanceProfiles,
        List::Subnets,
        List::SecurityGroups,
        List::KeyNames,
        List::LaunchTemplates,
        List::TargetGroups,
        List::Rules,
        List::SsmPrefixes,
    ];
    for key in keys.map(List::key).into_iter().chain(["roleArn", "externalId", "regions", "namespaces"]) {
        assert!(example.contains(&format!(" {key}:")), "the example lacks {key}");
        assert!(page.contains(&format!("….{key}")), "the table lacks {key}");
    }
    let sample = include_str!("../../../../config/samples/environment.yaml");
    let sample: dryad_crds::Environment = serde_saphyr::from_str(sample).expect("an Environment");
    assert_eq!(permits(&configuration, "shop", &Template::of(&sample.spec)), Ok(()));
    assert!(permits(&configuration, "bank", &Template::of(&sample.spec)).is_err());
}

#[test]
fn a_star_stands_for_any_characters_and_for_none() {
    let rows = [
        ("web", "web", true),
        ("web", "web-a", false),
        ("web", "a-web", false),
        ("*", "", true),
        ("*", "anything/at:all", true),
        ("web*", "web", true),
        ("web*", "we", false),
        ("*-a", "web-a", true),
        ("*-a", "web-ab", false),
        ("a*b*c", "a-b-b-c", true),
        ("a*b*c", "a-c-b", false),
        ("a*a", "a", false),
        ("a*a", "aa", true),
        ("a**b", "ab", true),
    ];
    for (pattern, name, expected) in rows {
        assert_eq!(pattern.parse::<Pattern>().unwrap().matches(name), expected, "{pattern} {name}");
    }
}

#[test]
fn a_prefix_stands_for_what_begins_with_it() {
    let prefix: Pattern = "/shop/".parse().unwrap();
    assert!(prefix.begins("/shop/web/ami"));
    assert!(!prefix.begins("/shopping/ami"));
    assert!(!prefix.begins("/bank/shop/ami"));
}

#[test]
fn what_is_wrong_with_a_file_is_said_with_its_line_and_its_key() {
    let rows = [
        ("accounts: {default: {regoins: [us-east-1]}}", &["line 1", "regoins"][..]),
        (
            "accounts:\n  default:\n    namespaces:\n      shop:\n        subnet: [a]\n",
            &["line 5", "`subnet`"],
        ),
        ("accounts:\n  Default: {}\n", &["line 2", "an account's name", "Default"]),
        ("accounts:\n  default:\n    roleArn: dryad\n", &["line 3", "the role's ARN"]),
        ("accounts:\n  default:\n    namespaces: {'sh*p': {}}\n", &["line 3", "* alone"]),
        ("accounts:\n  default:\n    regions: us-east-1\n", &["line 3"]),
        ("accounts:\n  default:\n    regions: ['a\"b']\n", &["line 3", "an entry of a list"]),
        ("accounts:\n  a: {}\n  a: {}\n", &["line 3", "duplicate"]),
        ("accounts:\n  a: {externalId: shop}\n", &["accounts.a.externalId", "roleArn"]),
        ("{}", &["accounts"]),
        ("", &["line 1"]),
        ("accounts: [", &["line 1"]),
    ];
    for (file, words) in rows {
        let error = Configuration::parse(file).expect_err(file).to_string();
        assert!(words.iter().all(|word| error.contains(word)), "{file}\n{error}");
        assert!(!error.contains('\n'), "{error}");
    }
    let huge = format!("accounts: {{}} #{}", " ".repeat(1 << 20));
    assert!(Configuration::parse(&huge).unwrap_err().to_string().contains("1048576"));
}

#[test]
fn an_external_id_shows_nowhere() {
    let file = "accounts: {a: {roleArn: 'arn:aws:iam::210987654321:role/dryad', externalId: canary}}";
    let configuration = Configuration::parse(file).unwrap();
    assert!(!format!("{configuration:?}").contains("canary"));
    let bad = Configuration::parse(&file.replace("canary", "'canary canary'")).unwrap_err();
    assert!(!format!("{bad:?} {bad}").contains("canary"), "{bad}");
}

#[test]
fn a_group_is_out_of_reach_only_once_its_account_is_gone() {
    let member = |account: &str| Member {
        name: GroupName::new("web-1"),
        place: Place { account: AccountName::new(account), region: Region::new("eu-west-1") },
        access: None,
        owner: Uid::new("u"),
        environment: None,
        turn: Turn::new(1),
        role: Role::Serving,
        deployed: None,
        held: None,
    };
    let configuration = Configuration::parse("accounts: {default: {}}").unwrap();
    assert_eq!(unreachable(&configuration, &[member("default")]), []);
    let lost = unreachable(&configuration, &[member("old"), member("old")]);
    assert_eq!(lost, [Refusal::Lacks { at: "accounts".to_owned(), entry: "old".to_owned() }]);
    assert_eq!(unreachable(&Configuration::default(), &[member("default")]), []);
}

/// A file that is followed, who was told of what, and what the metrics say.
struct Followed {
    path: std::path::PathBuf,
    current: Current,
    told: Arc<Mutex<Vec<usize>>>,
    registry: Registry,
    _directory: tempfile::TempDir,
    _running: tokio::task::JoinHandle<()>,
}

impl Followed {
    async fn file(text: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("dryad.yaml");
        std::fs::write(&path, text).unwrap();
        let (follower, current) = Follower::open(&path).await.unwrap();
        let mut registry = Registry::default();
        let metrics = Metrics::new(&mut registry);
        let told = Arc::new(Mutex::new(Vec::new()));
        let hears = told.clone();
        let running = tokio::spawn(follower.run(metrics, move |configuration| {
            hears.lock().unwrap().push(configuration.roles().count());
            std::future::ready(())
        }));
        Self { path, current, told, registry, _directory: directory, _running: running }
    }

    fn is_stale(&self) -> bool {
        let mut text = String::new();
        encode(&mut text, &self.registry).unwrap();
        text.lines().any(|line| line == "dryad_configuration_stale 1")
    }

    /// Until the metric says so: time is virtual, reading the file is not.
    async fn until_stale(&self, stale: bool) {
        while self.is_stale() != stale {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_changed_file_is_taken_up_and_told_of_before_anybody_sees_it() {
    let mut followed = Followed::file("accounts: {a: {}}").await;
    assert_eq!(followed.current.now().roles().count(), 1);
    // As Kubernetes changes a mounted ConfigMap: another file under the same name.
    let next = followed.path.with_extension("next");
    std::fs::write(&next, "accounts: {a: {}, b: {}}").unwrap();
    std::fs::rename(&next, &followed.path).unwrap();
    assert_eq!(followed.current.next().await.unwrap().roles().count(), 2);
    assert_eq!(*followed.told.lock().unwrap(), [2]);
    assert!(!followed.is_stale());
}

#[tokio::test(start_paused = true)]
async fn a_broken_or_missing_file_leaves_the_one_before_in_force_until_it_is_mended() {
    let followed = Followed::file("accounts: {a: {}}").await;
    std::fs::write(&followed.path, "accounts: {a: {regions: 1}}").unwrap();
    followed.until_stale(true).await;
    std::fs::remove_file(&followed.path).unwrap();
    assert_eq!(followed.current.now().roles().count(), 1);
    assert!(followed.told.lock().unwrap().is_empty());
    std::fs::write(&followed.path, "accounts: {a: {}}").unwrap();
    followed.until_stale(false).await;
    assert_eq!(followed.current.now().roles().count(), 1);
}

#[tokio::test]
async fn there_is_no_beginning_without_a_file_that_can_be_used() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("dryad.yaml");
    let missing = Follower::open(&path).await.unwrap_err().to_string();
    assert!(missing.contains("dryad.yaml"), "{missing}");
    std::fs::write(&path, "accounts: {default: {regoins: []}}").unwrap();
    let broken = Follower::open(&path).await.unwrap_err().to_string();
    assert!(broken.contains("dryad.yaml") && broken.contains("regoins"), "{broken}");
}
