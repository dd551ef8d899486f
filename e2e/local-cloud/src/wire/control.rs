//! Steering the world over HTTP, in JSON: what a test in another process does to the world it calls.
//!
//! | path below `/_control` | | |
//! |---|---|---|
//! | `GET /state` | the clock, calls under way, counts, what was asked and is not known | |
//! | `GET`, `PUT /settings` | delays and the like | [`Settings`] |
//! | `GET`, `PUT`, `DELETE /faults` | everything that goes wrong | [`Faults`] |
//! | `POST /faults/rules` | one more rule about calls | [`Rule`] |
//! | `POST /faults/launches` | one more fault of launches | [`LaunchFault`] |
//! | `POST /clock` | moves the clock on | `{"advance": "30s"}` |
//! | `GET`, `DELETE /log` | the latest calls | |
//! | `GET /instances` | the instances that should run | |
//! | `GET /routing` | where requests go | |
//! | `PUT`, `DELETE /images` | registers or deregisters an image | `{"account", "region", "image"}` |

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{get, post, put};
use axum::{Json, Router};
use jiff::SignedDuration;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::faults::{Faults, LaunchFault, Rule};
use crate::model::{Account, Place, Settings, World};
use crate::shared::Shared;

type Cloud = State<Arc<Shared>>;

pub(super) fn router() -> Router<Arc<Shared>> {
    Router::new()
        .route("/state", get(state))
        .route("/settings", get(|cloud: Cloud| see(cloud, |world| json!(world.settings()))).put(set_settings))
        .route(
            "/faults",
            get(|cloud: Cloud| see(cloud, |world| json!(world.faults())))
                .put(set_faults)
                .delete(|cloud: Cloud| set_faults(cloud, Json(Faults::default()))),
        )
        .route("/faults/rules", post(add_rule))
        .route("/faults/launches", post(add_launch_fault))
        .route("/clock", post(advance))
        .route(
            "/log",
            get(|cloud: Cloud| see(cloud, |world| json!(world.log().entries().collect::<Vec<_>>())))
                .delete(forget_log),
        )
        .route("/instances", get(|cloud: Cloud| see(cloud, |world| json!(world.wanted_instances()))))
        .route("/routing", get(|cloud: Cloud| see(cloud, |world| json!(world.routing()))))
        .route("/images", put(register_image).delete(deregister_image))
}

async fn see(State(shared): Cloud, what: impl FnOnce(&World) -> Value) -> Json<Value> {
    Json(shared.with(|world, _| what(world)))
}

async fn state(cloud: Cloud) -> Json<Value> {
    let describe = |world: &World| {
        json!({
            "now": world.now(),
            "revision": world.revision(),
            "lateCalls": world.late_calls(),
            "counts": world.log().counts(),
            "unknown": world.log().unknown(),
        })
    };
    see(cloud, describe).await
}

async fn change(shared: &Shared, change: impl FnOnce(&mut World)) -> StatusCode {
    shared.with(|world, _| change(world));
    StatusCode::NO_CONTENT
}

async fn set_settings(State(shared): Cloud, Json(settings): Json<Settings>) -> StatusCode {
    change(&shared, |world| world.set_settings(settings)).await
}

async fn set_faults(State(shared): Cloud, Json(faults): Json<Faults>) -> StatusCode {
    change(&shared, |world| world.set_faults(faults)).await
}

async fn add_rule(State(shared): Cloud, Json(rule): Json<Rule>) -> StatusCode {
    change(&shared, |world| world.add_rule(rule)).await
}

async fn add_launch_fault(State(shared): Cloud, Json(fault): Json<LaunchFault>) -> StatusCode {
    change(&shared, |world| world.add_launch_fault(fault)).await
}

async fn forget_log(State(shared): Cloud) -> StatusCode {
    change(&shared, |world| world.log_mut().clear()).await
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Advance {
    advance: SignedDuration,
}

async fn advance(State(shared): Cloud, Json(Advance { advance }): Json<Advance>) -> StatusCode {
    shared.advance_clock(advance);
    StatusCode::NO_CONTENT
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ImageAt {
    account: Account,
    region: String,
    image: String,
}

impl ImageAt {
    fn place(&self) -> Place {
        Place { account: self.account.clone(), region: self.region.clone() }
    }
}

async fn register_image(State(shared): Cloud, Json(at): Json<ImageAt>) -> StatusCode {
    change(&shared, |world| world.register_image(&at.place(), &at.image)).await
}

async fn deregister_image(State(shared): Cloud, Json(at): Json<ImageAt>) -> StatusCode {
    change(&shared, |world| world.deregister_image(&at.place(), &at.image)).await
}
