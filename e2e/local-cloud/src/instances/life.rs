//! The life of one instance, from launch to termination.

use std::collections::BTreeMap;
use std::env;

use tokio::sync::mpsc;

use super::directory::{Directories, Directory};
use super::guard::{Guard, Seen};
use super::wanted::{LaunchError, Wanted};
use super::{Happening, Kill, Settings, What};

/// What is left of an instance that is up.
enum State {
    Running(Box<Guard>),
    /// Up, but its user data could not be run.
    Empty,
    Dead,
}

/// Lives until the sender of orders is gone, and then terminates.
pub(super) async fn live(
    wanted: Wanted,
    settings: Settings,
    mut orders: mpsc::UnboundedReceiver<Kill>,
    happenings: mpsc::UnboundedSender<Happening>,
) {
    // Nobody may be listening any more; that is theirs to decide.
    let tell = |what| _ = happenings.send(Happening { id: wanted.id.clone(), what });
    let directory = Directory::of(&wanted.id, &settings.run_dir);
    let mut state = match launch(&wanted, &directory) {
        Ok(guard) => {
            tell(What::Started);
            State::Running(Box::new(guard))
        }
        Err(error) => {
            tell(What::NotStarted(error));
            State::Empty
        }
    };
    loop {
        tokio::select! {
            seen = next(&mut state) => match seen {
                Seen::Exited(code) => tell(What::Exited(code)),
                Seen::Died => {
                    state = State::Dead;
                    tell(What::Died);
                }
            },
            order = orders.recv() => {
                let Some(Kill) = order else { break };
                match std::mem::replace(&mut state, State::Dead) {
                    State::Running(guard) => guard.kill().await,
                    State::Empty => {}
                    State::Dead => continue,
                }
                tell(What::Died);
            }
        }
    }
    if let State::Running(guard) = state {
        guard.terminate(settings.grace).await;
    }
    if settings.directories == Directories::Remove
        && let Err(error) = directory.remove().await
    {
        tracing::warn!(instance = %wanted.id, %error, "its directory could not be removed");
    }
    tell(What::Terminated);
}

async fn next(state: &mut State) -> Seen {
    match state {
        State::Running(guard) => guard.next().await,
        State::Empty | State::Dead => std::future::pending().await,
    }
}

fn launch(wanted: &Wanted, directory: &Directory) -> Result<Guard, LaunchError> {
    if !wanted.address.ip().is_loopback() {
        return Err(LaunchError::NotLoopback(wanted.address));
    }
    directory.prepare(&wanted.user_data)?;
    if !wanted.user_data.starts_with(b"#!") {
        return Err(LaunchError::NotAScript);
    }
    Guard::start(directory, &environment(wanted, directory))
}

/// What is ours wins over what was asked for: an instance may not lie about which one it is.
fn environment(wanted: &Wanted, directory: &Directory) -> BTreeMap<String, String> {
    let mut environment = BTreeMap::from([
        ("PATH".to_owned(), env::var("PATH").unwrap_or_else(|_| "/usr/local/bin:/usr/bin:/bin".to_owned())),
        ("HOME".to_owned(), directory.home().to_string_lossy().into_owned()),
    ]);
    environment.extend(wanted.environment.clone());
    environment.extend([
        ("INSTANCE_ID".to_owned(), wanted.id.to_string()),
        ("PRIVATE_IP".to_owned(), wanted.address.ip().to_string()),
        ("PORT".to_owned(), wanted.address.port().to_string()),
    ]);
    environment
}
