//! Writes the CRDs to `crds/yaml`, a file each.

use std::error::Error;
use std::path::Path;

use dryad_crds::generate;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("yaml");
    for crd in generate::crds() {
        let file = folder.join(format!("{}.yaml", crd.spec.names.plural));
        std::fs::write(&file, generate::yaml(&crd)?)?;
        println!("{}", file.display());
    }
    Ok(())
}
