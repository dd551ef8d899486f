//! What the API server itself promises about our objects.

mod full_size;
mod refused;
#[path = "../../../../../crds/tests/table/mod.rs"]
mod table;

use dryad_cluster::Cluster;
use http::{Method, Request};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use serde_json::Value;

/// An API server that knows our kinds, and a namespace of one's own.
struct Server {
    client: Client,
    namespace: String,
}

/// Which part of an object is written.
#[derive(Clone, Copy)]
enum Part {
    /// All but its status.
    Main,
    /// Its status alone.
    Status,
}

/// Whether a write is to stay.
#[derive(Clone, Copy)]
enum Stay {
    Yes,
    /// It is validated, and forgotten.
    No,
}

impl Server {
    async fn start(prefix: &str) -> Self {
        let cluster = Cluster::shared().await.expect("a cluster");
        let kubeconfig = Kubeconfig::from_yaml(cluster.kubeconfig().yaml()).expect("a kubeconfig");
        let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await;
        let client = Client::try_from(config.expect("a kubeconfig")).expect("a client");
        dryad_stage::install_crds(&client).await.expect("the CRDs");
        Self { client, namespace: cluster.namespace(prefix).await.expect("a namespace") }
    }

    async fn create(&self, object: &Value, stay: Stay) -> Result<Value, String> {
        let dry_run = match stay {
            Stay::Yes => "",
            Stay::No => "&dryRun=All",
        };
        let uri = format!("{}?fieldValidation=Strict{dry_run}", self.collection(object));
        self.send(Method::POST, &uri, object).await
    }

    async fn replace(&self, object: &Value, part: Part) -> Result<Value, String> {
        let subresource = match part {
            Part::Main => "",
            Part::Status => "/status",
        };
        let uri = format!("{}{subresource}?fieldValidation=Strict", self.uri(object));
        self.send(Method::PUT, &uri, object).await
    }

    async fn delete(&self, object: &Value) {
        self.send(Method::DELETE, &self.uri(object), &Value::Null).await.expect("it can be deleted");
    }

    fn uri(&self, object: &Value) -> String {
        format!("{}/{}", self.collection(object), object["metadata"]["name"].as_str().expect("a name"))
    }

    fn collection(&self, object: &Value) -> String {
        let kind = object["kind"].as_str().expect("a kind").to_lowercase();
        format!("/apis/dryad.dev/v1alpha1/namespaces/{}/{kind}s", self.namespace)
    }

    /// The answer, or the words of the refusal.
    async fn send(&self, method: Method, uri: &str, body: &Value) -> Result<Value, String> {
        let body = serde_json::to_vec(body).expect("JSON");
        let request = Request::builder().method(method).uri(uri).header("content-type", "application/json");
        match self.client.request(request.body(body).expect("a request")).await {
            Ok(answer) => Ok(answer),
            Err(kube::Error::Api(refusal)) => Err(refusal.message),
            Err(error) => panic!("{uri}: {error}"),
        }
    }
}
