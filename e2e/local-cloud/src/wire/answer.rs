//! Answers and errors in the protocol of each service: the EC2 dialect of XML, the query services' XML, JSON 1.1.
//!
//! <https://smithy.io/2.0/aws/protocols/aws-ec2-query-protocol.html>,
//! <https://smithy.io/2.0/aws/protocols/aws-query-protocol.html>,
//! <https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html>

use axum::body::Body;
use axum::http::{Response, StatusCode, header};
use serde_json::{Value, json};

use super::xml;
use crate::model::Service;

/// How a service's answers look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Protocol {
    /// EC2's XML, with its namespace.
    Ec2,
    /// The query services' XML, with its namespace.
    Query(&'static str),
    /// JSON 1.1.
    Json,
}

impl Protocol {
    pub(super) const fn of(service: Service) -> Self {
        match service {
            Service::Ec2 => Self::Ec2,
            Service::AutoScaling => Self::Query("http://autoscaling.amazonaws.com/doc/2011-01-01/"),
            Service::ElasticLoadBalancing => {
                Self::Query("http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/")
            }
            Service::Sts => Self::Query("https://sts.amazonaws.com/doc/2011-06-15/"),
            Service::Ssm => Self::Json,
        }
    }

    const fn content_type(self) -> &'static str {
        match self {
            Self::Ec2 | Self::Query(_) => "text/xml",
            Self::Json => "application/x-amz-json-1.1",
        }
    }

    /// The answer of an action.
    pub(super) fn answer(self, action: &str, value: &Value, request_id: &str) -> Response<Body> {
        let fields = |item: &str| {
            let mut out = String::new();
            xml::write(&mut out, value, item);
            out
        };
        let body = match self {
            Self::Ec2 => format!(
                "<{action}Response xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15/\"><requestId>{request_id}</requestId>{}\
                 </{action}Response>",
                fields("item")
            ),
            Self::Query(namespace) => format!(
                "<{action}Response xmlns=\"{namespace}\"><{action}Result>{}</{action}Result><ResponseMetadata>\
                 <RequestId>{request_id}</RequestId></ResponseMetadata></{action}Response>",
                fields("member")
            ),
            Self::Json => without_nulls(value.clone()).to_string(),
        };
        self.response(StatusCode::OK, body, request_id)
    }

    /// An error.
    pub(super) fn error(
        self,
        status: StatusCode,
        code: &str,
        message: &str,
        request_id: &str,
    ) -> Response<Body> {
        let error = |kind: &str| {
            let mut out = format!("<Error>{kind}<Code>{code}</Code><Message>");
            xml::escape(&mut out, message);
            out.push_str("</Message></Error>");
            out
        };
        let body = match self {
            Self::Ec2 => format!(
                "<Response><Errors>{}</Errors><RequestID>{request_id}</RequestID></Response>",
                error("")
            ),
            Self::Query(namespace) => {
                let kind = if status.is_server_error() { "Receiver" } else { "Sender" };
                let error = error(&format!("<Type>{kind}</Type>"));
                format!(
                    "<ErrorResponse xmlns=\"{namespace}\">{error}<RequestId>{request_id}</RequestId></ErrorResponse>"
                )
            }
            Self::Json => json!({ "__type": code, "message": message }).to_string(),
        };
        self.response(status, body, request_id)
    }

    fn response(self, status: StatusCode, body: String, request_id: &str) -> Response<Body> {
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, header::HeaderValue::from_static(self.content_type()));
        if let Ok(id) = request_id.parse() {
            headers.insert("x-amzn-requestid", id);
        }
        response
    }
}

/// JSON clients take a null for a value, so that what is unset must not be there.
fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(fields) => fields
            .into_iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(name, value)| (name, without_nulls(value)))
            .collect(),
        Value::Array(items) => items.into_iter().map(without_nulls).collect(),
        value => value,
    }
}
