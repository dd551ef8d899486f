//! A line from an operator to the API server that can be cut, go silent, break, or tell another time.
//!
//! Each operator may have one of its own, so that others on the same cluster notice nothing. It speaks plain HTTP to
//! the operator and carries on, as whoever the stage's operators are, what it is asked. Nothing gets lost on it but
//! what its [`Condition`] says, and nothing is changed but, by [`Line::tell_time`], the `Date` of an answer.

use std::convert::Infallible;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;
use futures::stream::{self, Stream};
use http::header::{DATE, HOST, HeaderValue};
use http::{Request, Response, StatusCode, Uri};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Empty, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use jiff::SignedDuration;
use jiff::fmt::rfc2822::{self, DateTimePrinter};
use kube::Client;
use kube::client::Body as KubeBody;
use serde_json::json;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// How long to wait for something to be asked before that counts as stuck.
const PATIENCE: Duration = Duration::from_secs(90);

/// How a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    /// Everything passes.
    Open,
    /// Connections end at once, old and new, as when nobody listens any more.
    Cut,
    /// Connections stay, and nothing passes: what is asked meanwhile arrives when the line opens, even if whoever asked
    /// has died since. So it is with an API server that is frozen.
    Silent,
    /// Whatever is asked is answered with this status and not passed on, as by an API server that has lost its etcd.
    Broken(StatusCode),
}

/// A line. Dropping it cuts it.
#[derive(Debug)]
pub struct Line {
    condition: watch::Sender<Condition>,
    held: watch::Sender<Option<String>>,
    clock: watch::Sender<SignedDuration>,
    last_words: watch::Sender<Option<String>>,
    under_way: UnderWay,
    kubeconfig: PathBuf,
    _exchange: JoinSet<()>,
}

impl Line {
    /// An open line to the API server of `client`. `kubeconfig` is written: whoever uses it is on the line.
    ///
    /// # Errors
    /// When there is no port, or the file can't be written.
    pub(crate) async fn open(client: Client, kubeconfig: &Path) -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let file = json!({
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "line",
            "contexts": [{ "name": "line", "context": { "cluster": "line", "user": "line" } }],
            "clusters": [{
                "name": "line",
                "cluster": { "server": format!("http://{}", listener.local_addr()?) },
            }],
            "users": [{ "name": "line", "user": {} }],
        });
        std::fs::write(kubeconfig, file.to_string())?;
        let (condition, seen) = watch::channel(Condition::Open);
        let (held, holds) = watch::channel(None);
        let (clock, ahead) = watch::channel(SignedDuration::ZERO);
        let (last_words, last) = watch::channel(None);
        let under_way = UnderWay::default();
        let mut exchange = JoinSet::new();
        let shared = Exchange {
            client,
            condition: seen,
            holds,
            fall_silent: condition.clone(),
            ahead,
            last_words: last,
            under_way: under_way.clone(),
        };
        exchange.spawn(accept(listener, shared));
        Ok(Self {
            condition,
            held,
            clock,
            last_words,
            under_way,
            kubeconfig: kubeconfig.to_owned(),
            _exchange: exchange,
        })
    }

    /// Makes the line so, from now on.
    pub fn set(&self, condition: Condition) {
        self.condition.send_replace(condition);
    }

    /// Lets what is asked in words that include these wait on the line from now on, and nothing else.
    pub fn hold(&self, words: &str) {
        self.held.send_replace(Some(words.to_owned()));
    }

    /// Lets what was held arrive, even if whoever asked waits no more.
    pub fn let_go(&self) {
        self.held.send_replace(None);
    }

    /// Lets the API server's clock be ahead of what it is by so much from now on, or behind.
    pub fn tell_time(&self, ahead: SignedDuration) {
        self.clock.send_replace(ahead);
    }

    /// Loses everything that is under way: what was asked is never answered, and no watch hears anything more. The line
    /// is open for everything else, as when one of several API servers dies without a word.
    pub fn lose(&self) {
        self.under_way.lost.send_modify(|times| *times += 1);
        self.set(Condition::Open);
    }

    /// Lets the line fall silent as soon as something was done that was asked in a body with these words: whoever asked
    /// does not hear of it. What was refused is asked again.
    pub fn silence_after(&self, words: &str) {
        self.last_words.send_replace(Some(words.to_owned()));
    }

    /// Waits until the line has fallen silent.
    ///
    /// # Panics
    /// When it does not in time.
    pub async fn until_silent(&self) {
        let mut condition = self.condition.subscribe();
        let silent = condition.wait_for(|condition| *condition == Condition::Silent);
        assert!(tokio::time::timeout(PATIENCE, silent).await.is_ok(), "the line does not fall silent");
    }

    /// Waits until something is asked in words that include these and waits on the line.
    ///
    /// # Panics
    /// When nothing is in time.
    pub async fn until_asked(&self, words: &str) {
        let mut waiting = self.under_way.waiting.subscribe();
        let asked = waiting.wait_for(|waiting| waiting.iter().any(|request| request.contains(words)));
        assert!(tokio::time::timeout(PATIENCE, asked).await.is_ok(), "nobody asks for {words}");
    }

    /// The kubeconfig of whoever is to use it.
    pub fn kubeconfig(&self) -> &Path {
        &self.kubeconfig
    }
}

/// What all connections share.
#[derive(Clone)]
struct Exchange {
    client: Client,
    condition: watch::Receiver<Condition>,
    /// What waits, by words that it is asked in.
    holds: watch::Receiver<Option<String>>,
    fall_silent: watch::Sender<Condition>,
    /// By how much the API server's clock is ahead.
    ahead: watch::Receiver<SignedDuration>,
    /// After what the line falls silent.
    last_words: watch::Receiver<Option<String>>,
    under_way: UnderWay,
}

/// What is on the line.
#[derive(Clone, Debug, Default)]
struct UnderWay {
    /// How often everything was lost.
    lost: watch::Sender<u32>,
    /// What waits for the line to open, by method and path.
    waiting: watch::Sender<Vec<String>>,
}

async fn accept(listener: TcpListener, exchange: Exchange) {
    let mut connections = JoinSet::new();
    loop {
        let Ok((stream, _)) = listener.accept().await else { return };
        connections.spawn(connection(stream, exchange.clone()));
        while connections.try_join_next().is_some() {}
    }
}

/// One connection, until either end leaves it or the line is cut.
async fn connection(stream: TcpStream, exchange: Exchange) {
    let mut cut = exchange.condition.clone();
    let answer = service_fn(move |request| {
        // A task of its own: what was sent arrives, whatever becomes of the sender.
        let carried = tokio::spawn(exchange.clone().carry(request));
        async move { Ok::<_, Infallible>(carried.await.unwrap_or_else(|_| status(StatusCode::BAD_GATEWAY))) }
    });
    let served = http1::Builder::new().serve_connection(TokioIo::new(stream), answer);
    tokio::select! {
        // How a connection ended is seen by whoever asked.
        _ = served => {}
        _ = cut.wait_for(|condition| *condition == Condition::Cut) => {}
    }
}

/// A header's date, so much later.
fn shifted(date: &HeaderValue, by: SignedDuration) -> HeaderValue {
    let said = date.to_str().ok().and_then(|text| rfc2822::parse(text).ok());
    let later = said.and_then(|date| date.timestamp().checked_add(by).ok());
    let later = later.and_then(|date| DateTimePrinter::new().timestamp_to_rfc9110_string(&date).ok());
    later.and_then(|text| text.parse().ok()).unwrap_or_else(|| date.clone())
}

type Answer = Response<UnsyncBoxBody<Bytes, kube::Error>>;

fn status(status: StatusCode) -> Answer {
    let mut answer = Response::new(Empty::new().map_err(|never| match never {}).boxed_unsync());
    *answer.status_mut() = status;
    answer
}

impl Exchange {
    /// Carries one request on, once the line lets it, and brings the answer back, once the line lets that.
    async fn carry(self, request: Request<Incoming>) -> Answer {
        let mut lost = self.under_way.lost.subscribe();
        let answer = async {
            let (mut head, body) = request.into_parts();
            let Ok(body) = body.collect().await else { return status(StatusCode::BAD_REQUEST) };
            let asked = format!("{} {}", head.method, head.uri);
            match self.heard(&asked).await {
                Condition::Open => {}
                Condition::Broken(answer) => return status(answer),
                Condition::Silent | Condition::Cut => return status(StatusCode::BAD_GATEWAY),
            }
            // Where it goes, and as whom, is the client's business.
            head.uri = head.uri.path_and_query().cloned().map_or_else(Uri::default, Uri::from);
            head.headers.remove(HOST);
            let body = body.to_bytes();
            let last = self.is_last(&body);
            let answer = self.client.send(Request::from_parts(head, KubeBody::from(body))).await;
            if last && answer.as_ref().is_ok_and(|answer| answer.status().is_success()) {
                self.fall_silent.send_replace(Condition::Silent);
            }
            self.heard(&asked).await;
            match answer {
                Ok(mut answer) => {
                    if let Some(date) = answer.headers_mut().get_mut(DATE) {
                        *date = shifted(date, *self.ahead.borrow());
                    }
                    answer.map(|body| StreamBody::new(self.carried(body)).boxed_unsync())
                }
                Err(_) => status(StatusCode::BAD_GATEWAY),
            }
        };
        tokio::select! {
            biased;
            _ = lost.changed() => std::future::pending().await,
            answer = answer => answer,
        }
    }

    /// Whether the line falls silent after this, if it is done.
    fn is_last(&self, body: &[u8]) -> bool {
        let last = self.last_words.borrow();
        last.as_ref().is_some_and(|words| String::from_utf8_lossy(body).contains(words.as_str()))
    }

    /// Waits until the line is not silent and holds nothing like this; how it is then.
    async fn heard(&self, asked: &str) -> Condition {
        self.under_way.waiting.send_modify(|waiting| waiting.push(asked.to_owned()));
        let (mut condition, mut holds) = (self.condition.clone(), self.holds.clone());
        let passes =
            |held: &Option<String>| held.as_ref().is_none_or(|words| !asked.contains(words.as_str()));
        // Where nobody holds the line any more, it is cut as well.
        drop(holds.wait_for(passes).await);
        let heard = condition.wait_for(|condition| *condition != Condition::Silent).await;
        let heard = heard.map_or(Condition::Cut, |condition| *condition);
        self.under_way.waiting.send_modify(|waiting| {
            let own = waiting.iter().position(|request| request == asked);
            own.map(|own| waiting.swap_remove(own));
        });
        heard
    }

    /// The body of an answer, such as a watch, each part of which passes only while the line is open.
    fn carried(&self, body: KubeBody) -> impl Stream<Item = Result<Frame<Bytes>, kube::Error>> + use<> {
        let (lost, condition) = (self.under_way.lost.subscribe(), self.condition.clone());
        stream::unfold((body, condition, lost), |(mut body, mut condition, mut lost)| async move {
            let part = async {
                let part = body.frame().await?;
                condition.wait_for(|condition| *condition == Condition::Open).await.ok()?;
                Some(part)
            };
            let part = tokio::select! {
                biased;
                _ = lost.changed() => std::future::pending().await,
                part = part => part?,
            };
            Some((part, (body, condition, lost)))
        })
    }
}
