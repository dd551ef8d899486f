//! People who use what is deployed, all the time.

use std::time::Duration;

use dryad_stage::Stage;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// How long an answer may be another one before that counts as stuck.
const PATIENCE: Duration = Duration::from_secs(90);
/// Between two requests.
const PAUSE: Duration = Duration::from_millis(50);

/// Somebody who asks for `/` through the load balancer until told to leave.
pub(crate) struct Users {
    leaving: CancellationToken,
    asking: JoinHandle<Vec<String>>,
}

impl Users {
    /// They begin at once.
    pub(crate) fn of(stage: &Stage) -> Self {
        let leaving = CancellationToken::new();
        let (url, told) = (stage.web.url.clone(), leaving.clone());
        let asking = tokio::spawn(async move {
            let mut answers: Vec<String> = Vec::new();
            while !told.is_cancelled() {
                let answer = ask(&url).await;
                if answers.last() != Some(&answer) {
                    answers.push(answer);
                }
                tokio::time::sleep(PAUSE).await;
            }
            answers
        });
        Self { leaving, asking }
    }

    /// Everything they were answered, without repetitions.
    ///
    /// # Panics
    /// When an answer was not one of the releases'.
    pub(crate) async fn answers(self) -> Vec<String> {
        self.leaving.cancel();
        let answers = self.asking.await.expect("they ask");
        let failed: Vec<_> =
            answers.iter().filter(|answer| !["one", "two"].contains(&answer.as_str())).collect();
        assert!(failed.is_empty(), "users saw {failed:?}");
        answers
    }

    /// What they were answered last.
    ///
    /// # Panics
    /// When an answer was not one of the releases'.
    pub(crate) async fn leave(self) -> String {
        self.answers().await.pop().expect("they asked")
    }
}

/// Asks until this is the answer.
pub(crate) async fn until_answered(stage: &Stage, wanted: &str) {
    let answered = async { while ask(&stage.web.url).await != wanted {} };
    tokio::time::timeout(PATIENCE, answered).await.unwrap_or_else(|_| panic!("nobody answers {wanted}"));
}

/// The body of the answer, or what came instead.
async fn ask(url: &str) -> String {
    let address = url.trim_start_matches("http://");
    let asked = async {
        let mut stream = TcpStream::connect(address).await?;
        let request = format!("GET / HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.map(|_| answer)
    };
    match asked.await {
        Ok(answer) => match answer.split_once("\r\n\r\n") {
            Some((head, body)) if head.starts_with("HTTP/1.1 200") => body.trim().to_owned(),
            _ => answer,
        },
        Err(error) => error.to_string(),
    }
}
