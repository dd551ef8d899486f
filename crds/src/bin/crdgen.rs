//! Writes the CRDs to `crds/yaml` and into the chart, a file each, and their reference to `docs/api.md`.

use std::error::Error;
use std::path::Path;

use dryad_crds::{generate, reference};

fn main() -> Result<(), Box<dyn Error>> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let crds = generate::crds();
    for crd in &crds {
        let name = format!("{}.yaml", crd.spec.names.plural);
        let yaml = generate::yaml(crd)?;
        write(&here.join("yaml").join(&name), &yaml)?;
        // Copies, and no links: who fetches charts from git may leave links out.
        write(&here.join("../charts/dryad/files/crds").join(&name), &yaml)?;
    }
    write(&here.join("../docs/api.md"), &reference::markdown(&crds))
}

fn write(file: &Path, text: &str) -> Result<(), Box<dyn Error>> {
    std::fs::create_dir_all(file.parent().unwrap_or(Path::new(".")))?;
    std::fs::write(file, text).map_err(|error| format!("{}: {error}", file.display()))?;
    println!("{}", file.display());
    Ok(())
}
