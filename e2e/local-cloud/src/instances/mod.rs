//! Instances that are real: each one runs its user data as a process group in a directory of its own.
//!
//! [`Instances::reconcile`] is given the whole set of wanted instances, starts what is missing and terminates
//! what is no longer wanted. It never waits: what comes of it is told as [`Happening`]s. Whatever comes of an
//! instance, it stays up in the sense of EC2 until it is unwanted: a failed script, an exited process, even a
//! killed group is noticed by health checks alone, and nothing is ever started twice under one id.
//!
//! No process outlives this one, however it ends: see [`guard`]. What this is not: the life cycle of EC2
//! (pending, running, shutting down, names, limits), which is the model's.

mod directory;
mod guard;
mod life;
mod wanted;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinSet;

pub use directory::Directories;
pub use wanted::{BadInstanceId, InstanceId, LaunchError, Wanted};

/// How instances are run.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Each instance gets a directory named after its id in here; created where it is missing.
    pub run_dir: PathBuf,
    /// How long a terminated instance may go on after SIGTERM before SIGKILL.
    pub grace: Duration,
    /// What becomes of an instance's directory once it has terminated.
    pub directories: Directories,
}

/// What became of one instance.
#[derive(Debug)]
pub struct Happening {
    /// The instance it happened to.
    pub id: InstanceId,
    /// What happened.
    pub what: What,
}

/// The things that happen to an instance.
#[derive(Debug)]
pub enum What {
    /// Its user data is running now.
    Started,
    /// Its user data will never run. As on EC2 the instance is up all the same, with nothing on it.
    NotStarted(LaunchError),
    /// The process that ran the user data has ended with this code (128 + n for signal n). Processes that
    /// it left behind run on.
    Exited(i32),
    /// All its processes are dead though nobody terminated it: [`Instances::kill`], or a kill from outside.
    Died,
    /// It was terminated: its processes are gone, and its directory is if it was to be removed.
    Terminated,
}

/// All instances of one cloud. Dropping it kills them all at once, without a grace.
#[derive(Debug)]
pub struct Instances {
    settings: Settings,
    up: BTreeMap<InstanceId, mpsc::UnboundedSender<Kill>>,
    ever: BTreeSet<InstanceId>,
    lives: JoinSet<()>,
    happenings: mpsc::UnboundedSender<Happening>,
}

/// The order to die on the spot. The other order, to terminate, is that the sender is gone.
#[derive(Debug)]
struct Kill;

/// An instance that cannot be killed because it is not up.
#[derive(Debug, thiserror::Error)]
#[error("instance {0} is not up: it was never wanted, or is terminated already")]
pub struct NotUp(InstanceId);

impl Instances {
    /// No instances yet, and where to hear of them.
    pub fn new(mut settings: Settings) -> (Self, mpsc::UnboundedReceiver<Happening>) {
        // Instances start in their own directories, from where a relative path leads elsewhere.
        if let Ok(run_dir) = std::path::absolute(&settings.run_dir) {
            settings.run_dir = run_dir;
        }
        let (happenings, heard) = mpsc::unbounded_channel();
        let (up, ever, lives) = (BTreeMap::new(), BTreeSet::new(), JoinSet::new());
        (Self { settings, up, ever, lives, happenings }, heard)
    }

    /// Makes the instances that run the ones that are wanted. Must be called within a tokio runtime.
    ///
    /// An id that was ever wanted and then was not is never started again: as on EC2, termination is final.
    pub fn reconcile(&mut self, wanted: &[Wanted]) {
        while self.lives.try_join_next().is_some() {}
        let ids: BTreeSet<_> = wanted.iter().map(|wanted| &wanted.id).collect();
        self.up.retain(|id, _| ids.contains(id));
        for wanted in wanted {
            if self.ever.insert(wanted.id.clone()) {
                let (kill, killed) = mpsc::unbounded_channel();
                self.up.insert(wanted.id.clone(), kill);
                let life = life::live(wanted.clone(), self.settings.clone(), killed, self.happenings.clone());
                self.lives.spawn(life);
            }
        }
    }

    /// Kills every process of an instance at once, as if its machine had lost power. The instance is not
    /// terminated: it stays wanted, and nothing brings it back.
    ///
    /// # Errors
    ///
    /// [`NotUp`] where no such instance is up.
    pub fn kill(&self, id: &InstanceId) -> Result<(), NotUp> {
        let order = self.up.get(id).and_then(|kill| kill.send(Kill).ok());
        order.ok_or_else(|| NotUp(id.clone()))
    }

    /// Terminates every instance and returns once they are gone.
    pub async fn shut_down(mut self) {
        self.up.clear();
        while self.lives.join_next().await.is_some() {}
    }
}
