//! What an Environment may name, and what is looked at where it names more than that.
//!
//! Nothing that is merely written down is looked at. But groups that were launched once must go, and users must not
//! lose capacity over it: so as long as the spec is not permitted, the coordinates of the newest deploy stand in for
//! it, which were when they were frozen.

use dryad_cloud::Cloud;
use dryad_crds::deployment::status::Template;
use dryad_machine::view::Deletion;

use super::Tick;
use crate::configuration::{self, Refusal};

/// What the Environment lacks, in a sentence; none if it lacks nothing.
pub(super) fn refusal<C: Cloud>(tick: &Tick<'_, C>) -> Option<String> {
    let configuration = tick.operator.configuration.now();
    let spec = Template::of(&tick.object.spec);
    let refused = configuration::permits(&configuration, &tick.namespace(), &spec);
    let unreachable = configuration::unreachable(&configuration, &tick.environment.tenure.groups);
    let mut all: Vec<Refusal> = refused.err().unwrap_or_default();
    let parameter = configuration::withheld(&configuration, &tick.namespace(), &tick.object.spec);
    let further = parameter.into_iter().chain(unreachable);
    for refusal in further {
        if !all.contains(&refusal) {
            all.push(refusal);
        }
    }
    (!all.is_empty()).then(|| configuration::sentence(&all))
}

/// What is looked at; none where nobody may say.
pub(super) fn template<C: Cloud>(tick: &Tick<'_, C>) -> Option<Template> {
    let spec = Template::of(&tick.object.spec);
    if tick.operator.refusal(&tick.namespace(), &spec).is_none() {
        return Some(spec);
    }
    let frozen = tick.deployments.iter().filter_map(|deployment| {
        let status = deployment.status.as_ref()?;
        Some((status.turn?, status.template.as_ref()?))
    });
    let newest = frozen.max_by_key(|(turn, _)| *turn).map(|(_, template)| template.clone());
    match tick.environment.deletion {
        // Every group goes, whoever's traffic it carries: then the ledger says all there is to know.
        Deletion::Delete => newest.or(Some(Template { traffic: None, ..spec })),
        Deletion::None | Deletion::Retain => newest,
    }
}
