//! People who use what is deployed, all the time, and must not notice anything but the new release.

use std::time::Duration;

use dryad_stage::Stage;
use dryad_stage::load::{Load, Seen};

/// How long an answer may be another one before that counts as stuck.
const PATIENCE: Duration = Duration::from_secs(90);
/// How often they are asked what they see.
const EVERY: Duration = Duration::from_millis(50);

/// Users of the load balancer of a stage.
pub(crate) struct Users(Load);

impl Users {
    /// They begin at once.
    pub(crate) fn of(stage: &Stage) -> Self {
        Self(Load::on(&stage.web.url))
    }

    /// Waits until this is what they are answered.
    pub(crate) async fn until_answered(&self, wanted: &str) {
        let mut moments = tokio::time::interval(EVERY);
        let answered = async {
            while latest(&self.0.so_far()) != wanted {
                moments.tick().await;
            }
        };
        tokio::time::timeout(PATIENCE, answered).await.unwrap_or_else(|_| panic!("nobody answers {wanted}"));
    }

    /// Sends them home: every answer that they were given.
    ///
    /// # Panics
    /// When anything failed for them.
    pub(crate) async fn answers(self) -> Vec<String> {
        self.end().await.answers().into_iter().map(str::to_owned).collect()
    }

    /// Sends them home: the answer that they were given last.
    ///
    /// # Panics
    /// When anything failed for them.
    pub(crate) async fn leave(self) -> String {
        latest(&self.end().await)
    }

    async fn end(self) -> Seen {
        let seen = self.0.end().await;
        assert_eq!(seen.failures, Vec::<String>::new());
        seen
    }
}

fn latest(seen: &Seen) -> String {
    seen.spans.iter().max_by_key(|span| span.to).map(|span| span.answer.clone()).unwrap_or_default()
}
