//! `config/samples/`: what a user copies has to be accepted as it is.

use std::fs;
use std::path::Path;

use dryad_cluster::Cluster;
use dryad_crds::{Deployment, Environment};
use dryad_stage::Stage;
use kube::api::{Patch, PatchParams};
use serde_json::Value;

#[tokio::test(flavor = "multi_thread")]
async fn the_api_server_accepts_every_sample_as_it_is() {
    let cluster = Cluster::shared().await.expect("a cluster");
    let stage =
        Stage::set(cluster, "samples", Path::new(env!("CARGO_BIN_EXE_parts"))).await.expect("a stage");
    let dry = PatchParams::apply("samples").dry_run().validation_strict();
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../config/samples");
    let mut kinds = Vec::new();
    for file in fs::read_dir(samples).expect("the samples") {
        let path = file.expect("a sample").path();
        let text = fs::read_to_string(&path).expect("text");
        let object: Value = serde_saphyr::from_str(&text).expect("YAML");
        let name = object["metadata"]["name"].as_str().expect("a name");
        let kind = object["kind"].as_str().expect("a kind");
        let accepted = match kind {
            "Environment" => {
                stage.api::<Environment>().patch(name, &dry, &Patch::Apply(&object)).await.map(drop)
            }
            "Deployment" => {
                stage.api::<Deployment>().patch(name, &dry, &Patch::Apply(&object)).await.map(drop)
            }
            other => panic!("{} is a {other}", path.display()),
        };
        accepted.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        kinds.push(kind.to_owned());
    }
    kinds.sort();
    assert_eq!(kinds, ["Deployment", "Deployment", "Environment"]);
}
