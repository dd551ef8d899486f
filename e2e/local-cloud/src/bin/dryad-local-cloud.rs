//! `dryad-local-cloud serve`: a local cloud with the web fixture in it, until Ctrl-C.

use std::collections::BTreeMap;
use std::env;
use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use dryad_local_cloud::instances::Directories;
use dryad_local_cloud::local_cloud::{InstanceKind, LocalCloud, Options, WebFixture};
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

/// AWS as far as Dryad uses it, on one machine.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Runs a cloud with a web application's surroundings in it, until Ctrl-C.
    Serve(Serve),
}

#[derive(Debug, clap::Args)]
struct Serve {
    /// The endpoint's port on 127.0.0.1; 0 is any free one.
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// Where instances have their directories, which then stay; without it they are temporary.
    #[arg(long, value_name = "DIRECTORY", conflicts_with = "simulated")]
    run_dir: Option<PathBuf>,
    /// Instances have no processes, and all targets are healthy.
    #[arg(long)]
    simulated: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    let Command::Serve(serve) = Arguments::parse().command;
    match run(serve).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("dryad-local-cloud: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(serve: Serve) -> Result<(), Box<dyn Error>> {
    // Before anything runs: whoever has read that it runs may rely on both signals.
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let temporary = tempfile::Builder::new().prefix("dryad-local-cloud-").tempdir()?;
    let instances = if serve.simulated {
        InstanceKind::Simulated
    } else {
        let (run_dir, directories) = match serve.run_dir {
            Some(run_dir) => (run_dir, Directories::Keep),
            None => (temporary.path().to_owned(), Directories::Remove),
        };
        InstanceKind::Real { run_dir, directories, environment: with_own_programs()? }
    };
    let cloud = LocalCloud::start(Options { port: serve.port, instances, ..Options::simulated() }).await?;
    let web = cloud.web_fixture().await?;
    tell(&cloud.endpoint(), &web);
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    cloud.shut_down().await;
    Ok(())
}

/// A `PATH` for user data on which it finds `dryad-webapp`, which is built beside this program.
fn with_own_programs() -> Result<BTreeMap<String, String>, Box<dyn Error>> {
    let mut path: Vec<PathBuf> = env::current_exe()?.parent().map(PathBuf::from).into_iter().collect();
    path.extend(env::split_paths(&env::var_os("PATH").unwrap_or_default()));
    let path = env::join_paths(path)?.into_string().map_err(|_| "PATH is not UTF-8")?;
    Ok(BTreeMap::from([("PATH".to_owned(), path)]))
}

fn tell(endpoint: &str, web: &WebFixture) {
    println!("endpoint: {endpoint}");
    println!("users:    {} (load balancer `web`), {} (load balancer `shared`)\n", web.url, web.shared.url);
    for (what, name) in web.names() {
        println!("{what:<32}  {name}");
    }
    println!(
        "\nAWS_ENDPOINT_URL={endpoint} AWS_DEFAULT_REGION={} AWS_ACCESS_KEY_ID={} AWS_SECRET_ACCESS_KEY=any aws elbv2 describe-rules --rule-arns {}\n",
        web.place.region, web.place.account, web.rule
    );
    println!("Ctrl-C ends it, and every instance with it.");
}
