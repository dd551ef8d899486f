//! The few things that the launcher itself asks of an API server.

use std::time::Duration;

use reqwest::{Certificate, Client, StatusCode};

use super::credentials::Identity;

/// The API server at one address, asked as one user.
#[derive(Debug)]
pub(crate) struct Api {
    client: Client,
    server: String,
}

impl Api {
    /// Opens nothing yet.
    pub(crate) fn new(server: &str, authority: &str, identity: &Identity) -> reqwest::Result<Self> {
        crate::use_ring();
        let pem = format!("{}{}", identity.certificate, identity.key);
        let client = Client::builder()
            .no_proxy() // Loopback is nobody else's business.
            .tls_certs_only([Certificate::from_pem(authority.as_bytes())?])
            .identity(reqwest::Identity::from_pem(pem.as_bytes())?)
            .timeout(Duration::from_secs(10))
            .build()?;
        Ok(Self { client, server: server.into() })
    }

    /// Whether a GET of `path` answers 200 now.
    pub(crate) async fn answers(&self, path: &str) -> bool {
        let answer = self.client.get(format!("{}{path}", self.server)).send().await;
        answer.is_ok_and(|answer| answer.status() == StatusCode::OK)
    }

    /// Creates a namespace whose name begins with `prefix`; the name it was given.
    pub(crate) async fn create_namespace(&self, prefix: &str) -> Result<String, NamespaceError> {
        let body = serde_json::json!({
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": { "generateName": format!("{prefix}-") },
        });
        let request = self.client.post(format!("{}/api/v1/namespaces", self.server));
        let answer = request.header("content-type", "application/json").body(body.to_string()).send().await?;
        let status = answer.status();
        let text = answer.text().await?;
        let created: serde_json::Value = serde_json::from_str(&text).unwrap_or_default();
        match (status, created["metadata"]["name"].as_str()) {
            (StatusCode::CREATED, Some(name)) => Ok(name.into()),
            _ => Err(NamespaceError::Refused { prefix: prefix.into(), status, text }),
        }
    }

    /// Has a token issued for a service account.
    pub(crate) async fn token(&self, namespace: &str, name: &str) -> Result<String, TokenError> {
        const A_DAY: u32 = 24 * 60 * 60;
        let body = serde_json::json!({
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenRequest",
            "spec": { "expirationSeconds": A_DAY },
        });
        let path = format!("/api/v1/namespaces/{namespace}/serviceaccounts/{name}/token");
        let request = self.client.post(format!("{}{path}", self.server));
        let answer = request.header("content-type", "application/json").body(body.to_string()).send().await?;
        let status = answer.status();
        let text = answer.text().await?;
        let issued: serde_json::Value = serde_json::from_str(&text).unwrap_or_default();
        match (status, issued["status"]["token"].as_str()) {
            (StatusCode::CREATED, Some(token)) => Ok(token.into()),
            _ => Err(TokenError::Refused { account: format!("{namespace}/{name}"), status, text }),
        }
    }
}

/// Why a token could not be had.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// No answer.
    #[error("the API server did not answer the request for a token: {0}")]
    Unanswered(#[from] reqwest::Error),
    /// Refused, mostly because there is no such service account.
    #[error("the API server refused a token for the service account {account} ({status}): {text}")]
    Refused {
        /// Whose.
        account: String,
        /// The answer's status.
        status: StatusCode,
        /// The answer's body.
        text: String,
    },
}

/// Why a namespace could not be made.
#[derive(Debug, thiserror::Error)]
pub enum NamespaceError {
    /// No answer. Whether it was created is not known.
    #[error("the API server did not answer the creation of a namespace: {0}")]
    Unanswered(#[from] reqwest::Error),
    /// Refused, mostly for its name.
    #[error("the API server refused a namespace `{prefix}-…` ({status}): {text}")]
    Refused {
        /// What its name was to begin with.
        prefix: String,
        /// The answer's status.
        status: StatusCode,
        /// The answer's body.
        text: String,
    },
}
