//! The executable that the tests' operators and instances are, and, if no part is named, the demo.

use std::process::ExitCode;

fn main() -> ExitCode {
    dryad_demo::main()
}
