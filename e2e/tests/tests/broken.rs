//! Every rule can still be broken by its patch in `broken/`, so that `broken/run` can see the end-to-end tests notice.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const RULES: [&str; 12] = ["L1", "L2", "L3", "L4", "S1", "S2", "S3", "S4", "S5", "S6", "S7", "S8"];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("broken")
}

fn patch_of(rule: &str) -> PathBuf {
    folder().join(rule).with_extension("patch")
}

#[test]
fn every_rule_has_a_patch_that_applies() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    for rule in RULES {
        let patch = patch_of(rule);
        let checked = Command::new("git")
            .current_dir(&root)
            .args(["apply", "--check"])
            .arg(&patch)
            .output()
            .expect("git is there");
        let words = String::from_utf8_lossy(&checked.stderr);
        assert!(checked.status.success(), "{} has to be made anew: {words}", patch.display());
    }
}

#[test]
fn every_patch_says_how_it_breaks_the_rule_and_which_tests_notice() {
    let modules: BTreeSet<_> = ["api", "deploys"]
        .into_iter()
        .flat_map(|folder| {
            fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/e2e").join(folder))
                .expect("a folder")
        })
        .map(|file| file.expect("a file").path().file_stem().expect("a name").to_string_lossy().into_owned())
        .collect();
    for rule in RULES {
        let text = fs::read_to_string(patch_of(rule)).expect("it is there");
        let [how, tests] = [0, 1].map(|line| text.lines().nth(line).unwrap_or_default());
        assert!(how.ends_with('.'), "{rule}: {how}");
        let tests = tests.strip_prefix("Tests: ").unwrap_or_else(|| panic!("{rule}: {tests}"));
        for filter in tests.split(' ') {
            let module = filter.trim_start_matches("api::").split("::").next().unwrap_or_default();
            assert!(modules.contains(module), "{rule}: there is no module {module} of end-to-end tests");
        }
    }
}
