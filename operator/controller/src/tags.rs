//! The tags that say whose a group is. A group is ours only if it carries all of them.

use std::collections::BTreeMap;

use dryad_machine::name::Uid;
use dryad_machine::tenure::Member;

/// On whose behalf a group exists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    /// The installation of Dryad, so that two in one account leave each other's groups alone.
    pub installation: String,
    /// The Environment's namespace.
    pub namespace: String,
    /// The Environment's name.
    pub environment: String,
    /// The Environment's uid.
    pub uid: Uid,
}

/// The tags of a group and its launch template. Key and value fit AWS's limits, 128 and 256 characters.
pub fn of(owner: &Owner, member: &Member) -> BTreeMap<String, String> {
    [
        ("dryad.dev/installation", owner.installation.clone()),
        ("dryad.dev/namespace", owner.namespace.clone()),
        ("dryad.dev/environment", owner.environment.clone()),
        ("dryad.dev/environment-uid", owner.uid.to_string()),
        ("dryad.dev/deployment-uid", member.owner.to_string()),
        ("dryad.dev/turn", member.turn.to_string()),
        ("Name", member.name.to_string()),
    ]
    .map(|(key, value)| (key.to_owned(), value))
    .into()
}

/// The keys of `expected` that `actual` lacks or has another value for.
pub fn mismatch(actual: &BTreeMap<String, String>, expected: &BTreeMap<String, String>) -> Vec<String> {
    let differs = |(key, value): &(&String, &String)| actual.get(*key) != Some(*value) && *key != "Name";
    expected.iter().filter(differs).map(|(key, _)| key.clone()).collect()
}
