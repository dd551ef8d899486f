//! Steering the world over HTTP, in JSON: what a test in another process does to the world it calls.
//!
//! | path below `/_control` | | |
//! |---|---|---|
//! | `GET /state` | the clock, calls under way, counts, what was asked and is not known | |
//! | `GET`, `PUT /settings` | delays and the like | [`Settings`] |
//! | `GET`, `PUT`, `DELETE /faults` | everything that goes wrong | [`Faults`] |
//! | `POST /faults/rules` | one more rule about calls | [`Rule`] |
//! | `POST /faults/launches` | one more fault of launches | [`LaunchFault`] |
//! | `POST /faults/zones` | one more zone in trouble | [`ZoneFault`] |
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

use crate::faults::{Faults, LaunchFault, Rule, ZoneFault};
use crate::model::{Account, Place, Settings, World};
use crate::shared::Shared;

type Cloud = State<Arc<Shared>>;

pub(super) fn router() -> Router<Arc<Shared>> {
    Router::new()
        .route("/state", get(state))
        .route("/settings", get(settings).put(set_settings))
        .route("/faults", get(faults).put(set_faults).delete(end_faults))
        .route("/faults/rules", post(add_rule))
        .route("/faults/launches", post(add_launch_fault))
        .route("/faults/zones", post(add_zone_fault))
        .route("/clock", post(advance))
        .route("/log", get(log).delete(forget_log))
        .route("/instances", get(instances))
        .route("/routing", get(routing))
        .route("/images", put(register_image).delete(deregister_image))
}

fn see(shared: &Shared, what: impl FnOnce(&World) -> Value) -> Json<Value> {
    Json(shared.with(|world, _| what(world)))
}

async fn settings(State(shared): Cloud) -> Json<Value> {
    see(&shared, |world| json!(world.settings()))
}

async fn faults(State(shared): Cloud) -> Json<Value> {
    see(&shared, |world| json!(world.faults()))
}

async fn log(State(shared): Cloud) -> Json<Value> {
    see(&shared, |world| json!(world.log().entries().collect::<Vec<_>>()))
}

async fn instances(State(shared): Cloud) -> Json<Value> {
    see(&shared, |world| json!(world.wanted_instances()))
}

async fn routing(State(shared): Cloud) -> Json<Value> {
    see(&shared, |world| json!(world.routing()))
}

async fn state(State(shared): Cloud) -> Json<Value> {
    let describe = |world: &World| {
        json!({
            "now": world.now(),
            "revision": world.revision(),
            "lateCalls": world.late_calls(),
            "counts": world.log().counts(),
            "unknown": world.log().unknown(),
        })
    };
    see(&shared, describe)
}

fn change(shared: &Shared, change: impl FnOnce(&mut World)) -> StatusCode {
    shared.with(|world, _| change(world));
    StatusCode::NO_CONTENT
}

async fn set_settings(State(shared): Cloud, Json(settings): Json<Settings>) -> StatusCode {
    change(&shared, |world| world.set_settings(settings))
}

async fn set_faults(State(shared): Cloud, Json(faults): Json<Faults>) -> StatusCode {
    change(&shared, |world| world.set_faults(faults))
}

async fn end_faults(State(shared): Cloud) -> StatusCode {
    change(&shared, |world| world.set_faults(Faults::default()))
}

async fn add_rule(State(shared): Cloud, Json(rule): Json<Rule>) -> StatusCode {
    change(&shared, |world| world.add_rule(rule))
}

async fn add_launch_fault(State(shared): Cloud, Json(fault): Json<LaunchFault>) -> StatusCode {
    change(&shared, |world| world.add_launch_fault(fault))
}

async fn add_zone_fault(State(shared): Cloud, Json(fault): Json<ZoneFault>) -> StatusCode {
    change(&shared, |world| world.add_zone_fault(fault))
}

async fn forget_log(State(shared): Cloud) -> StatusCode {
    change(&shared, |world| world.log_mut().clear())
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
    change(&shared, |world| world.register_image(&at.place(), &at.image))
}

async fn deregister_image(State(shared): Cloud, Json(at): Json<ImageAt>) -> StatusCode {
    change(&shared, |world| world.deregister_image(&at.place(), &at.image))
}
