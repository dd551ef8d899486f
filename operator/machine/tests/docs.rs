//! `docs/machine.md` shows the table as it is.

use std::path::PathBuf;

use dryad_machine::diagram;

#[test]
fn the_documented_table_is_the_one_in_the_code() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/machine.md");
    let written = std::fs::read_to_string(&path).expect("docs/machine.md exists");
    let diagram = format!("```mermaid\n{}```", diagram::mermaid());
    let generated = replace(&written, "diagram", &diagram);
    let generated = replace(&generated, "table", diagram::markdown().trim_end());
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &generated).expect("docs/machine.md can be written");
        return;
    }
    assert!(
        written == generated,
        "docs/machine.md is not what the table says; run: UPDATE_DOCS=1 cargo test -p dryad-machine --test docs"
    );
}

/// Replaces what stands between the markers of this name.
fn replace(text: &str, name: &str, by: &str) -> String {
    let (begin, end) = (format!("<!-- {name}: generated -->"), format!("<!-- {name}: end -->"));
    let (before, rest) = text.split_once(&begin).expect("the begin marker");
    let (_, after) = rest.split_once(&end).expect("the end marker");
    format!("{before}{begin}\n{by}\n{end}{after}")
}
