//! What a data plane needs to know: which instances are wanted, and where requests go; and what there is at all.

mod instances;
mod inventory;
mod routing;

pub use instances::{InstancePhase, WantedInstance};
pub use inventory::Inventory;
pub use routing::{Route, RoutedListener, RoutedTarget, RoutedTargetGroup, Routing};
