//! A cloud with the web fixture in it, releases to run there, and short ways to ask and to wait.

#[path = "../../data_plane/support/fifo.rs"]
pub(crate) mod fifo;

use std::collections::BTreeMap;
use std::fs;
use std::future::Future;
use std::path::PathBuf;
use std::time::Duration;

use base64::Engine as _;
use dryad_local_cloud::balancer::{Observation, View};
use dryad_local_cloud::instances::Directories;
use dryad_local_cloud::local_cloud::{InstanceKind, LocalCloud, Options, WebFixture};
use dryad_local_cloud::model::autoscaling::{
    CreateAutoScalingGroup, HealthCheckType, TemplateSpecification, UpdateAutoScalingGroup,
};
use dryad_local_cloud::model::ec2::{CreateLaunchTemplate, TemplateData};
use dryad_local_cloud::model::elb::{DescribeTargetHealth, ModifyRule, RuleAction};
use dryad_local_cloud::model::{Action, Timings};
use jiff::SignedDuration;
use tempfile::TempDir;
use tokio::sync::mpsc::UnboundedReceiver;

/// What is waited for, or a failure that says what did not come.
pub(crate) async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    let patience = Duration::from_secs(60);
    let Ok(value) = tokio::time::timeout(patience, future).await else { panic!("did not come: {what}") };
    value
}

pub(crate) fn timings() -> Timings {
    Timings { drain: Some(SignedDuration::from_millis(500)), ..Timings::default() }
}

/// Runs the web application on the checkout that is named after the release.
pub(crate) fn serve(release: &str) -> String {
    format!("#!/bin/sh\nexec \"$WEBAPP\" \"$RELEASES/{release}\"\n")
}

/// Makes a launch template with this user data, and a group of that many instances of it.
pub(crate) fn launch(
    cloud: &LocalCloud,
    web: &WebFixture,
    name: &str,
    size: u32,
    user_data: &str,
    target_groups: &[&str],
) {
    let template = CreateLaunchTemplate {
        launch_template_name: name.to_owned(),
        launch_template_data: TemplateData {
            image_id: Some(web.image.clone()),
            instance_type: Some("m7g.large".to_owned()),
            user_data: Some(base64::engine::general_purpose::STANDARD.encode(user_data)),
            ..TemplateData::default()
        },
        ..CreateLaunchTemplate::default()
    };
    cloud.control().call(template).expect("a template");
    let group = CreateAutoScalingGroup {
        auto_scaling_group_name: name.to_owned(),
        launch_template: Some(TemplateSpecification {
            launch_template_id: None,
            launch_template_name: Some(name.to_owned()),
            version: Some("1".to_owned()),
        }),
        min_size: 0,
        max_size: size,
        desired_capacity: Some(size),
        vpc_zone_identifier: Some(web.subnets.join(",")),
        target_group_arns: target_groups.iter().map(|arn| (*arn).to_owned()).collect(),
        health_check_type: Some(HealthCheckType::Elb),
        ..CreateAutoScalingGroup::default()
    };
    cloud.control().call(group).expect("a group");
}

pub(crate) struct Stage {
    pub(crate) cloud: LocalCloud,
    pub(crate) web: WebFixture,
    pub(crate) http: reqwest::Client,
    observations: UnboundedReceiver<Observation>,
    releases: PathBuf,
    _directory: TempDir,
}

impl Stage {
    pub(crate) async fn open() -> Self {
        let directory = TempDir::new().expect("a directory");
        let releases = directory.path().join("releases");
        let environment = BTreeMap::from([
            ("WEBAPP".to_owned(), env!("CARGO_BIN_EXE_dryad-webapp").to_owned()),
            ("RELEASES".to_owned(), releases.to_string_lossy().into_owned()),
        ]);
        let run_dir = directory.path().join("instances");
        let instances = InstanceKind::Real { run_dir, directories: Directories::Remove, environment };
        let options = Options { timings: timings(), instances, ..Options::simulated() };
        let cloud = LocalCloud::start(options).await.expect("a cloud");
        let observations = cloud.control().observe();
        let web = soon("the fixture", cloud.web_fixture()).await.expect("a fixture");
        // reqwest wants a TLS provider even for plain HTTP; a second installation is refused, and just as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::new();
        Self { cloud, web, http, observations, releases, _directory: directory }
    }

    /// Calls what must succeed.
    #[track_caller]
    pub(crate) fn ok<A: Action>(&self, request: A) -> A::Answer {
        match self.cloud.control().call(request) {
            Ok(answer) => answer,
            Err(error) => panic!("{} failed: {error}", A::NAME),
        }
    }

    /// A checkout of the web application.
    pub(crate) fn release(&self, name: &str, files: &[(&str, &str)]) {
        let checkout = self.releases.join(name);
        fs::create_dir_all(&checkout).expect("a checkout");
        for (file, text) in files {
            fs::write(checkout.join(file), text).expect("a file");
        }
    }

    /// Launches a group of that many instances with this user data.
    pub(crate) fn group(&self, name: &str, size: u32, user_data: &str, target_groups: &[&str]) {
        launch(&self.cloud, &self.web, name, size, user_data, target_groups);
    }

    /// Brings up that many instances of the web application in a target group, all of them healthy. It answers `/` with
    /// the name of its group.
    pub(crate) async fn up(&mut self, group: &str, size: u32, target_group: &str) {
        self.release(group, &[("index.html", group)]);
        self.group(group, size, &serve(group), &[target_group]);
        self.healthy(target_group, usize::try_from(size).expect("a size")).await;
    }

    /// Changes the size of a group.
    pub(crate) fn resize(&self, group: &str, size: u32) {
        self.ok(UpdateAutoScalingGroup {
            auto_scaling_group_name: group.to_owned(),
            desired_capacity: Some(size),
            ..UpdateAutoScalingGroup::default()
        });
    }

    /// Waits until so many instances have processes.
    pub(crate) async fn processes(&self, count: usize) {
        let mut processes = self.cloud.control().processes();
        let there = processes.wait_for(|processes| processes.len() == count);
        soon(&format!("{count} instances with processes"), there).await.expect("a cloud");
    }

    /// Sets the weights of the rule.
    pub(crate) fn weigh(&self, a: u32, b: u32) {
        let [to_a, to_b] = &self.web.target_groups;
        self.ok(ModifyRule {
            rule_arn: self.web.rule.clone(),
            actions: vec![RuleAction::forward([(to_a.as_str(), a), (to_b.as_str(), b)])],
            ..ModifyRule::default()
        });
    }

    /// The next thing that a load balancer does.
    pub(crate) async fn observation(&mut self, what: &str) -> Observation {
        soon(what, self.observations.recv()).await.expect("a cloud")
    }

    /// Waits until a load balancer routes as it is wanted to, and returns all that was observed until then.
    pub(crate) async fn view(&mut self, what: &str, wanted: impl Fn(&View) -> bool) -> Vec<Observation> {
        let mut seen = Vec::new();
        loop {
            let observation = self.observation(what).await;
            let arrived = matches!(&observation, Observation::Table(view) if wanted(view));
            seen.push(observation);
            if arrived {
                return seen;
            }
        }
    }

    /// Waits until a target group has that many healthy targets where requests are routed.
    pub(crate) async fn healthy(&mut self, target_group: &str, count: usize) -> Vec<Observation> {
        let target_group = target_group.to_owned();
        let wanted = |view: &View| {
            let mut groups = view.rules.iter().flat_map(|rule| &rule.groups);
            groups.any(|group| group.group == target_group && group.healthy == count)
        };
        self.view(&format!("{count} healthy targets"), wanted).await
    }

    /// What has been observed and not been looked at yet.
    pub(crate) fn observed(&mut self) -> Vec<Observation> {
        std::iter::from_fn(|| self.observations.try_recv().ok()).collect()
    }

    /// The targets of a group: state, and reason and description if there are any.
    pub(crate) fn targets(&self, target_group: &str) -> Vec<String> {
        let request = DescribeTargetHealth { target_group_arn: target_group.to_owned(), targets: Vec::new() };
        let told = self.ok(request).target_health_descriptions.into_iter().map(|it| it.target_health);
        told.map(|it| {
            [Some(it.state), it.reason, it.description].into_iter().flatten().collect::<Vec<_>>().join(", ")
        })
        .collect()
    }

    pub(crate) async fn get(&self, url: &str) -> (u16, String) {
        let answer = soon("an answer", self.http.get(url).send()).await.expect("an answer");
        (answer.status().as_u16(), answer.text().await.expect("a text"))
    }
}
