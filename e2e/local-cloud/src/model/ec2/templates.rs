//! Launch templates as the model holds them.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::template_data::TemplateData;

/// A launch template and its versions.
#[derive(Debug, Clone)]
pub struct Template {
    /// `lt-…`.
    pub id: String,
    /// Its name, unique in the region.
    pub name: String,
    /// When it was created.
    pub created: Timestamp,
    /// Who created it.
    pub created_by: String,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
    /// The version `$Default` stands for.
    pub default_version: u64,
    /// Its versions by number, never empty.
    pub versions: BTreeMap<u64, Version>,
    /// The token it was created with, if any: creating with it again is creating once.
    pub(crate) client_token: Option<String>,
}

/// One version of a launch template. It never changes.
#[derive(Debug, Clone)]
pub struct Version {
    /// From 1 on.
    pub number: u64,
    /// What its author said about it.
    pub description: Option<String>,
    /// When it was created.
    pub created: Timestamp,
    /// Who created it.
    pub created_by: String,
    /// What it says.
    pub data: TemplateData,
    /// The token it was created with, if any.
    pub(crate) client_token: Option<String>,
}

impl Template {
    /// The number of the newest version.
    pub fn latest_version(&self) -> u64 {
        self.versions.keys().next_back().copied().unwrap_or_default()
    }

    /// The version that `$Latest`, `$Default` or a number stands for now.
    pub fn version(&self, which: &str) -> Option<&Version> {
        let number = match which {
            "$Latest" => self.latest_version(),
            "$Default" => self.default_version,
            number => number.parse().ok()?,
        };
        self.versions.get(&number)
    }
}
