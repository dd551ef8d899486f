//! What the trait promises, kept by the real SDK over HTTP against the local cloud.

use dryad_aws::{Aws, Credentials, Settings};
use dryad_local_cloud::wire::Door;

#[path = "../../../e2e/local-cloud/tests/cloud_trait/mod.rs"]
mod cloud_trait;

use cloud_trait::{ACCOUNT, Stage, new_world, place};

async fn over_http() -> (Stage<Aws>, Door) {
    let shared = new_world();
    let door = Door::open(shared.clone(), 0).await.unwrap();
    let keys = Credentials::Keys { id: ACCOUNT.to_owned(), secret: "unchecked".to_owned() };
    let settings = Settings {
        accounts: [(place().account, keys)].into(),
        endpoint: Some(door.endpoint()),
        ..Settings::default()
    };
    (Stage::set(shared, Aws::new(settings, ())), door)
}

cloud_trait::cases! { #[tokio::test] over_http }

mod roles;
