//! What a data plane needs to know: which instances are wanted, and where requests go.

mod instances;
mod routing;

pub use instances::{InstancePhase, WantedInstance};
pub use routing::{Route, RoutedListener, RoutedTarget, RoutedTargetGroup, Routing};
