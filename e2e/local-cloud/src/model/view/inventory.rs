//! What there is: for whoever wants to know that nothing was left behind.

use serde::Serialize;

use crate::model::ec2::InstanceState;
use crate::model::world::World;

/// What callers made and has not gone yet, of every place, by name or id. Load balancers and target groups belong to
/// the stage, not to a deploy, and are not in it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Inventory {
    /// Auto Scaling groups, those being deleted among them.
    pub groups: Vec<String>,
    /// Instances that are not terminated yet.
    pub instances: Vec<String>,
    /// Launch templates.
    pub templates: Vec<String>,
    /// Parameters of Parameter Store.
    pub parameters: Vec<String>,
}

impl World {
    /// What there is now.
    pub fn inventory(&self) -> Inventory {
        let mut inventory = Inventory::default();
        for region in self.regions() {
            inventory.groups.extend(region.autoscaling.groups.keys().cloned());
            let instances = region.ec2.instances.values();
            let up = instances.filter(|instance| instance.state != InstanceState::Terminated);
            inventory.instances.extend(up.map(|instance| instance.id.clone()));
            inventory.templates.extend(region.ec2.templates.values().map(|template| template.name.clone()));
            inventory.parameters.extend(region.ssm.parameters.keys().cloned());
        }
        inventory
    }
}
