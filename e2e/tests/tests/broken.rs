//! Every rule, and promises beside them, can still be broken by the patches in `broken/`, so that `broken/run` can see
//! the tests notice.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const RULES: [&str; 12] = ["L1", "L2", "L3", "L4", "S1", "S2", "S3", "S4", "S5", "S6", "S7", "S8"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Those of the rules, and whatever else there is.
fn patches() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("broken");
    let rules = RULES.map(|rule| folder.join(rule).with_extension("patch"));
    let promises =
        fs::read_dir(folder.join("promises")).expect("a folder").map(|file| file.expect("a file").path());
    rules.into_iter().chain(promises).collect()
}

#[test]
fn every_rule_and_promise_has_a_patch_that_applies() {
    for patch in patches() {
        let checked = Command::new("git")
            .current_dir(root())
            .args(["apply", "--check"])
            .arg(&patch)
            .output()
            .expect("git is there");
        let words = String::from_utf8_lossy(&checked.stderr);
        assert!(checked.status.success(), "{} has to be made anew: {words}", patch.display());
    }
}

#[test]
fn every_patch_says_how_it_breaks_what_and_which_tests_notice() {
    let end_to_end = sources(&root().join("e2e/tests/tests/e2e"));
    for patch in patches() {
        let (name, text) = (patch.display(), fs::read_to_string(&patch).expect("it is there"));
        let [how, tests] = [0, 1].map(|line| text.lines().nth(line).unwrap_or_default());
        assert!(how.ends_with('.'), "{name}: {how}");
        let tests = tests.strip_prefix("Tests: ").unwrap_or_else(|| panic!("{name}: {tests}"));
        let words: Vec<_> = tests.split(' ').collect();
        match words.as_slice() {
            ["-p", package, .., filter] => {
                let (_, folder) = package.split_once('-').expect("dryad-…");
                let folder = ["crds", "operator"].map(|it| root().join(it)).into_iter().find_map(|it| {
                    if it.ends_with(folder) {
                        Some(it)
                    } else {
                        Some(it.join(folder)).filter(|it| it.is_dir())
                    }
                });
                let folder = folder.unwrap_or_else(|| panic!("{name}: there is no package {package}"));
                assert!(is_known(&sources(&folder), filter), "{name}: {package} has no test {filter}");
            }
            filters => {
                for filter in filters {
                    assert!(is_known(&end_to_end, filter), "{name}: there is no end-to-end test {filter}");
                }
            }
        }
    }
}

/// Every source file below.
fn sources(folder: &Path) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).expect("text");
            found.push((path, text));
        }
    }
    found
}

/// Whether a filter, `module` or `module::how_a_name_begins`, can fit a test.
fn is_known(sources: &[(PathBuf, String)], filter: &str) -> bool {
    let last = filter.rsplit("::").next().unwrap_or_default();
    let is_module =
        |path: &Path| path.iter().any(|part| part == last || part == format!("{last}.rs").as_str());
    let begins = format!("fn {last}");
    sources.iter().any(|(path, text)| is_module(path) || text.contains(&begins))
}
