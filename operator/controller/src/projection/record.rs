//! What is written into the parameter, and whether that may be done. Pure.

use dryad_cloud::parameter::{Parameter, ParameterKind, Replacing};
use dryad_machine::deployed::Deployed;
use dryad_machine::name::{Turn, Uid};
use dryad_machine::release::Release;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::tags::Owner;

/// The deployed state of one Environment, as others read it. Its words are so short that it always fits the 4 KiB of a
/// standard parameter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Record {
    schema: Schema,
    namespace: String,
    environment: String,
    environment_uid: Uid,
    turn: Turn,
    deployment: String,
    since: Timestamp,
    #[serde(flatten)]
    release: Release,
}

/// What marks a record as one of Dryad's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Schema {
    #[serde(rename = "dryad.dev/v1alpha1")]
    V1Alpha1,
}

impl Record {
    /// The record of what is deployed.
    pub fn of(owner: &Owner, deployed: &Deployed) -> Self {
        Self {
            schema: Schema::V1Alpha1,
            namespace: owner.namespace.clone(),
            environment: owner.environment.clone(),
            environment_uid: owner.uid.clone(),
            turn: deployed.turn,
            deployment: deployed.deployment.clone(),
            since: deployed.since,
            release: deployed.shipment.release.clone(),
        }
    }

    /// The turn that brought what is deployed.
    pub fn turn(&self) -> Turn {
        self.turn
    }

    /// As the parameter's value.
    pub fn written(&self) -> String {
        // Texts, numbers and a flat list of them, which always serialise.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// What a parameter records, if it is ours at all.
    fn read(found: &Parameter) -> Result<Self, String> {
        match &found.kind {
            ParameterKind::Text => {}
            ParameterKind::Other(kind) => return Err(format!("a {kind}")),
        }
        serde_json::from_str(&found.value).map_err(|_| "not a record of Dryad's".to_owned())
    }
}

/// What is to be done about the parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing: it says what it should.
    Stands,
    /// It is to be written.
    Put(Replacing),
    /// Nothing: it is not ours to write.
    Leave(Foreign),
}

/// Why a parameter is left as it is.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Foreign {
    /// Somebody else's.
    #[error(
        "parameter {name} is {what}, and is left as it is; delete it, or name another in spec.deployedParameter"
    )]
    NotOurs {
        /// The parameter.
        name: String,
        /// What it is instead.
        what: String,
    },
    /// Ours, of a time that this Environment does not know of.
    #[error(
        "parameter {name} records turn {found} of this Environment, which is at turn {known} and must have been set \
         back; it is left as it is until a later turn, or delete it"
    )]
    Newer {
        /// The parameter.
        name: String,
        /// The turn that it records.
        found: Turn,
        /// The newest turn of the Environment.
        known: Turn,
    },
}

/// Holds what is there against what should be. `known` is the newest turn that was given out: after a rollback what is
/// deployed is of an older one than what is recorded, and rightly replaces that.
pub fn judge(name: &str, wanted: &Record, known: Turn, found: Option<&Parameter>) -> Verdict {
    let Some(found) = found else { return Verdict::Put(Replacing::Nothing) };
    let not_ours = |what: String| Verdict::Leave(Foreign::NotOurs { name: name.to_owned(), what });
    match Record::read(found) {
        Err(what) => not_ours(what),
        Ok(found) if found.environment_uid != wanted.environment_uid => not_ours(format!(
            "the record of Environment {}/{} with the uid {}",
            found.namespace, found.environment, found.environment_uid
        )),
        Ok(found) if found.turn > known => {
            Verdict::Leave(Foreign::Newer { name: name.to_owned(), found: found.turn, known })
        }
        Ok(found) if found == *wanted => Verdict::Stands,
        Ok(_) => Verdict::Put(Replacing::Anything),
    }
}

/// Whether a parameter goes with this Environment.
pub(super) fn is_of(environment: &Uid, found: &Parameter) -> bool {
    Record::read(found).is_ok_and(|record| record.environment_uid == *environment)
}

#[cfg(test)]
mod tests {
    use dryad_machine::deployed::Shipment;
    use dryad_machine::release::Overlay;
    use serde_json::{Value, json};

    use super::*;

    const NAME: &str = "/shop/web/deployed";

    fn owner() -> Owner {
        Owner {
            installation: "dryad".to_owned(),
            namespace: "shop".to_owned(),
            environment: "web".to_owned(),
            uid: Uid::new("u-1"),
        }
    }

    fn deployed(turn: i64, release: Release) -> Deployed {
        Deployed {
            shipment: Shipment { release, committed_at: None, subject: Some("Say one".to_owned()) },
            deployment: format!("web-{turn}"),
            uid: Uid::new("d-1"),
            turn: Turn::new(turn),
            since: "2026-01-01T00:00:00Z".parse().unwrap(),
        }
    }

    fn record(turn: i64) -> Record {
        let commit = Some("a".repeat(40).parse().unwrap());
        let release = Release { branch: Some("main".parse().unwrap()), commit, ..Release::default() };
        Record::of(&owner(), &deployed(turn, release))
    }

    fn text(value: impl Into<String>) -> Parameter {
        Parameter { kind: ParameterKind::Text, value: value.into() }
    }

    fn changed(turn: i64, change: Value) -> Parameter {
        let mut value = serde_json::to_value(record(turn)).unwrap();
        let Value::Object(change) = change else { panic!("an object") };
        value.as_object_mut().unwrap().extend(change);
        text(value.to_string())
    }

    #[test]
    fn others_read_what_is_deployed_by_names_that_stay() {
        let value: Value = serde_json::from_str(&record(7).written()).unwrap();
        let expected = json!({
            "schema": "dryad.dev/v1alpha1",
            "namespace": "shop",
            "environment": "web",
            "environmentUid": "u-1",
            "turn": 7,
            "deployment": "web-7",
            "since": "2026-01-01T00:00:00Z",
            "branch": "main",
            "commit": "a".repeat(40),
        });
        assert_eq!(value, expected);
    }

    #[test]
    fn only_what_is_ours_and_not_newer_than_we_know_is_overwritten() {
        let name = || NAME.to_owned();
        let foreign = |what: &str| Verdict::Leave(Foreign::NotOurs { name: name(), what: what.to_owned() });
        let other = "the record of Environment shop/web with the uid u-2";
        let secret =
            Parameter { kind: ParameterKind::Other("SecureString".to_owned()), value: record(7).written() };
        let newer = Foreign::Newer { name: name(), found: Turn::new(9), known: Turn::new(8) };
        let rows = [
            ("absent", None, Verdict::Put(Replacing::Nothing)),
            ("the same", Some(text(record(7).written())), Verdict::Stands),
            ("the same, of a newer Dryad", Some(changed(7, json!({ "more": 1 }))), Verdict::Stands),
            ("older", Some(text(record(3).written())), Verdict::Put(Replacing::Anything)),
            (
                "of our turn, changed",
                Some(changed(7, json!({ "branch": "x" }))),
                Verdict::Put(Replacing::Anything),
            ),
            (
                "of a turn that was rolled back",
                Some(text(record(8).written())),
                Verdict::Put(Replacing::Anything),
            ),
            ("newer than we know", Some(text(record(9).written())), Verdict::Leave(newer)),
            ("no JSON", Some(text("v1.2.3")), foreign("not a record of Dryad's")),
            ("other JSON", Some(text("{}")), foreign("not a record of Dryad's")),
            (
                "of another schema",
                Some(changed(3, json!({ "schema": "x" }))),
                foreign("not a record of Dryad's"),
            ),
            ("of another Environment", Some(changed(3, json!({ "environmentUid": "u-2" }))), foreign(other)),
            ("a secret", Some(secret), foreign("a SecureString")),
        ];
        for (case, found, verdict) in rows {
            assert_eq!(judge(NAME, &record(7), Turn::new(8), found.as_ref()), verdict, "{case}");
            let ours = found.as_ref().is_some_and(|found| is_of(&owner().uid, found));
            assert_eq!(
                ours,
                found.is_some() && !matches!(verdict, Verdict::Leave(Foreign::NotOurs { .. })),
                "{case}"
            );
        }
    }

    #[test]
    fn the_longest_of_everything_fits_a_standard_parameter() {
        let image = format!("ami-{}", "a".repeat(32));
        let release = Release {
            branch: Some("b".repeat(200).parse().unwrap()),
            commit: Some("c".repeat(64).parse().unwrap()),
            overlay: Some(Overlay {
                url: format!("https://example.com/{}", "o".repeat(236)).parse().unwrap(),
                sha256: "d".repeat(64).parse().unwrap(),
            }),
            image: Some(image.parse().unwrap()),
        };
        let owner = Owner {
            namespace: "n".repeat(63),
            environment: "e".repeat(52),
            uid: Uid::new("00000000-0000-0000-0000-000000000000"),
            ..owner()
        };
        let deployed = Deployed { deployment: "d".repeat(253), ..deployed(i64::MAX, release) };
        let length = Record::of(&owner, &deployed).written().len();
        assert!(length < 4096, "{length}");
    }
}
