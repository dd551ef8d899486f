//! `cargo demo`.

use std::process::ExitCode;

fn main() -> ExitCode {
    dryad_demo::main()
}
