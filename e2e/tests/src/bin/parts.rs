//! The executable that the tests' operators and instances are.

use std::process::ExitCode;

fn main() -> ExitCode {
    dryad_stage::parts::play().unwrap_or_else(|| {
        eprintln!("set {} to the part to play", dryad_stage::parts::PART);
        ExitCode::from(2)
    })
}
