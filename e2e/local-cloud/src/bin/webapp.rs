//! `dryad-webapp <checkout>`: the web application of the demo and the tests, see [`dryad_local_cloud::webapp`].

use std::path::Path;
use std::process::ExitCode;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let Some(checkout) = std::env::args_os().nth(1) else {
        eprintln!("usage: PRIVATE_IP=127.0.0.1 PORT=8080 dryad-webapp <checkout>");
        return ExitCode::from(2);
    };
    match dryad_local_cloud::webapp::run(Path::new(&checkout)).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("dryad-webapp: {error}");
            ExitCode::FAILURE
        }
    }
}
