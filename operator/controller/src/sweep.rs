//! The sweeper: a slow round over everything that carries this installation's tag.
//!
//! What no ledger knows is judged by [`dryad_machine::sweep`]. What is to go is written into the ledger of its
//! Environment, given up, after two rounds have come to the same: from there the Environment's own loop takes it down,
//! behind the same fence and as carefully as any other group. The rest is reported: in the log, in a metric, and where
//! there is an Environment, in its condition `Leftovers`.
//!
//! The cloud is listed first and the ledgers are read from the quorum afterwards, so that whatever was announced and
//! created in between is in a ledger.

mod report;
mod sight;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use dryad_cloud::Cloud;
use dryad_crds::deployment::status::Template;
use dryad_crds::environment::traffic::Traffic;
use dryad_crds::{Deployment, Environment};
use dryad_machine::name::{GroupName, Place};
use dryad_machine::sweep::{self, Find, Judgement, Keeper, Ledger, Why};
use dryad_machine::tenure::{Member, Tenure};
use dryad_machine::view::Past;
use jiff::SignedDuration;
use kube::api::ListParams;
use kube::{Api, ResourceExt};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::objects::guarded::Guarded;
use crate::objects::{record, view};
use crate::observe::announced::Announcements;
use crate::process::loops::{PAGE, Scope};
use crate::process::operator::{Operator, TickError};

pub use report::Leftovers;
use report::Unseen;
use sight::Found;

/// What was to be deleted in the round before.
type Suspects = BTreeSet<(Place, GroupName)>;

/// Goes round until `stop`, once every `interval`.
pub(crate) async fn run<C: Cloud>(
    operator: Arc<Operator<C>>,
    scope: Scope,
    interval: Duration,
    stop: CancellationToken,
) {
    let mut suspects = Suspects::new();
    while stop.run_until_cancelled(tokio::time::sleep(interval)).await.is_some() {
        if !operator.may_act() {
            suspects.clear();
            continue;
        }
        match stop.run_until_cancelled(round(&operator, &scope, &suspects)).await {
            Some(Ok(next)) => suspects = next,
            Some(Err(error)) => warn!(%error, "a round of the sweeper ended early"),
            None => break,
        }
    }
}

/// One round: the new suspects.
async fn round<C: Cloud>(
    operator: &Operator<C>,
    scope: &Scope,
    before: &Suspects,
) -> Result<Suspects, TickError> {
    let known = operator.caches.environments.state();
    let readable = known.iter().filter_map(|guard| guard.0.as_ref().ok());
    let places: BTreeSet<_> = readable.flat_map(|environment| places_of(operator, environment)).collect();
    let (mut found, mut unseen) = (Vec::new(), Unseen::default());
    for place in places {
        match sight::list(&*operator.cloud, &place, &operator.installation).await {
            Ok(listed) => found.extend(listed),
            Err(error) => {
                warn!(%place, %error, "what is left behind here can't be looked for");
                unseen.places.insert(place);
            }
        }
    }
    let environments = stored(&scope.api(&operator.client)).await?;
    let (settled, now) = (SignedDuration::try_from(operator.uncertainty), operator.clock.now().wall);
    let settled = settled.unwrap_or(SignedDuration::MAX);
    let (mut suspects, mut doomed, mut left) = (Suspects::new(), BTreeMap::new(), Vec::new());
    for found in found.iter().filter(|found| is_ours_to_judge(found, scope)) {
        let keeper = environments.iter().map(|it| &**it).find(|environment| found.is_of(environment));
        let uid = keeper.map(view::uid);
        // What it names can't be asked who gets requests.
        if keeper.is_some_and(|environment| !is_permitted(operator, environment)) {
            unseen.environments.extend(uid);
            continue;
        }
        let ledger =
            if environments.iter().any(|it| has(it, &found.name)) { Ledger::Has } else { Ledger::Lacks };
        let deployments = keeper.map(|it| deployments_of(operator, it)).unwrap_or_default();
        let announcements = keeper.map(|keeper| announcements(keeper, &deployments));
        let use_ = match found.use_(&*operator.cloud, announcements.as_ref(), ledger).await {
            Ok(use_) => use_,
            Err(error) => {
                let (name, place) = (&found.name, &found.place);
                warn!(%name, %place, %error, "whether requests reach what may be left behind can't be told");
                unseen.environments.extend(uid);
                continue;
            }
        };
        let find = Find { claim: found.claim.as_ref(), ledger, created: found.created, use_ };
        let none = Tenure::default();
        let keeper_view = keeper.zip(uid.as_ref()).map(|(environment, uid)| {
            let tenure = environment.status.as_ref().map_or(&none, |status| &status.tenure);
            Keeper { uid, tenure, past: operator.pasts.of_newer(uid, tenure.turn, operator.clock.mono()) }
        });
        match (sweep::judge(find, keeper_view, settled, now), keeper, &found.claim) {
            (Judgement::Delete, Some(environment), Some(claim)) => {
                let key = (found.place.clone(), found.name.clone());
                if before.contains(&key) {
                    let line = sweep::doomed(
                        &found.name,
                        &found.place,
                        announcements.as_ref().and_then(|it| found.access(it)),
                        claim,
                        &view::uid(environment),
                    );
                    let entry: &mut (&Environment, Vec<Member>) =
                        doomed.entry(view::uid(environment)).or_insert((environment, Vec::new()));
                    entry.1.push(line);
                }
                suspects.insert(key);
            }
            (Judgement::Report(why), keeper, _) => left.push((found, why, keeper)),
            (Judgement::Fine | Judgement::Wait | Judgement::Delete, _, _) => {}
        }
    }
    report(operator, &environments, &left, &unseen);
    for (environment, members) in doomed.into_values() {
        doom(operator, environment, &members).await?;
    }
    Ok(suspects)
}

/// The Environments as the quorum has them, which a list without a resourceVersion says; all as of its first page.
async fn stored(api: &Api<Guarded<Environment>>) -> Result<Vec<Arc<Environment>>, kube::Error> {
    let (mut all, mut page) = (Vec::new(), ListParams::default().limit(PAGE));
    loop {
        let list = api.list(&page).await?;
        let next = list.metadata.continue_.filter(|next| !next.is_empty());
        all.extend(list.items.into_iter().filter_map(|guard| guard.0.ok()));
        let Some(next) = next else { return Ok(all) };
        page = page.continue_token(&next);
    }
}

/// Whether a find belongs to the namespace that this process looks after; of what is not fully tagged, nobody can tell.
fn is_ours_to_judge(found: &Found, scope: &Scope) -> bool {
    match (scope, &found.claim) {
        (Scope::Cluster, _) | (Scope::Namespace(_), None) => true,
        (Scope::Namespace(namespace), Some(claim)) => claim.namespace == *namespace,
    }
}

fn deployments_of<C>(operator: &Operator<C>, environment: &Environment) -> Vec<Arc<Deployment>> {
    let namespace = environment.namespace().unwrap_or_default();
    operator.caches.deployments_of(&namespace, &environment.name_any())
}

fn announcements<'a>(environment: &'a Environment, deployments: &'a [Arc<Deployment>]) -> Announcements<'a> {
    let ledger = environment.status.as_ref().map_or(&[][..], |status| &status.tenure.groups);
    Announcements { named: Traffic::access(environment.spec.traffic.as_ref()), ledger, deployments }
}

/// By name alone, which is given to one group only: an account that the configuration has under two names shows it in two
/// places.
fn has(environment: &Environment, found: &GroupName) -> bool {
    environment.status.as_ref().is_some_and(|status| status.tenure.member(found).is_some())
}

/// Everywhere that groups of this Environment may be. Where it may not name what it names, nobody looks.
fn places_of<C: Cloud>(operator: &Operator<C>, environment: &Environment) -> Vec<Place> {
    let groups = environment.status.iter().flat_map(|status| &status.tenure.groups);
    let named = is_permitted(operator, environment).then(|| environment.spec.target.place());
    groups.map(|member| member.place.clone()).chain(named).collect()
}

fn is_permitted<C: Cloud>(operator: &Operator<C>, environment: &Environment) -> bool {
    let namespace = environment.namespace().unwrap_or_default();
    operator.refusal(&namespace, &Template::of(&environment.spec)).is_none()
}

/// Writes what is to go into the ledger of its Environment.
async fn doom<C: Cloud>(
    operator: &Operator<C>,
    environment: &Environment,
    members: &[Member],
) -> Result<(), TickError> {
    if !operator.may_act() {
        return Ok(());
    }
    let api = operator.environments_api(&environment.namespace().unwrap_or_default());
    let tenure = environment.status.as_ref().map(|status| status.tenure.clone()).unwrap_or_default();
    if operator.pasts.of_newer(&view::uid(environment), tenure.turn, operator.clock.mono()) == Past::Unknown {
        return Ok(());
    }
    let names: Vec<_> = members.iter().map(|member| member.name.to_string()).collect();
    info!(environment = environment.name_any(), groups = ?names, "left behind, to be deleted");
    record::tenure(&api, environment, &tenure.sweep(members), None).await?;
    Ok(())
}

/// Reports what stays: every Environment that has some, or had some, is told, unless something of it was not seen.
fn report<C: Cloud>(
    operator: &Operator<C>,
    environments: &[Arc<Environment>],
    left: &[(&Found, Why, Option<&Environment>)],
    unseen: &Unseen,
) {
    for why in Why::ALL {
        operator.metrics.leftovers(why, left.iter().filter(|(_, each, _)| *each == why).count());
    }
    for (found, why, _) in left.iter().filter(|(_, _, keeper)| keeper.is_none()) {
        warn!(name = %found.name, place = %found.place, %why, "left behind, and left alone");
    }
    let told = environments.iter().map(|it| &**it);
    for environment in told.filter(|it| !unseen.concerns(&view::uid(*it), &places_of(operator, it))) {
        let own = left.iter().filter(|(_, _, keeper)| keeper.is_some_and(|it| std::ptr::eq(it, environment)));
        let words = own.map(|(found, why, _)| format!("{} in {}: {why}", found.name, found.place));
        let words = words.collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>().join("; ");
        if operator.leftovers.found(environment, &words) && !words.is_empty() {
            warn!(environment = environment.name_any(), words, "left behind, and left alone");
        }
    }
}
