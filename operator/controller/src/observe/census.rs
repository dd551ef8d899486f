//! One count of everything of this installation in a place, shared by all Environments that look for their past at
//! about the same time.
//!
//! A process that starts has to ask for every Environment there is, and one question answers them all. A count is good
//! for the Environments that were known when it was made: whoever is seen only later may have lost groups to somebody
//! since, and has a new count made. So has who looked while something could still land.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use dryad_cloud::{Cloud, CloudError};
use dryad_crds::Environment;
use dryad_machine::adopt::Claim;
use dryad_machine::name::{GroupName, Place, Uid};
use kube::runtime::reflector::Store;

use crate::objects::caches::Caches;
use crate::objects::guarded::Guarded;
use crate::objects::view;
use crate::tags::{self, Owner};

/// The counts of all places.
#[derive(Debug, Default)]
pub struct Census(Mutex<HashMap<Place, Arc<tokio::sync::Mutex<Option<Count>>>>>);

#[derive(Debug)]
struct Count {
    good_for: HashSet<Uid>,
    claims: Vec<(GroupName, Claim)>,
}

impl Census {
    /// What the groups in this place that bear the namespace and name of an Environment say of themselves.
    ///
    /// # Errors
    /// When the cloud can't be read.
    pub async fn claims<C: Cloud>(
        &self,
        cloud: &C,
        caches: &Caches,
        place: &Place,
        owner: &Owner,
    ) -> Result<Vec<(GroupName, Claim)>, CloudError> {
        let counted = {
            let mut places = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            places.entry(place.clone()).or_default().clone()
        };
        // Whoever comes while it is being made waits for it.
        let mut counted = counted.lock().await;
        if !counted.as_ref().is_some_and(|count| count.good_for.contains(&owner.uid)) {
            *counted = Some(count(cloud, uids(&caches.environments), place, &owner.installation).await?);
        }
        let claims = counted.iter().flat_map(|count| &count.claims);
        let concerns =
            |claim: &Claim| claim.namespace == owner.namespace && claim.environment == owner.environment;
        Ok(claims.filter(|(_, claim)| concerns(claim)).cloned().collect())
    }

    /// What was counted so far is not enough for this Environment any more.
    pub async fn ask_again(&self, environment: &Uid) {
        let places: Vec<_> = {
            let places = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            places.values().cloned().collect()
        };
        for counted in places {
            if let Some(count) = &mut *counted.lock().await {
                count.good_for.remove(environment);
            }
        }
    }
}

async fn count<C: Cloud>(
    cloud: &C,
    good_for: HashSet<Uid>,
    place: &Place,
    installation: &str,
) -> Result<Count, CloudError> {
    let found = cloud.tagged_groups(place, &tags::of_installation(installation)).await?;
    let claims = found.into_iter().filter_map(|found| {
        let claim = tags::claim(installation, &found.group.name, &found.group.tags)?;
        Some((found.group.name, claim))
    });
    Ok(Count { good_for, claims: claims.collect() })
}

fn uids(environments: &Store<Guarded<Environment>>) -> HashSet<Uid> {
    environments.state().iter().map(|environment| view::uid(&**environment)).collect()
}
