//! Finding out which exact release a Deployment means and what it will be launched from, in `Resolve`.

use dryad_cloud::{Cloud, CloudError};
use dryad_crds::deployment::Mode;
use dryad_crds::deployment::status::Launch;
use dryad_crds::environment::EnvironmentSpec;
use dryad_crds::environment::source::Source as SourceSpec;
use dryad_crds::environment::traffic::Traffic;
use dryad_machine::deployed::Shipment;
use dryad_machine::release::{Release, ReleaseRequest};
use dryad_machine::state::State;
use dryad_machine::view::Resolution;
use k8s_openapi::api::core::v1::Secret;
use kube::Api;

use super::Tick;
use super::settled::settle;
use crate::claim::owned;
use crate::green::launch::{self, Obstacle};
use crate::process::denials::Ask;
use crate::process::desk::Desk;
use crate::release::git::BasicAuth;
use crate::release::{Answer, Asked, NOTHING_RECORDED, Past, Retry, Source, decide};

/// The release, as far as it is known, once what its launch needs is settled too. Git is asked until it has answered
/// once, the cloud until it has answered for good, and again when the Environment is edited before that is recorded.
pub(super) async fn resolve<C: Cloud>(tick: &Tick<'_, C>, desk: &mut Desk) -> Resolution {
    if tick.state() != State::Resolve {
        (desk.resolved, desk.settled) = (None, None);
        return Resolution::Unknown(None);
    }
    // In every tick: what is frozen is the Environment's template as it is now, by what may be named now.
    if let Some(why) = tick.refusal() {
        return Resolution::NotPermitted(why);
    }
    let resolution = match &desk.resolved {
        Some(resolved) => resolved.clone(),
        None => ask(tick).await,
    };
    if !matches!(resolution, Resolution::Unknown(_)) {
        desk.resolved = Some(resolution.clone());
    }
    match (resolution, &tick.environment) {
        (Resolution::Resolved(shipment), Some(environment)) => {
            let asked = look(tick, &environment.spec, &shipment.release);
            match settle(&mut desk.settled, &environment.spec, asked).await {
                Ok(()) => Resolution::Resolved(shipment),
                Err(Obstacle::Passing(why)) => Resolution::Unknown(Some(why)),
                Err(Obstacle::Lasting(why)) => Resolution::Rejected(why),
            }
        }
        (resolution, _) => resolution,
    }
}

/// Asks the cloud what is declared for the launch of a release comes to, and whose that is which its traffic goes through.
async fn look<C: Cloud>(
    tick: &Tick<'_, C>,
    environment: &EnvironmentSpec,
    release: &Release,
) -> Result<Launch, Obstacle> {
    let (target, access) = (&environment.target, Traffic::access(environment.traffic.as_ref()));
    let hear = |ask: Ask, answer: Result<(), &CloudError>| {
        if let Some(view) = &tick.environment_view {
            tick.operator.denials.answered(&view.revision.uid, ask, answer);
        }
    };
    let launch = launch::look(&*tick.operator.cloud, target, release, hear).await?;
    let of_owner = |answer: Result<(), &CloudError>| hear(Ask::Owner, answer);
    owned::look(&*tick.operator.cloud, &target.place(), &access, of_owner).await?;
    Ok(launch)
}

async fn ask<C: Cloud>(tick: &Tick<'_, C>) -> Resolution {
    let Some(environment) = &tick.environment else { return Resolution::Unknown(None) };
    let asked = match asked(tick) {
        Ok(asked) => asked,
        Err(why) => return Resolution::Rejected(why),
    };
    let tenure = environment.status.as_ref().map(|status| &status.tenure);
    let deployed = tenure.and_then(|tenure| tenure.deployed.as_ref()).map(|deployed| &deployed.shipment);
    let history = shipments(tick);
    let spec = environment.spec.source.as_ref();
    let source = spec
        .map(|source| Source { repository: source.repository.clone(), branch: Some(source.branch.clone()) });
    let question = match decide(&asked, Past { deployed, history: &history }, source.as_ref()) {
        Ok(Answer::Exact(shipment)) => return Resolution::Resolved(Box::new(shipment)),
        Ok(Answer::NothingRecorded) => return Resolution::Unknown(Some(NOTHING_RECORDED.to_owned())),
        Ok(Answer::AskGit(question)) => question,
        Err(error) => return Resolution::Rejected(error.to_string()),
    };
    let credentials = match credentials(tick, spec).await {
        Ok(credentials) => credentials,
        Err(why) => return Resolution::Unknown(Some(why)),
    };
    match tick.operator.git.answer(question, credentials.as_ref()).await {
        Ok(shipment) => Resolution::Resolved(Box::new(shipment)),
        Err(error) => match error.retry() {
            Retry::UntilDeadline => Resolution::Unknown(Some(error.to_string())),
            Retry::Never => Resolution::Rejected(error.to_string()),
        },
    }
}

/// What is asked for: what was written, what is recorded, or what another Deployment shipped.
fn asked<C: Cloud>(tick: &Tick<'_, C>) -> Result<Asked, String> {
    let spec = &tick.object.spec;
    match spec.mode {
        Mode::Auto => return Ok(Asked::Auto),
        Mode::Manual => {}
    }
    let Some(from) = &spec.from else {
        return Ok(Asked::Manual(spec.release.clone().unwrap_or_default()));
    };
    let environment = spec.environment.as_str();
    let siblings = tick.operator.caches.deployments_of(&tick.namespace(), environment);
    let source = siblings.iter().find(|sibling| sibling.metadata.name.as_deref() == Some(from.as_str()));
    let source = source.ok_or_else(|| {
        format!(
            "spec.from names Deployment {from}, but {environment} has none of that name; name another one"
        )
    })?;
    let plan = source.status.as_ref().and_then(|status| status.plan.as_ref()).ok_or_else(|| {
        format!("Deployment {from}, which spec.from names, never got as far as a release; name another one")
    })?;
    Ok(Asked::Manual(ReleaseRequest::from(plan.shipment.release.clone())))
}

/// What this Environment's Deployments shipped, the newest first.
fn shipments<C: Cloud>(tick: &Tick<'_, C>) -> Vec<Shipment> {
    let siblings =
        tick.operator.caches.deployments_of(&tick.namespace(), tick.object.spec.environment.as_str());
    let mut plans: Vec<_> = siblings
        .iter()
        .filter_map(|sibling| {
            let status = sibling.status.as_ref()?;
            Some((status.turn?, status.plan.as_ref()?.shipment.clone()))
        })
        .collect();
    plans.sort_by_key(|(turn, _)| std::cmp::Reverse(*turn));
    plans.into_iter().map(|(_, shipment)| shipment).collect()
}

/// The user and password for the repository, where the Environment names a Secret for them.
async fn credentials<C: Cloud>(
    tick: &Tick<'_, C>,
    source: Option<&SourceSpec>,
) -> Result<Option<BasicAuth>, String> {
    let Some(name) = source.and_then(|source| source.secret_name.as_ref()) else { return Ok(None) };
    let secrets: Api<Secret> = Api::namespaced(tick.operator.client.clone(), &tick.namespace());
    let secret = secrets
        .get_opt(name.as_str())
        .await
        .map_err(|error| format!("Secret {name} can't be read: {error}"))?;
    let secret = secret.ok_or_else(|| {
        format!("Secret {name}, which source.secretName names, does not exist in this namespace; create it")
    })?;
    BasicAuth::from_secret(&secret.data.unwrap_or_default()).map(Some).map_err(|error| error.to_string())
}
