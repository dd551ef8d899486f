//! The whole of it: what is put up before the first act, and what is looked at after the last.

use std::path::Path;
use std::process::ExitCode;
use std::sync::{Arc, OnceLock};

use dryad_cluster::{Cluster, Options};
use dryad_stage::Stage;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::acts::{self, Scene};
use crate::error::DemoError;
use crate::live::Live;
use crate::narrator::{Narrator, Tone};
use crate::report;

/// What becomes of it all after the last act.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Afterwards {
    /// It is taken down.
    Leave,
    /// It stays until Ctrl-C.
    Keep,
}

/// Runs the demo; success only if all went as promised. Ctrl-C ends it at any time, and nothing stays behind.
pub(crate) async fn run(narrator: &Arc<Narrator>, afterwards: Afterwards) -> ExitCode {
    // Before anything is put up, so that Ctrl-C always takes it down again.
    let signals = [SignalKind::interrupt(), SignalKind::terminate()].map(signal);
    let [Ok(mut interrupt), Ok(mut terminate)] = signals else {
        narrator.trouble("cannot listen for Ctrl-C");
        return ExitCode::FAILURE;
    };
    // What came of it, once it is over and only stays to be played with.
    let over = OnceLock::new();
    let outcome = tokio::select! {
        outcome = perform(narrator, afterwards, &over) => outcome,
        () = either(&mut interrupt, &mut terminate) => Ok(over.get().copied().unwrap_or(Promises::Broken)),
    };
    match outcome {
        Ok(Promises::Kept) => ExitCode::SUCCESS,
        Ok(Promises::Broken) => {
            narrator.trouble(
                "it did not go as promised, or not to its end; everything that was started ends now",
            );
            ExitCode::FAILURE
        }
        Err(error) => {
            narrator.trouble(&error.to_string());
            ExitCode::FAILURE
        }
    }
}

async fn either(interrupt: &mut Signal, terminate: &mut Signal) {
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
}

/// Whether all went as the demo says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Promises {
    /// Yes.
    Kept,
    /// Not all of it; the lines with a cross say what.
    Broken,
}

async fn perform(
    narrator: &Arc<Narrator>,
    afterwards: Afterwards,
    over: &OnceLock<Promises>,
) -> Result<Promises, DemoError> {
    narrator.title("Dryad", "makes deploys boring: six of them, under load, on this machine");
    let cluster = Cluster::start(Options::default()).await?;
    let stage = Stage::set(&cluster, "shop", &std::env::current_exe()?).await?;
    introduce(narrator, &cluster, &stage);

    let mut scene = Scene::set(&stage, Arc::clone(narrator))?;
    let outcome = play(&mut scene, afterwards, over).await;
    if outcome.is_err() {
        narrator.print(&scene.last_words());
    }
    let promises = outcome?;
    drop(scene);
    drop(stage);
    cluster.stop().await?;
    Ok(promises)
}

async fn play(
    scene: &mut Scene<'_>,
    afterwards: Afterwards,
    over: &OnceLock<Promises>,
) -> Result<Promises, DemoError> {
    let (stage, narrator) = (scene.stage, Arc::clone(&scene.narrator));
    let live = Live::start(
        Arc::clone(&narrator),
        stage.cloud.control(),
        stage.web.rule.clone(),
        scene.board.seen(),
        scene.users.clone(),
    );
    acts::first_deploy(scene).await?;
    acts::next_release(scene).await?;
    acts::bad_release(scene).await?;
    acts::abort_half_way(scene).await?;
    acts::operator_killed(scene).await?;
    acts::instant_return(scene).await?;
    drop(live);

    report::histories(&narrator, &scene.board);
    report::users(scene).await;
    match afterwards {
        Afterwards::Leave => report::leave(scene).await,
        Afterwards::Keep => {
            narrator.print("");
            narrator.say(&format!("All of it stays: {} is yours. Ctrl-C ends it.", stage.web.url));
            let _ = over.set(scene.promises);
            std::future::pending().await
        }
    }
}

/// Says where everything is.
fn introduce(narrator: &Narrator, cluster: &Cluster, stage: &Stage) {
    narrator.print("");
    narrator.fact("Kubernetes", &format!("{}, a real one without nodes", cluster.url()));
    narrator.fact("cloud", &format!("{}, a local one; its instances are processes", stage.cloud.endpoint()));
    narrator.fact("users go to", &format!("{}, its load balancer", stage.web.url));
    narrator.fact("repository", &stage.repository.url());
    narrator.print("\n   Watch from another terminal:");
    let kubeconfig = cluster.kubeconfig().path().display();
    let line = format!("KUBECONFIG={kubeconfig} {} get denv,ddep -A", kubectl(cluster));
    narrator.print(&format!("   {}", narrator.tinted(Tone::Bold, &line)));
}

/// The kubectl on `PATH`, or the one of the cluster's build.
fn kubectl(cluster: &Cluster) -> String {
    const NAME: &str = "kubectl";
    let path = std::env::var_os("PATH").unwrap_or_default();
    let on_path =
        std::env::split_paths(&path).any(|directory: std::path::PathBuf| directory.join(NAME).is_file());
    match cluster.kubectl() {
        Ok(command) if !on_path => Path::new(command.get_program()).display().to_string(),
        _ => NAME.to_owned(),
    }
}
