//! The acts, one function each.

use std::sync::Arc;
use std::time::Instant;

use dryad_crds::{Deployment, Environment};
use dryad_machine::state::State;
use dryad_stage::Stage;
use dryad_stage::deploys::{history_of, path_of, state_of};
use dryad_stage::operator::Operator;
use kube::api::{Patch, PatchParams};
use serde_json::{Value, json};

use crate::board::Board;
use crate::error::DemoError;
use crate::narrator::Narrator;
use crate::samples::{self, DEPLOYMENT, DEPLOYMENT_OF_A_BRANCH, Sample};
use crate::show::Promises;
use crate::{shop, users::Users};

/// The Environment of the samples.
pub(crate) const ENVIRONMENT: &str = "web-production";

/// What all acts share.
pub(crate) struct Scene<'a> {
    pub(crate) stage: &'a Stage,
    pub(crate) narrator: Arc<Narrator>,
    pub(crate) board: Board,
    /// None before there is something to visit.
    pub(crate) users: Users,
    pub(crate) promises: Promises,
    operator: Operator,
}

impl<'a> Scene<'a> {
    /// With an operator, and nothing deployed yet.
    pub(crate) fn set(stage: &'a Stage, narrator: Arc<Narrator>) -> Result<Self, DemoError> {
        Ok(Self {
            operator: stage.operator("dryad-0")?,
            board: Board::watch(stage.api(), Arc::clone(&narrator)),
            users: Users::default(),
            promises: Promises::Kept,
            stage,
            narrator,
        })
    }

    /// Says whether a promise was kept, and remembers it.
    pub(crate) fn promise(&mut self, kept: bool, text: &str) {
        self.narrator.promise(kept, text);
        if !kept {
            self.promises = Promises::Broken;
        }
    }

    /// The end of the operator's log, for when it did not go as it should.
    pub(crate) fn last_words(&self) -> String {
        const LINES: usize = 20;
        let log = self.operator.log();
        let lines: Vec<_> = log.lines().collect();
        format!("The operator's last words:\n{}", lines[lines.len().saturating_sub(LINES)..].join("\n"))
    }

    async fn deploy(&self, sample: Sample, number: usize) -> Result<String, DemoError> {
        let name = format!("{ENVIRONMENT}-{number}");
        self.narrator.command(&sample.command(&name));
        samples::apply_deployment(&self.stage.api(), sample, &name).await?;
        Ok(name)
    }

    async fn request(&self, name: &str, end: &str) -> Result<(), DemoError> {
        self.patch::<Deployment>("ddep", name, json!({ "request": { "end": end } })).await
    }

    /// Changes the spec of an object as `kubectl patch` does.
    async fn patch<K>(&self, kind: &str, name: &str, spec: Value) -> Result<(), DemoError>
    where
        K: kube::Resource<Scope = k8s_openapi::NamespaceResourceScope> + serde::de::DeserializeOwned,
        K: Clone + std::fmt::Debug,
        K::DynamicType: Default,
    {
        let patch = json!({ "spec": spec });
        self.narrator.command(&format!("kubectl patch {kind} {name} --type=merge -p '{patch}'"));
        self.stage.api::<K>().patch(name, &PatchParams::default(), &Patch::Merge(&patch)).await?;
        Ok(())
    }

    async fn at(&self, name: &str, state: State, step: Option<i64>) -> Result<Deployment, DemoError> {
        let there = |entry: &dryad_machine::history::Entry| entry.state == state && entry.step == step;
        self.board.until(name, |object| history_of(object).iter().any(there)).await
    }

    /// Waits for the end, which is to be this one.
    async fn ends(&mut self, name: &str, state: State, text: &str) -> Result<(), DemoError> {
        let object = self.board.until(name, |object| state_of(object).is_terminal()).await?;
        self.promise(state_of(&object) == state, text);
        Ok(())
    }
}

/// Nothing runs, and then the first release does.
pub(crate) async fn first_deploy(scene: &mut Scene<'_>) -> Result<(), DemoError> {
    scene.narrator.act(
        1,
        "The first deploy",
        &[
            "An Environment says where the shop runs and how its deploys go; a Deployment is one deploy.",
            "Nobody says which commit, so it is the tip of main. There is nothing to replace yet.",
        ],
    );
    shop::good(&scene.stage.repository, 1, "Open the shop")?;
    scene.narrator.command(&samples::environment_command());
    samples::apply_environment(&scene.stage.api::<Environment>(), &scene.stage.repository.url()).await?;
    let name = scene.deploy(DEPLOYMENT, 1).await?;
    scene.ends(&name, State::Done, "The shop is open; from here on users come, and never stop.").await?;
    scene.users.come(&scene.stage.web.url);
    Ok(())
}

/// Blue and green.
pub(crate) async fn next_release(scene: &mut Scene<'_>) -> Result<(), DemoError> {
    scene.narrator.act(
        2,
        "The next release",
        &[
            "Entirely new instances (green) come up beside those that serve (blue), and are proven without users.",
            "Then they take all the traffic in one change. Only after that blue is retired.",
        ],
    );
    shop::good(&scene.stage.repository, 2, "Sell apples, too")?;
    let name = scene.deploy(DEPLOYMENT, 2).await?;
    scene.ends(&name, State::Done, "Users went from one release to the other without a pause.").await
}

/// A release that only looks good.
pub(crate) async fn bad_release(scene: &mut Scene<'_>) -> Result<(), DemoError> {
    scene.narrator.act(
        3,
        "A bad release",
        &["It boots, and its health check is fine. But its front page answers 500."],
    );
    shop::bad(&scene.stage.repository, 3, "Tidy up the front page")?;
    let name = scene.deploy(DEPLOYMENT, 3).await?;
    scene
        .ends(&name, State::Failed, "Found out before it had any traffic, and its instances are gone.")
        .await?;
    let met = scene.users.so_far();
    let unseen = !met.answers().contains(&shop::front_page(3).as_str()) && met.failures.is_empty();
    scene.promise(unseen, "No user ever saw it.");
    Ok(())
}

/// Somebody changes their mind when green has the traffic already.
pub(crate) async fn abort_half_way(scene: &mut Scene<'_>) -> Result<(), DemoError> {
    scene.narrator.act(
        4,
        "A change of mind, half way",
        &["A branch this time. It has the traffic already when somebody asks for the end of it."],
    );
    shop::mended_on("summer-sale", &scene.stage.repository, 4, "Everything must go")?;
    let name = scene.deploy(DEPLOYMENT_OF_A_BRANCH, 4).await?;
    scene.at(&name, State::EvaluateWait, Some(2)).await?;
    scene.request(&name, "Abort").await?;
    scene.ends(&name, State::Aborted, "Users are back where they were, and green is gone.").await
}

/// The operator dies, and another one carries on.
pub(crate) async fn operator_killed(scene: &mut Scene<'_>) -> Result<(), DemoError> {
    scene.narrator.act(
        5,
        "The operator dies in the middle of it",
        &["Everything that it knows is in the history, so another one carries on where it was."],
    );
    shop::mended(&scene.stage.repository, 5, "Mend the front page")?;
    let name = scene.deploy(DEPLOYMENT, 5).await?;
    scene.at(&name, State::EvaluateWait, Some(1)).await?;
    scene.narrator.command("kill -9 <the operator>");
    let next = scene.stage.operator("dryad-1")?;
    std::mem::replace(&mut scene.operator, next).kill()?;
    let undisturbed = scene.board.until(&format!("{ENVIRONMENT}-2"), |_| true).await?;
    let object = scene.board.until(&name, |object| state_of(object).is_terminal()).await?;
    scene.promise(
        path_of(&object) == path_of(&undisturbed),
        "It went the whole way as if nothing had happened.",
    );
    Ok(())
}

/// A rollback while blue is still there.
pub(crate) async fn instant_return(scene: &mut Scene<'_>) -> Result<(), DemoError> {
    scene.narrator.act(
        6,
        "An instant return",
        &["Blue is kept for a while after the change: now for longer, to find out what nobody has tested."],
    );
    scene.patch::<Environment>("denv", ENVIRONMENT, json!({ "retain": { "previous": "5m" } })).await?;
    shop::good(&scene.stage.repository, 6, "Sell pears only")?;
    let name = scene.deploy(DEPLOYMENT, 6).await?;
    scene.at(&name, State::RetainWait, None).await?;
    let asked = Instant::now();
    scene.request(&name, "Rollback").await?;
    scene.ends(&name, State::Aborted, "Blue was still there, and took the traffic back.").await?;
    let met = scene.users.so_far();
    let latest = met.spans.iter().filter(|span| span.answer == shop::front_page(6)).map(|span| span.to).max();
    let took = latest.map(|latest| latest.saturating_duration_since(asked)).unwrap_or_default();
    scene.narrator.say(&format!("The last user left it {:.1} s after it was asked for.", took.as_secs_f32()));
    Ok(())
}
