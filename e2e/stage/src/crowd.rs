//! Many Environments that were deployed long ago and to which nothing happens.
//!
//! Each is a copy of one that really was deployed: its objects with other names, and in the cloud a rule, two target
//! groups and a group of its own. Making them by deploys would take hours.

use std::ops::Range;
use std::time::Duration;

use dryad_crds::{Deployment, Environment};
use dryad_local_cloud::model::autoscaling::{
    CreateAutoScalingGroup, DescribeAutoScalingGroups, DescribedGroup, HealthCheckType, LifecycleState,
    TemplateSpecification,
};
use dryad_local_cloud::model::ec2::{CreateLaunchTemplate, TemplateData, VPC};
use dryad_local_cloud::model::elb::{Condition, CreateRule, CreateTargetGroup, RuleAction};
use dryad_local_cloud::model::ssm::{GetParameter, ParameterType, PutParameter};
use dryad_machine::name::{GroupName, Turn, Uid};
use futures::{StreamExt, stream};
use k8s_openapi::NamespaceResourceScope;
use kube::api::{Patch, PatchParams, PostParams};
use kube::{Resource, ResourceExt};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::Stage;

/// How many are made at once.
const AT_ONCE: usize = 8;
/// How long the cloud may take to bring all their instances up, and how often it is asked.
const PATIENCE: Duration = Duration::from_secs(120);
const PAUSE: Duration = Duration::from_millis(200);

/// What is copied.
struct Original {
    environment: Environment,
    deployment: Deployment,
    group: DescribedGroup,
    /// What its parameter holds, if it names one.
    projected: Option<String>,
}

/// What a copy has of its own in the cloud.
struct Surroundings {
    rule: String,
    target_groups: [String; 2],
}

impl Stage {
    /// Makes copies, with these numbers, of an Environment to which one deploy was made and in which nobody has the turn,
    /// and waits until their instances are up. It permits the namespace all that they name.
    ///
    /// # Panics
    /// When the API server or the cloud refuses one.
    pub async fn crowd(&self, name: &str, copies: Range<usize>) {
        self.admit_all();
        let original = &self.original(name).await;
        stream::iter(copies).for_each_concurrent(AT_ONCE, |number| self.copy(original, number)).await;
        assert!(tokio::time::timeout(PATIENCE, self.up()).await.is_ok(), "not all instances come up");
    }

    fn admit_all(&self) {
        let mut configuration = self.configuration();
        let permitted = &mut configuration["accounts"]["default"]["namespaces"][&self.namespace];
        permitted["targetGroups"] = json!(["*"]);
        permitted["rules"] = json!(["*"]);
        permitted["instanceProfiles"] = json!(["*"]);
        self.configure(&configuration).expect("it is written");
    }

    async fn original(&self, name: &str) -> Original {
        let environment: Environment = self.api().get(name).await.expect("it exists");
        let tenure = environment.status.as_ref().map(|status| status.tenure.clone()).unwrap_or_default();
        let deployed = tenure.deployed.expect("something is deployed");
        let group = tenure.groups.first().expect("a group serves").name.to_string();
        let described = self.cloud.control().call(DescribeAutoScalingGroups {
            auto_scaling_group_names: vec![group],
            ..DescribeAutoScalingGroups::default()
        });
        let group = described.expect("it is described").auto_scaling_groups.remove(0);
        let parameter = environment.spec.deployed_parameter.as_ref();
        let projected = parameter.map(|name| {
            let request = GetParameter { name: name.to_string(), with_decryption: None };
            self.cloud.control().call(request).expect("it is projected").parameter.value
        });
        Original {
            projected,
            environment,
            deployment: self.api().get(&deployed.deployment).await.expect("it exists"),
            group,
        }
    }

    async fn copy(&self, original: &Original, number: usize) {
        let name = format!("{}-{number:04}", original.environment.name_any());
        let surroundings = self.surroundings(original, number);
        let [a, b] = &self.web.target_groups;
        let [own_a, own_b] = &surroundings.target_groups;
        let mut words = vec![
            (self.web.rule.clone(), surroundings.rule.clone()),
            (a.clone(), own_a.clone()),
            (b.clone(), own_b.clone()),
            (quoted(&original.deployment.name_any()), quoted(&name)),
            (quoted(&original.environment.name_any()), quoted(&name)),
            (parameter(&original.environment.name_any()), parameter(&name)),
        ];
        let environment = self.create(&original.environment, &name, &words).await;
        let deployment = self.create(&original.deployment, &name, &words).await;
        let group = GroupName::of(&name, Turn::new(1), &Uid::new(uid(&deployment)));
        words.splice(
            0..0,
            [
                (original.group.auto_scaling_group_name.clone(), group.to_string()),
                (uid(&original.environment), uid(&environment)),
                (uid(&original.deployment), uid(&deployment)),
            ],
        );
        self.launch(&original.group, &group, &words);
        self.project(original, &name, &words);
        self.record(&original.deployment, &name, &words).await;
        self.record(&original.environment, &name, &words).await;
    }

    /// Its parameter, if it names one.
    fn project(&self, original: &Original, name: &str, words: &[Word]) {
        let Some(value) = &original.projected else { return };
        let put = PutParameter {
            name: format!("/{name}/deployed"),
            value: in_other_words(value, words),
            kind: Some(ParameterType::String),
            ..PutParameter::default()
        };
        self.cloud.control().call(put).expect("it is put");
    }

    /// A rule of its own, with all weight where the original has it, and its target groups.
    fn surroundings(&self, original: &Original, number: usize) -> Surroundings {
        let control = self.cloud.control();
        let target_groups = ["a", "b"].map(|slot| {
            let created = control.call(CreateTargetGroup {
                name: format!("copy-{number}-{slot}"),
                protocol: Some("HTTP".to_owned()),
                port: Some(8080),
                vpc_id: Some(VPC.to_owned()),
                ..CreateTargetGroup::default()
            });
            created.expect("it is created").target_groups.remove(0).target_group_arn
        });
        let [a, b] = &target_groups;
        let [in_a, in_b] = self.web.target_groups.each_ref().map(|target_group| {
            if original.group.target_group_arns.contains(target_group) { 100 } else { 0 }
        });
        let created = control.call(CreateRule {
            listener_arn: self.web.listener.clone(),
            priority: u32::try_from(number).expect("few") + 2,
            conditions: vec![Condition {
                field: "path-pattern".to_owned(),
                values: vec![format!("/{number}/*")],
                ..Condition::default()
            }],
            actions: vec![RuleAction::forward([(a.as_str(), in_a), (b.as_str(), in_b)])],
            ..CreateRule::default()
        });
        let rule = created.expect("it is created").rules.remove(0).rule_arn;
        Surroundings { rule, target_groups }
    }

    fn launch(&self, original: &DescribedGroup, name: &GroupName, words: &[Word]) {
        let control = self.cloud.control();
        let template = CreateLaunchTemplate {
            launch_template_name: name.to_string(),
            launch_template_data: TemplateData {
                image_id: Some(self.web.image.clone()),
                instance_type: Some("t3.micro".to_owned()),
                ..TemplateData::default()
            },
            ..CreateLaunchTemplate::default()
        };
        control.call(template).expect("it is created");
        let mut tags = original.tags.clone();
        for tag in &mut tags {
            tag.resource_id = None;
            let value = in_other_words(&quoted(&tag.value), words);
            value.trim_matches('"').clone_into(&mut tag.value);
        }
        let group = CreateAutoScalingGroup {
            auto_scaling_group_name: name.to_string(),
            launch_template: Some(TemplateSpecification {
                launch_template_name: Some(name.to_string()),
                ..TemplateSpecification::default()
            }),
            min_size: original.min_size,
            max_size: original.max_size,
            desired_capacity: Some(original.desired_capacity),
            vpc_zone_identifier: Some(original.vpc_zone_identifier.clone()),
            target_group_arns: original
                .target_group_arns
                .iter()
                .map(|arn| in_other_words(arn, words))
                .collect(),
            health_check_type: Some(HealthCheckType::Elb),
            tags,
            ..CreateAutoScalingGroup::default()
        };
        control.call(group).expect("it is created");
    }

    /// The object without its status.
    async fn create<K: Kept>(&self, original: &K, name: &str, words: &[Word]) -> K {
        let mut object = serde_json::to_value(original).expect("JSON");
        object["metadata"] = json!({
            "name": name,
            "namespace": self.namespace,
            "finalizers": original.finalizers(),
        });
        object["status"] = Value::Null;
        let object: K = rewritten(&object, words);
        self.api().create(&PostParams::default(), &object).await.expect("it is accepted")
    }

    /// Its status.
    async fn record<K: Kept>(&self, original: &K, name: &str, words: &[Word]) {
        let object = serde_json::to_value(original).expect("JSON");
        let status: Value = rewritten(&object["status"], words);
        let patch = Patch::Merge(json!({ "status": status }));
        self.api::<K>().patch_status(name, &PatchParams::default(), &patch).await.expect("it is accepted");
    }

    /// Waits until every group has all of its instances.
    async fn up(&self) {
        loop {
            let (mut whole, mut next) = (true, None);
            loop {
                let page = self.cloud.control().call(DescribeAutoScalingGroups {
                    max_records: Some(100),
                    next_token: next,
                    ..DescribeAutoScalingGroups::default()
                });
                let page = page.expect("they are described");
                whole &= page.auto_scaling_groups.iter().all(is_up);
                next = page.next_token;
                if next.is_none() {
                    break;
                }
            }
            if whole {
                return;
            }
            tokio::time::sleep(PAUSE).await;
        }
    }
}

/// An object of either kind.
trait Kept:
    Resource<Scope = NamespaceResourceScope, DynamicType = ()>
    + Serialize
    + DeserializeOwned
    + Clone
    + std::fmt::Debug
{
}

impl Kept for Environment {}
impl Kept for Deployment {}

/// What stands in the original, and what in the copy.
type Word = (String, String);

fn in_other_words(text: &str, words: &[Word]) -> String {
    words.iter().fold(text.to_owned(), |text, (from, to)| text.replace(from, to))
}

fn rewritten<T: DeserializeOwned>(value: &Value, words: &[Word]) -> T {
    serde_json::from_str(&in_other_words(&value.to_string(), words)).expect("as it was")
}

fn quoted(text: &str) -> String {
    format!("\"{text}\"")
}

/// How the name of a parameter ends that an Environment has of its own.
fn parameter(environment: &str) -> String {
    format!("/{environment}/deployed\"")
}

fn uid(object: &impl ResourceExt) -> String {
    object.uid().expect("it is stored")
}

fn is_up(group: &DescribedGroup) -> bool {
    let up = group.instances.iter().filter(|member| member.lifecycle_state == LifecycleState::InService);
    up.count() == usize::try_from(group.desired_capacity).unwrap_or(usize::MAX)
}
