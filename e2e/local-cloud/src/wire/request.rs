//! From an HTTP request to a call of the world, and back.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Response, StatusCode, header};

use super::answer::Protocol;
use super::connection::hang_up;
use super::parameters::{ParameterError, Parameters};
use super::scope::Scope;
use crate::actions;
use crate::model::{ApiError, CallError, Caller, Code, Place, Reply, Service};
use crate::shared::Shared;

/// Answers one request of an AWS client.
pub(super) async fn handle(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    let request_id = request_id();
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let Some(scope) = Scope::of(text(header::AUTHORIZATION.as_str())) else {
        let query = Protocol::of(Service::Sts);
        let message =
            "The request must be signed: service, region and account come from its credential scope.";
        return query.error(StatusCode::FORBIDDEN, "MissingAuthenticationToken", message, &request_id);
    };
    let unknown = |protocol: Protocol, what: String| {
        shared.with(|world, _| world.log_mut().note_unknown(what.clone()));
        let message = format!("{what} is not in the written list of this local cloud.");
        protocol.error(StatusCode::NOT_IMPLEMENTED, "NotImplemented", &message, &request_id)
    };
    let Some(service) = Service::of_name(scope.service) else {
        return unknown(Protocol::of(Service::Sts), scope.service.to_owned());
    };
    let protocol = Protocol::of(service);
    let refused = |error: &ApiError| {
        let status = StatusCode::from_u16(error.code.status()).unwrap_or(StatusCode::BAD_REQUEST);
        protocol.error(status, error.code.as_str(), &error.message, &request_id)
    };
    let (action, parameters) = match protocol {
        Protocol::Ec2 | Protocol::Query(_) => {
            let (action, parameters) = Parameters::of_query(&body);
            (action.unwrap_or_default(), parameters)
        }
        Protocol::Json => {
            let action = text("x-amz-target").rsplit('.').next().unwrap_or_default().to_owned();
            let Some(parameters) = Parameters::of_json(&body) else {
                let error = ApiError::new(Code::ValidationException, "The body is not JSON.");
                return refused(&error);
            };
            (action, parameters)
        }
    };
    let Some(entry) = actions::find(service, &action) else {
        return unknown(protocol, format!("{}:{action}", service.name()));
    };
    let reply = shared.with(|world, now| {
        let Some(identity) = world.credentials().identity(scope.access_key, now) else {
            return Ok(Reply {
                delay: jiff::SignedDuration::ZERO,
                outcome: Err(unknown_key(service).into()),
            });
        };
        let place = Place { account: identity.account, region: scope.region.to_owned() };
        let caller = Caller { place, principal: identity.principal };
        (entry.call)(world, now, &caller, parameters)
    });
    let Reply { delay, outcome } = match reply {
        Ok(reply) => reply,
        Err(ParameterError::Unknown(what)) => {
            return unknown(protocol, format!("{}:{action} {what}", service.name()));
        }
        Err(ParameterError::Invalid(message)) => return refused(&ApiError::new(malformed(service), message)),
    };
    if let Ok(delay) = Duration::try_from(delay) {
        tokio::time::sleep(delay).await;
    }
    match outcome {
        Ok(value) => protocol.answer(&action, &value, &request_id),
        Err(CallError::Api(error)) => refused(&error),
        Err(CallError::Unanswered) => hang_up(),
    }
}

fn unknown_key(service: Service) -> ApiError {
    let code = match service {
        Service::Ec2 => Code::AuthFailure,
        Service::Ssm => Code::UnrecognizedClientException,
        Service::AutoScaling | Service::ElasticLoadBalancing | Service::Sts => Code::InvalidClientTokenId,
    };
    ApiError::new(code, "The security token included in the request is invalid.")
}

fn malformed(service: Service) -> Code {
    match service {
        Service::Ec2 => Code::InvalidParameterValue,
        Service::Ssm => Code::ValidationException,
        Service::AutoScaling | Service::ElasticLoadBalancing | Service::Sts => Code::ValidationError,
    }
}

/// An id of the form AWS's have, a new one for each request of the process.
fn request_id() -> String {
    static COUNT: AtomicU64 = AtomicU64::new(1);
    format!("00000000-0000-4000-8000-{:012x}", COUNT.fetch_add(1, Ordering::Relaxed))
}
