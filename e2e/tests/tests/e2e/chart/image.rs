//! The image, as far as it can be tested without building it.

use std::collections::BTreeSet;
use std::fs::read_to_string;

use crate::chart::repository;

/// The lines of the Dockerfile that begin with this word, each without it.
fn instructions(word: &str) -> Vec<String> {
    let text = read_to_string(repository("Dockerfile")).expect("a Dockerfile");
    let joined = text.replace("\\\n", " ");
    let lines = joined.lines().filter_map(|line| line.trim().strip_prefix(word)?.strip_prefix(' '));
    lines.map(str::to_owned).collect()
}

#[test]
fn what_is_copied_exists_and_is_not_ignored() {
    let let_in = read_to_string(repository(".dockerignore")).expect("a file");
    let let_in: BTreeSet<&str> = let_in.lines().filter_map(|line| line.strip_prefix('!')).collect();
    let mut copied = BTreeSet::new();
    for line in instructions("COPY").iter().filter(|line| !line.starts_with("--from")) {
        let mut words: Vec<_> = line.split_whitespace().collect();
        words.pop();
        for path in words {
            assert!(repository(path).exists(), "COPY {line}: there is no {path}");
            copied.insert(path.to_owned());
        }
    }
    assert_eq!(copied.iter().map(String::as_str).collect::<BTreeSet<_>>(), let_in);
}

#[test]
fn what_a_killed_git_leaves_behind_is_waited_for_by_the_first_process() {
    let [entrypoint] = instructions("ENTRYPOINT").try_into().expect("one entrypoint");
    assert!(entrypoint.starts_with(r#"["/sbin/tini", "--", "#), "{entrypoint}");
    let installed =
        instructions("RUN").into_iter().find(|line| line.contains("openssh-client")).expect("git");
    assert!(installed.split_whitespace().any(|package| package == "tini"), "{installed}");
    let deployment =
        read_to_string(repository("charts/dryad/templates/deployment.yaml")).expect("a template");
    assert!(!deployment.contains("command:"), "the image says what is started");
}

#[test]
fn it_is_built_by_a_rust_that_the_workspace_takes() {
    let manifest = read_to_string(repository("Cargo.toml")).expect("a manifest");
    let arguments = instructions("ARG");
    let version =
        arguments.iter().find_map(|argument| argument.strip_prefix("RUST_VERSION=")).expect("a version");
    assert!(manifest.contains(&format!("rust-version = \"{version}\"")), "{version}");
}

#[test]
fn it_runs_as_whom_the_chart_runs_it_and_is_heard_where_the_chart_asks() {
    let deployment =
        read_to_string(repository("charts/dryad/templates/deployment.yaml")).expect("a template");
    let [user] = instructions("USER").try_into().expect("one user");
    let (user, group) = user.split_once(':').expect("a user and a group");
    assert!(deployment.contains(&format!("runAsUser: {user}\n")), "{user}");
    assert!(deployment.contains(&format!("runAsGroup: {group}\n")), "{group}");
    let [port] = instructions("EXPOSE").try_into().expect("one port");
    assert!(deployment.contains(&format!("containerPort: {port}\n")), "{port}");
}

#[test]
fn chart_image_and_operator_have_one_version() {
    let manifest = read_to_string(repository("Cargo.toml")).expect("a manifest");
    let chart = read_to_string(repository("charts/dryad/Chart.yaml")).expect("a chart");
    let version = chart.lines().find_map(|line| line.strip_prefix("version: ")).expect("a version");
    assert!(manifest.contains(&format!("version = \"{version}\"\n")), "{version}");
    assert!(chart.contains(&format!("appVersion: {version}\n")), "{version}");
}
