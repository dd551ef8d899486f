//! The parameters of Parameter Store that an Environment names: those it reads, and the one it writes.

use dryad_machine::word;

use super::EnvironmentSpec;
use super::target::Target;

word! {
    /// A parameter's name, with its path.
    ParameterName, "a parameter", max 512,
    pattern "^(/[A-Za-z0-9_.-]+)+$",
    rule "write the parameter's name with its path, such as /shop/web/image: parts of letters, digits, . - and _ \
          behind a / each"
}

/// What an Environment would have the operator do with parameters of its target's account and region. Whoever decides
/// what an Environment may name decides on these.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameters<'a> {
    /// Read when a release is resolved.
    pub read: Vec<&'a ParameterName>,
    /// Read, written and deleted.
    pub written: Vec<&'a ParameterName>,
}

impl EnvironmentSpec {
    /// Every parameter that it names.
    pub fn parameters(&self) -> Parameters<'_> {
        let Target::AutoScalingGroup(group) = &self.target;
        Parameters {
            read: group.launch_template.image_id_from_parameter.iter().collect(),
            written: self.deployed_parameter.iter().collect(),
        }
    }
}
