//! A local Kubernetes by hand: `dryad-cluster up`.

use std::error::Error;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, ExitCode};

use clap::Parser;
use dryad_cluster::{Assets, Cluster, Options, Tool};
use tokio::signal::unix::{SignalKind, signal};

/// A real Kubernetes on a bare machine: no Docker, no root. It has no nodes.
#[derive(Parser)]
#[command(version)]
enum Action {
    /// Start one and keep it until Ctrl-C.
    Up,
    /// Find, fetch or build its programs, and print where they are.
    Assets,
    /// Run the kubectl that fits it, on the cluster that KUBECONFIG names.
    Kubectl(Arguments),
    /// Run the helm that fits it, on the cluster that KUBECONFIG names.
    Helm(Arguments),
}

#[derive(clap::Args)]
struct Arguments {
    /// Handed on as they are.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Action::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(action: Action) -> Result<(), Box<dyn Error>> {
    match action {
        Action::Up => up().await,
        Action::Assets => {
            let assets = Assets::find().await?;
            for tool in Tool::ALL {
                if let Some(path) = assets.path(tool) {
                    println!("{} {} {}", assets.origin(), tool.file_name(), path.display());
                }
            }
            for missing in assets.missing() {
                eprintln!("{missing}");
            }
            Ok(())
        }
        Action::Kubectl(Arguments { arguments }) => {
            Err(Command::new(Assets::find().await?.kubectl()?).args(arguments).exec().into())
        }
        Action::Helm(Arguments { arguments }) => {
            Err(Command::new(Assets::find().await?.helm()?).args(arguments).exec().into())
        }
    }
}

async fn up() -> Result<(), Box<dyn Error>> {
    // Listened for before anything starts: an early Ctrl-C counts too.
    let mut terminate = signal(SignalKind::terminate())?;
    let cluster = tokio::select! {
        cluster = Cluster::start(Options::default()) => cluster?,
        _ = tokio::signal::ctrl_c() => return Ok(()),
        _ = terminate.recv() => return Ok(()),
    };
    let kubectl = cluster.kubectl().map_or("kubectl".into(), |command| command.get_program().to_owned());
    println!("KUBECONFIG={} {} get namespaces", cluster.kubeconfig().path().display(), kubectl.display());
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
    }
    cluster.stop().await?;
    Ok(())
}
