//! A transport without a network: the real SDK on this side, a closure for AWS on the other.

use std::fmt;
use std::future::Future;
use std::sync::{Arc, Mutex};

use aws_sdk_autoscaling::config::SharedHttpClient;
use aws_sdk_autoscaling::config::http::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
};
use aws_smithy_types::body::SdkBody;
use dryad_machine::name::{AccountName, GroupName, Place, Region};
use futures::FutureExt;
use futures::future::BoxFuture;

use crate::observer::Observer;
use crate::{Aws, Credentials, Settings};

/// The account and region that tests ask in.
pub(crate) fn here() -> Place {
    Place { account: AccountName::new("default"), region: Region::new("us-east-1") }
}

pub(crate) fn name(text: &str) -> GroupName {
    GroupName::new(text)
}

/// Settings that know the account of [`here`].
pub(crate) fn settings() -> Settings {
    let keys = Credentials::Keys { id: "AKIATEST".to_owned(), secret: "secret".to_owned() };
    Settings { accounts: [(here().account, keys)].into(), ..Settings::default() }
}

/// A request as it went out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Request {
    /// Whom it went to.
    pub(crate) host: String,
    /// Its parameters, in the order they were written, without `Version`.
    pub(crate) form: Vec<(String, String)>,
}

impl Request {
    /// The parameter of this name.
    pub(crate) fn get(&self, key: &str) -> Option<&str> {
        self.form.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str())
    }

    /// Its parameters, one a line.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.form.iter().map(|(key, value)| format!("{key}={value}")).collect()
    }

    /// The parameters that are members of this list.
    pub(crate) fn list(&self, prefix: &str) -> Vec<&str> {
        let members = self.form.iter().filter(|(key, _)| key.starts_with(prefix));
        members.map(|(_, value)| value.as_str()).collect()
    }

    fn of(request: &HttpRequest) -> Self {
        let url = request.uri();
        let host = url.trim_start_matches("https://").split('/').next().unwrap_or_default().to_owned();
        let form = form_urlencoded::parse(request.body().bytes().unwrap_or_default())
            .filter(|(key, _)| key != "Version")
            .map(|(key, value)| (key.into_owned(), value.into_owned()))
            .collect();
        Self { host, form }
    }
}

/// An answer: its HTTP status and body.
pub(crate) type Answer = (u16, String);

/// What a query service (Auto Scaling, ELB) answers when it did as asked.
pub(crate) fn done(action: &str, result: &str) -> Answer {
    (200, format!("<{action}Response><{action}Result>{result}</{action}Result></{action}Response>"))
}

/// How a query service refuses.
pub(crate) fn refused(status: u16, code: &str, message: &str) -> Answer {
    let error = format!("<Error><Code>{code}</Code><Message>{message}</Message></Error>");
    (status, format!("<ErrorResponse>{error}<RequestId>1</RequestId></ErrorResponse>"))
}

/// How EC2 refuses.
pub(crate) fn refused_by_ec2(status: u16, code: &str, message: &str) -> Answer {
    let error = format!("<Error><Code>{code}</Code><Message>{message}</Message></Error>");
    (status, format!("<Response><Errors>{error}</Errors><RequestID>1</RequestID></Response>"))
}

/// AWS, as a closure has it.
#[derive(Clone)]
pub(crate) struct Fake(Arc<Inner>);

struct Inner {
    asked: Mutex<Vec<Request>>,
    answer: Box<dyn Fn(Request) -> BoxFuture<'static, Answer> + Send + Sync>,
}

impl Fake {
    /// Answers every request by `answer`.
    pub(crate) fn new<F>(answer: impl Fn(Request) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Answer> + Send + 'static,
    {
        let answer = Box::new(move |request| answer(request).boxed());
        Self(Arc::new(Inner { asked: Mutex::default(), answer }))
    }

    /// Answers every request at once, and the same.
    pub(crate) fn always(answer: Answer) -> Self {
        Self::new(move |_| std::future::ready(answer.clone()))
    }

    /// Answers each request by its action.
    pub(crate) fn by_action(answer: impl Fn(&str) -> Answer + Send + Sync + 'static) -> Self {
        Self::new(move |request| std::future::ready(answer(request.get("Action").unwrap_or_default())))
    }

    /// The adapter, talking to this.
    pub(crate) fn aws(&self) -> Aws {
        self.aws_observed_by(())
    }

    /// The adapter, talking to this and telling the observer.
    pub(crate) fn aws_observed_by(&self, observer: impl Observer) -> Aws {
        let connector = SharedHttpConnector::new(self.clone());
        let http: SharedHttpClient = http_client_fn(move |_, _| connector.clone());
        Aws::over(http, settings(), observer)
    }

    /// Every request so far.
    pub(crate) fn asked(&self) -> Vec<Request> {
        self.0.asked.lock().unwrap().clone()
    }

    /// The one request there was.
    pub(crate) fn only_request(&self) -> Request {
        let mut asked = self.asked();
        assert_eq!(asked.len(), 1, "{asked:#?}");
        asked.remove(0)
    }
}

impl fmt::Debug for Fake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Fake")
    }
}

impl HttpConnector for Fake {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let request = Request::of(&request);
        self.0.asked.lock().unwrap().push(request.clone());
        let answer = (self.0.answer)(request);
        HttpConnectorFuture::new(async move {
            let (status, body) = answer.await;
            Ok(HttpResponse::new(status.try_into().unwrap(), SdkBody::from(body)))
        })
    }
}
