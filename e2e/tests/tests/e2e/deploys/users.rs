//! People who use what is deployed, all the time, and must not notice anything but the new release.

use dryad_stage::Stage;
use dryad_stage::load::{Load, Seen};

/// Users of the load balancer of a stage.
pub(crate) struct Users(Load);

impl Users {
    /// They begin at once.
    pub(crate) fn of(stage: &Stage) -> Self {
        Self::at(&stage.web.url)
    }

    /// The same of another load balancer, by its URL.
    pub(crate) fn at(url: &str) -> Self {
        Self(Load::on(url))
    }

    /// Waits until this is what they are answered.
    pub(crate) async fn until_answered(&self, wanted: &str) {
        self.0.until_answered(wanted).await;
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
        self.end().await.latest().unwrap_or_default().to_owned()
    }

    async fn end(self) -> Seen {
        let seen = self.0.end().await;
        assert_eq!(seen.failures, Vec::<String>::new());
        seen
    }
}
