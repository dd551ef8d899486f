//! A client that says just what a test wants said.

use std::sync::Arc;
use std::time::Duration;

use dryad_local_cloud::model::Settings;
use dryad_local_cloud::shared::Shared;
use dryad_local_cloud::wire::Door;
use serde_json::Value;

/// A cloud with its door open.
pub(crate) struct Cloud {
    pub(crate) shared: Arc<Shared>,
    pub(crate) door: Door,
    http: reqwest::Client,
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) content_type: String,
    pub(crate) body: String,
}

impl Cloud {
    pub(crate) async fn open() -> Self {
        let shared = Shared::new(1, Settings::default());
        let door = Door::open(Arc::clone(&shared), 0).await.expect("a free port");
        // reqwest wants a TLS provider even for plain HTTP; a second installation is refused, and just as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder().timeout(Duration::from_secs(20)).build().expect("a client");
        Self { shared, door, http }
    }

    /// A request as an SDK signs it.
    fn signed(&self, service: &str, access_key: &str) -> reqwest::RequestBuilder {
        let credential = format!("{access_key}/20260101/us-east-1/{service}/aws4_request");
        let authorization =
            format!("AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders=host, Signature=00");
        self.http.post(self.door.endpoint()).header("authorization", authorization)
    }

    pub(crate) async fn try_query(&self, service: &str, body: &str) -> Result<Answer, reqwest::Error> {
        read(self.signed(service, "123456789012").body(body.to_owned())).await
    }

    pub(crate) async fn query(&self, service: &str, body: &str) -> Answer {
        self.try_query(service, body).await.expect("an answer")
    }

    pub(crate) async fn query_as(&self, access_key: &str, service: &str, body: &str) -> Answer {
        read(self.signed(service, access_key).body(body.to_owned())).await.expect("an answer")
    }

    pub(crate) async fn try_json(&self, action: &str, body: &str) -> Result<Answer, reqwest::Error> {
        let request =
            self.signed("ssm", "123456789012").header("x-amz-target", format!("AmazonSSM.{action}"));
        read(request.body(body.to_owned())).await
    }

    pub(crate) async fn json(&self, action: &str, body: &str) -> Answer {
        self.try_json(action, body).await.expect("an answer")
    }

    pub(crate) async fn unsigned(&self, body: &str) -> Answer {
        read(self.http.post(self.door.endpoint()).body(body.to_owned())).await.expect("an answer")
    }

    pub(crate) async fn control(&self, method: reqwest::Method, path: &str, body: Value) -> (u16, Value) {
        let url = format!("{}/_control{path}", self.door.endpoint());
        let mut request = self.http.request(method, url);
        if !body.is_null() {
            request = request.header("content-type", "application/json").body(body.to_string());
        }
        let answer = read(request).await.expect("an answer");
        (answer.status, serde_json::from_str(&answer.body).unwrap_or_default())
    }
}

async fn read(request: reqwest::RequestBuilder) -> Result<Answer, reqwest::Error> {
    let response = request.send().await?;
    let content_type = response.headers().get("content-type").and_then(|value| value.to_str().ok());
    Ok(Answer {
        status: response.status().as_u16(),
        content_type: content_type.unwrap_or_default().to_owned(),
        body: response.text().await?,
    })
}

impl Answer {
    /// Whether the body holds that text.
    #[track_caller]
    pub(crate) fn holds(&self, text: &str) {
        assert!(self.body.contains(text), "{text:?} wanted in {self:?}");
    }
}
