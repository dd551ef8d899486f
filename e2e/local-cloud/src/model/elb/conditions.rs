//! What a rule asks of a request: host, path, headers, methods.
//!
//! <https://docs.aws.amazon.com/elasticloadbalancing/latest/application/rule-condition-types.html>

use serde::{Deserialize, Serialize};

use crate::model::error::ApiError;
use crate::model::glob::Glob;

/// One condition; all of a rule's must hold. It is kept and told as it was given.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "PascalCase")]
pub struct Condition {
    /// `host-header`, `path-pattern`, `http-header`, `http-request-method`.
    pub field: String,
    /// The short form of hosts and paths.
    pub values: Vec<String>,
    /// Hosts, any of them.
    pub host_header_config: Option<Values>,
    /// Paths, any of them.
    pub path_pattern_config: Option<Values>,
    /// A header and what it may be.
    pub http_header_config: Option<HeaderValues>,
    /// Methods, any of them.
    pub http_request_method_config: Option<Values>,
}

/// What something may be.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "PascalCase")]
pub struct Values {
    /// Any of these; `*` and `?` are wild.
    pub values: Vec<String>,
}

/// What a header may be.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "PascalCase")]
pub struct HeaderValues {
    /// Its name, in any case.
    pub http_header_name: String,
    /// Any of these; `*` and `?` are wild.
    pub values: Vec<String>,
}

impl Condition {
    /// Refuses a condition that asks nothing, or something unknown.
    pub(crate) fn check(&self) -> Result<(), ApiError> {
        if !matches!(
            self.field.as_str(),
            "host-header" | "path-pattern" | "http-header" | "http-request-method"
        ) {
            return Err(ApiError::invalid(format!(
                "Condition field '{}' must be one of '[http-header, path-pattern, http-request-method, host-header]'",
                self.field
            )));
        }
        if self.wanted().is_empty() {
            return Err(ApiError::invalid(format!(
                "A condition value must be specified for field '{}'",
                self.field
            )));
        }
        if self.field == "http-header" && self.http_header_config.is_none() {
            return Err(ApiError::invalid("A condition on a header must name it"));
        }
        Ok(())
    }

    fn wanted(&self) -> Vec<&String> {
        let configs = [&self.host_header_config, &self.path_pattern_config, &self.http_request_method_config];
        let lists = configs.into_iter().flatten().map(|config| &config.values);
        lists
            .chain(self.http_header_config.iter().map(|config| &config.values))
            .chain([&self.values])
            .flatten()
            .collect()
    }

    /// Whether a request fits. `header` gives the value of a header by its name.
    pub fn holds<'a>(
        &self,
        method: &str,
        host: &str,
        path: &str,
        header: impl Fn(&str) -> Option<&'a str>,
    ) -> bool {
        let lower = |text: &str| text.to_ascii_lowercase();
        let any = |text: &str| self.wanted().iter().any(|wanted| Glob::from(wanted.as_str()).matches(text));
        match self.field.as_str() {
            "path-pattern" => any(path),
            "http-request-method" => any(method),
            // Host names know no case, and a port is not part of them.
            "host-header" => {
                let host = lower(host.split(':').next().unwrap_or_default());
                self.wanted().iter().any(|wanted| Glob::from(lower(wanted).as_str()).matches(&host))
            }
            _ => self
                .http_header_config
                .as_ref()
                .and_then(|config| header(&config.http_header_name))
                .is_some_and(any),
        }
    }
}
