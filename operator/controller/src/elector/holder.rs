//! Who holds a lease.

use std::fmt;
use std::hash::{BuildHasher, RandomState};

/// One process that may hold a lease. A pod that was restarted is another one: what its former self sent may
/// still be on its way.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Identity(String);

impl Identity {
    /// This process, in the pod of this name. Never the same twice.
    pub fn of_process(pod: &str) -> Self {
        let random = RandomState::new().hash_one(std::process::id());
        Self(format!("{pod}_{random:016x}"))
    }

    /// The text that stands in the Lease.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a Lease says about who holds it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Holder {
    /// Its last holder has let go of it.
    Nobody,
    /// It was laid down where none was. Whether somebody held the one before it is unknown.
    Unclaimed,
    /// This process.
    Process(Identity),
}

impl Holder {
    /// No process goes by this name: a pod's name holds no underscore, an identity does.
    const UNCLAIMED: &str = "unclaimed";

    pub(super) fn read(text: Option<&str>) -> Self {
        match text {
            None | Some("") => Self::Nobody,
            Some(Self::UNCLAIMED) => Self::Unclaimed,
            Some(other) => Self::Process(Identity(other.to_owned())),
        }
    }

    pub(super) fn write(&self) -> Option<String> {
        match self {
            Self::Nobody => None,
            Self::Unclaimed => Some(Self::UNCLAIMED.to_owned()),
            Self::Process(identity) => Some(identity.0.clone()),
        }
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nobody => f.write_str("nobody"),
            Self::Unclaimed => f.write_str("nobody yet"),
            Self::Process(identity) => identity.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_restarted_process_is_another_holder() {
        assert_ne!(Identity::of_process("dryad-0"), Identity::of_process("dryad-0"));
    }

    #[test]
    fn a_holder_reads_as_it_was_written() {
        for holder in [Holder::Nobody, Holder::Unclaimed, Holder::Process(Identity::of_process("dryad-0"))] {
            assert_eq!(Holder::read(holder.write().as_deref()), holder);
        }
        assert_eq!(Holder::read(Some("")), Holder::Nobody);
    }
}
