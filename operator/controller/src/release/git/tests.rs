//! Git asked for real: repositories on disk, and behind git's own HTTP server with TLS.

mod upstream;

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use dryad_git_server::{Manners, Server, processes_with};
use dryad_machine::release::{Commit, ReleaseRequest};
use tempfile::TempDir;

use super::*;
use crate::release::{Answer, Asked, Past, Retry, Source, decide};
use upstream::{Recorder, Upstream};

/// Long enough for a slow machine; tests of the timeout set their own.
const PATIENCE: Duration = Duration::from_mins(2);

/// The operator's side: a cache of its own, and a git that is recorded.
struct Bench {
    cache: TempDir,
    recorder: Recorder,
}

impl Bench {
    fn new() -> Self {
        Self { cache: tempfile::tempdir().unwrap(), recorder: Recorder::new() }
    }

    fn options(&self) -> GitOptions {
        GitOptions {
            program: self.recorder.program(),
            cache: self.cache.path().join("git"),
            cache_bytes: 1 << 30,
            timeout: PATIENCE,
            protocols: Protocols::RemoteAndFile,
            certificates: None,
        }
    }

    fn git(&self) -> Git {
        Git::new(self.options())
    }

    fn git_trusting(&self, server: &Server) -> Git {
        Git::new(GitOptions { certificates: Some(server.certificate()), ..self.options() })
    }

    /// The copies in the cache.
    fn copies(&self) -> Vec<PathBuf> {
        let listed = std::fs::read_dir(self.cache.path().join("git")).unwrap();
        listed
            .flatten()
            .map(|e| e.path())
            .filter(|path| path.extension().is_some_and(|e| e == "git"))
            .collect()
    }
}

/// The question that a request of this branch and commit comes to.
fn question(url: &str, branch: &str, commit: Option<&str>) -> Question {
    let request = ReleaseRequest {
        branch: Some(branch.parse().unwrap()),
        commit: commit.map(|digits| digits.parse().unwrap()),
        ..ReleaseRequest::default()
    };
    let source = Source { repository: url.parse().unwrap(), branch: None };
    let past = Past { deployed: None, history: &[] };
    match decide(&Asked::Manual(request), past, Some(&source)).unwrap() {
        Answer::AskGit(question) => question,
        other => panic!("git should be asked: {other:?}"),
    }
}

/// The commit that is found.
async fn commit(git: &Git, url: &str, branch: &str, commit: Option<&str>) -> Result<String, ResolveError> {
    let resolved = git.answer(question(url, branch, commit), None).await?;
    assert_eq!(resolved.release.branch.unwrap().as_str(), branch);
    Ok(resolved.release.commit.unwrap().to_string())
}

#[tokio::test]
async fn a_branch_means_its_tip_with_date_and_subject() {
    let (upstream, made) = Upstream::with_commits(3);
    let resolved = Bench::new().git().answer(question(&upstream.url(), "main", None), None).await.unwrap();
    assert_eq!(resolved.release.commit.unwrap().as_str(), made[2]);
    assert_eq!(resolved.subject.unwrap(), "Change 3");
    assert_eq!(resolved.committed_at.unwrap().as_second(), 1_700_000_060);
}

#[tokio::test]
async fn a_commit_is_found_in_full_and_abbreviated() {
    let (upstream, made) = Upstream::with_commits(3);
    let (bench, url) = (Bench::new(), upstream.url());
    for digits in [&made[0][..], &made[0][..7], &made[1][..20]] {
        let found = commit(&bench.git(), &url, "main", Some(digits)).await.unwrap();
        assert!(found.starts_with(digits));
    }
}

#[tokio::test]
async fn a_commit_is_found_by_sha256_too() {
    let upstream = Upstream::empty("sha256");
    let (first, _) = (upstream.commit("main", "One"), upstream.commit("main", "Two"));
    assert_eq!(first.len(), 64);
    assert_eq!(commit(&Bench::new().git(), &upstream.url(), "main", Some(&first[..9])).await.unwrap(), first);
}

#[tokio::test]
async fn digits_shared_by_two_commits_are_ambiguous_only_where_both_can_be_reached() {
    let (upstream, made) = Upstream::with_many_commits(40_000);
    let mut seen = HashMap::new();
    let (older, newer) = made
        .iter()
        .find_map(|commit| Some((seen.insert(&commit[..7], commit)?, commit)))
        .expect("among so many, two begin alike");
    upstream.git(&["update-ref", "refs/heads/early", older]);
    let (bench, url) = (Bench::new(), upstream.url());
    let error = commit(&bench.git(), &url, "main", Some(&older[..7])).await.unwrap_err();
    let ResolveError::AmbiguousCommit { candidates, .. } = &error else { panic!("{error}") };
    let mut named: Vec<&str> = candidates.iter().map(Commit::as_str).collect();
    named.sort_unstable();
    let mut expected = [older.as_str(), newer.as_str()];
    expected.sort_unstable();
    assert_eq!(named, expected);
    assert_eq!(error.retry(), Retry::Never);
    assert_eq!(commit(&bench.git(), &url, "early", Some(&older[..7])).await.unwrap(), *older);
    assert_eq!(commit(&bench.git(), &url, "main", Some(newer)).await.unwrap(), *newer);
}

#[tokio::test]
async fn an_unknown_commit_is_told_from_one_on_another_branch() {
    let (upstream, made) = Upstream::with_commits(2);
    let aside = upstream.commit_onto("feature/aside", Some(&made[0]), "Aside");
    let (bench, url) = (Bench::new(), upstream.url());
    for digits in [&aside[..], &aside[..7]] {
        let error = commit(&bench.git(), &url, "main", Some(digits)).await.unwrap_err();
        assert_eq!(
            error.to_string(),
            format!(
                "commit {digits} cannot be reached from branch `main` of {url}, only from `feature/aside`: name a \
                 branch that holds it, or merge it"
            )
        );
        assert_eq!(error.retry(), Retry::Never);
    }
    for digits in ["0123456789abcdef0123456789abcdef01234567", "0123456"] {
        let error = commit(&bench.git(), &url, "main", Some(digits)).await.unwrap_err();
        let expected =
            format!("{url} has no commit {digits} on any of its branches: check its digits, or push it");
        assert_eq!(error.to_string(), expected);
        assert_eq!(error.retry(), Retry::Never);
    }
}

#[tokio::test]
async fn a_tree_is_no_commit() {
    let (upstream, made) = Upstream::with_commits(1);
    upstream.git(&["config", "uploadpack.allowFilter", "false"]);
    let tree = upstream.git(&["rev-parse", &format!("{}^{{tree}}", made[0])]);
    let error = commit(&Bench::new().git(), &upstream.url(), "main", Some(&tree)).await.unwrap_err();
    assert!(matches!(error, ResolveError::UnknownCommit { .. }), "{error}");
}

#[tokio::test]
async fn a_missing_branch_says_so_and_a_namesake_does_not_stand_in() {
    let (upstream, _) = Upstream::with_commits(1);
    upstream.commit("other/refs/heads/missing", "A namesake");
    let url = upstream.url();
    let error = commit(&Bench::new().git(), &url, "missing", None).await.unwrap_err();
    assert_eq!(error.to_string(), format!("{url} has no branch `missing`: check its name, or push it"));
    assert_eq!(error.retry(), Retry::Never);
}

#[tokio::test]
async fn an_empty_repository_has_no_branch() {
    let upstream = Upstream::empty("sha1");
    let error = commit(&Bench::new().git(), &upstream.url(), "main", None).await.unwrap_err();
    assert!(matches!(error, ResolveError::UnknownBranch { .. }), "{error}");
}

#[tokio::test]
async fn what_is_here_already_is_not_fetched_again() {
    let (upstream, made) = Upstream::with_commits(5);
    let (bench, url) = (Bench::new(), upstream.url());
    commit(&bench.git(), &url, "main", None).await.unwrap();
    assert_eq!(bench.recorder.runs_of("fetch"), 1);
    commit(&bench.git(), &url, "main", Some(&made[1])).await.unwrap();
    assert_eq!(bench.recorder.runs_of("fetch"), 1);
    let newer = upstream.commit("main", "Newer");
    assert_eq!(commit(&bench.git(), &url, "main", None).await.unwrap(), newer);
    assert_eq!(bench.recorder.runs_of("fetch"), 2);
}

#[tokio::test]
async fn only_commits_are_fetched_and_none_of_the_rest_later() {
    let (upstream, made) = Upstream::with_commits(4);
    let bench = Bench::new();
    commit(&bench.git(), &upstream.url(), "main", Some(&made[0])).await.unwrap();
    let copies = bench.copies();
    let mut count = std::process::Command::new("git");
    let count = count.arg("--git-dir").arg(&copies[0]).args(["count-objects", "-v"]).output().unwrap();
    let count = String::from_utf8(count.stdout).unwrap();
    assert!(count.contains("in-pack: 4\n") && count.contains("count: 0\n"), "{count}");
}

#[tokio::test]
async fn a_rewritten_branch_is_believed_and_its_old_commits_are_gone() {
    let (upstream, made) = Upstream::with_commits(3);
    let (bench, url) = (Bench::new(), upstream.url());
    commit(&bench.git(), &url, "main", None).await.unwrap();
    let rewritten = upstream.commit_onto("main", Some(&made[0]), "Rewritten");
    assert_eq!(commit(&bench.git(), &url, "main", None).await.unwrap(), rewritten);
    assert_eq!(commit(&bench.git(), &url, "main", Some(&made[0])).await.unwrap(), made[0]);
    let error = commit(&bench.git(), &url, "main", Some(&made[2])).await.unwrap_err();
    assert!(matches!(error, ResolveError::UnknownCommit { .. }), "{error}");
}

#[tokio::test]
async fn a_branch_may_give_way_to_one_below_its_name() {
    let (upstream, made) = Upstream::with_commits(1);
    let (bench, url) = (Bench::new(), upstream.url());
    upstream.commit_onto("a", Some(&made[0]), "A");
    let gone = "0123456";
    for branch in ["a", "main"] {
        commit(&bench.git(), &url, branch, None).await.unwrap();
        commit(&bench.git(), &url, branch, Some(gone)).await.unwrap_err();
    }
    upstream.git(&["update-ref", "-d", "refs/heads/a"]);
    let below = upstream.commit_onto("a/b", Some(&made[0]), "B");
    assert_eq!(commit(&bench.git(), &url, "a/b", None).await.unwrap(), below);
    let error = commit(&bench.git(), &url, "main", Some(&below)).await.unwrap_err();
    assert!(error.to_string().contains("only from `a/b`"), "{error}");
}

#[tokio::test]
async fn a_shallow_repository_answers_for_what_it_has_and_is_fetched_once() {
    let (upstream, made) = Upstream::with_commits(4);
    let shallow = Upstream::empty("sha1");
    shallow.git(&["fetch", "--quiet", "--depth=2", &upstream.url(), "main:main"]);
    let (bench, url) = (Bench::new(), shallow.url());
    assert_eq!(commit(&bench.git(), &url, "main", Some(&made[2])).await.unwrap(), made[2]);
    assert_eq!(bench.recorder.runs_of("fetch"), 1);
    let error = commit(&bench.git(), &url, "main", Some(&made[0])).await.unwrap_err();
    assert!(matches!(error, ResolveError::UnknownCommit { .. }), "{error}");
}

#[tokio::test]
async fn a_spoilt_copy_is_made_anew() {
    let (upstream, made) = Upstream::with_commits(2);
    let (bench, url) = (Bench::new(), upstream.url());
    commit(&bench.git(), &url, "main", None).await.unwrap();
    std::fs::write(bench.copies()[0].join("config"), "[core").unwrap();
    let error = commit(&bench.git(), &url, "main", None).await.unwrap_err();
    assert!(matches!(error, ResolveError::Local { .. }), "{error}");
    assert_eq!(error.retry(), Retry::UntilDeadline);
    assert_eq!(commit(&bench.git(), &url, "main", None).await.unwrap(), made[1]);
}

#[tokio::test]
async fn a_copy_half_made_by_a_killed_operator_is_in_nobodys_way() {
    let (upstream, made) = Upstream::with_commits(2);
    let (bench, url) = (Bench::new(), upstream.url());
    commit(&bench.git(), &url, "main", None).await.unwrap();
    let copy = &bench.copies()[0];
    std::fs::rename(copy, copy.with_extension("new")).unwrap();
    std::fs::remove_file(copy.with_extension("new").join("config")).unwrap();
    assert_eq!(commit(&bench.git(), &url, "main", None).await.unwrap(), made[1]);
}

#[tokio::test]
async fn the_cache_keeps_to_its_size_and_forgets_the_oldest_first() {
    let bench = Bench::new();
    let upstreams: Vec<Upstream> = (0..3).map(|_| Upstream::with_commits(2).0).collect();
    for upstream in &upstreams[..2] {
        commit(&bench.git(), &upstream.url(), "main", None).await.unwrap();
    }
    let each = cache::size(&bench.copies()[0]);
    let tight = Git::new(GitOptions { cache_bytes: each * 5 / 2, ..bench.options() });
    commit(&tight, &upstreams[2].url(), "main", None).await.unwrap();
    assert_eq!(bench.copies().len(), 2);
    let fetches = bench.recorder.runs_of("fetch");
    commit(&tight, &upstreams[1].url(), "main", None).await.unwrap();
    assert_eq!(bench.recorder.runs_of("fetch"), fetches, "the newer one was to be kept");
}

#[tokio::test]
async fn questions_about_one_repository_may_be_asked_at_once() {
    let (upstream, made) = Upstream::with_commits(3);
    let (bench, url) = (Bench::new(), upstream.url());
    let (one, other) = (bench.git(), bench.git());
    let answers = futures::join!(
        commit(&one, &url, "main", None),
        commit(&other, &url, "main", Some(&made[0])),
        commit(&one, &url, "main", Some(&made[1])),
    );
    assert_eq!(
        (answers.0.unwrap(), answers.1.unwrap(), answers.2.unwrap()),
        (made[2].clone(), made[0].clone(), made[1].clone())
    );
    assert_eq!(bench.recorder.runs_of("fetch"), 1);
}

#[tokio::test]
async fn a_file_is_refused_unless_the_operator_allows_it() {
    let (upstream, _) = Upstream::with_commits(1);
    let bench = Bench::new();
    let git = Git::new(GitOptions { protocols: Protocols::Remote, ..bench.options() });
    let error = commit(&git, &upstream.url(), "main", None).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "{} was not asked: this operator may not speak `file` to repositories, use https",
            upstream.url()
        )
    );
    assert_eq!(bench.recorder.runs_of("ls-remote"), 0);
}

#[tokio::test]
async fn an_ssh_server_that_refuses_the_connection_is_tried_again() {
    let free = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let url = format!("ssh://git@127.0.0.1:{}/web", free.local_addr().unwrap().port());
    drop(free);
    let error = commit(&Bench::new().git(), &url, "main", None).await.unwrap_err();
    assert!(matches!(error, ResolveError::RepositoryUnreachable { .. }), "{error}");
}

#[tokio::test]
async fn a_directory_that_is_no_repository_says_so() {
    let nothing = tempfile::tempdir().unwrap();
    let url = format!("file://{}/web.git", nothing.path().display());
    let error = commit(&Bench::new().git(), &url, "main", None).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "there is no repository at {url}, or it may not be seen with no credentials: check `spec.source`"
        )
    );
}

#[tokio::test]
async fn without_git_it_says_so_and_tries_again() {
    let (upstream, _) = Upstream::with_commits(1);
    let bench = Bench::new();
    let git = Git::new(GitOptions { program: "/nonexistent/git".into(), ..bench.options() });
    let error = commit(&git, &upstream.url(), "main", None).await.unwrap_err();
    assert!(error.to_string().contains("`/nonexistent/git` could not be run"), "{error}");
    assert_eq!(error.retry(), Retry::UntilDeadline);
}

/// What a git that only writes down its environment was given, name and value, in all of its runs.
async fn surroundings(protocols: Protocols) -> BTreeSet<(String, String)> {
    use std::os::unix::fs::PermissionsExt;
    let bench = Bench::new();
    let (program, seen) = (bench.cache.path().join("git.sh"), bench.cache.path().join("seen"));
    std::fs::write(&program, format!("#!/bin/sh\nenv >> {}\n", seen.display())).unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    let git = Git::new(GitOptions { program, protocols, ..bench.options() });
    commit(&git, "https://git.example.com/web.git", "main", None).await.unwrap_err();
    let seen = std::fs::read_to_string(seen).unwrap();
    let pairs = seen.lines().filter_map(|line| line.split_once('='));
    pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// The keys of AWS are in there, where the operator has no role of its own.
#[tokio::test]
async fn of_the_operators_own_environment_git_sees_nothing_that_it_does_not_need() {
    assert!(std::env::vars().count() > 20, "cargo has set more than that");
    let of_git = |name: &str| name.starts_with("GIT_") || ["LC_ALL", "PWD", "SHLVL", "_"].contains(&name);
    let known = |name: &str| of_git(name) || command::INHERITED.contains(&name);
    let seen = surroundings(Protocols::RemoteAndFile).await;
    let others: Vec<_> = seen.iter().filter(|(name, _)| !known(name)).collect();
    assert_eq!(others, Vec::<&(String, String)>::new());
}

/// We refuse other URLs ourselves; what a repository's own files could make git do is for git to refuse.
#[tokio::test]
async fn git_is_told_what_it_may_speak() {
    for (protocols, expected) in
        [(Protocols::Remote, "https:ssh"), (Protocols::RemoteAndFile, "https:ssh:file")]
    {
        let seen = surroundings(protocols).await;
        let told =
            seen.iter().filter(|(name, _)| name == "GIT_ALLOW_PROTOCOL").map(|(_, value)| value.as_str());
        let told: Vec<_> = told.filter(|value| !value.is_empty()).collect();
        assert_eq!(told, [expected]);
    }
}

mod over_https;
