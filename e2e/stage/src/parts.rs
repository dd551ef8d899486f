//! The parts that one executable plays.

use std::ffi::OsStr;
use std::path::Path;
use std::process::ExitCode;

/// The environment variable that says which part to play.
pub const PART: &str = "DRYAD_PART";
/// The operator, with its own flags and environment variables.
pub const OPERATOR: &str = "operator";
/// The web application of an instance, with the checkout as its one argument.
pub const WEBAPP: &str = "webapp";

/// Plays the part that [`PART`] names, to its end; `None` if there is none to play.
pub fn play() -> Option<ExitCode> {
    match std::env::var_os(PART)?.to_str()? {
        OPERATOR => {
            end_with_whoever_started_us();
            Some(dryad::main())
        }
        WEBAPP => Some(webapp(&std::env::args_os().nth(1).unwrap_or_default())),
        _ => None,
    }
}

/// Ends this process when its standard input does: then whoever held the other end is gone, however it died.
fn end_with_whoever_started_us() {
    std::thread::spawn(|| {
        let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
        std::process::exit(1);
    });
}

fn webapp(checkout: &OsStr) -> ExitCode {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let Ok(runtime) = runtime else { return ExitCode::FAILURE };
    match runtime.block_on(dryad_local_cloud::webapp::run(Path::new(checkout))) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("webapp: {error}");
            ExitCode::FAILURE
        }
    }
}
