//! The same over HTTPS: credentials, and servers that misbehave.

use std::collections::BTreeMap;

use axum::http::StatusCode;
use k8s_openapi::ByteString;

use super::*;

const CANARY: &str = "canary-7f3a90b1";
/// `alice:canary-7f3a90b1` in base64.
const AUTHORIZATION: &str = "Basic YWxpY2U6Y2FuYXJ5LTdmM2E5MGIx";

fn alice(password: &str) -> BasicAuth {
    let data = [("username", "alice"), ("password", password)];
    let data: BTreeMap<String, ByteString> =
        data.map(|(key, value)| (key.to_owned(), ByteString(value.as_bytes().to_vec()))).into();
    BasicAuth::from_secret(&data).unwrap()
}

/// The repository's directory name below the server's root.
fn name(upstream: &Upstream) -> &str {
    upstream.path().file_name().unwrap().to_str().unwrap()
}

async fn serve(upstream: &Upstream, manners: Manners) -> (Server, String) {
    let server = Server::start(upstream.path().parent().unwrap(), manners).await;
    let url = server.url(name(upstream));
    (server, url)
}

#[tokio::test]
async fn a_repository_is_read_over_https() {
    let (upstream, made) = Upstream::with_commits(3);
    let (server, url) = serve(&upstream, Manners::Open).await;
    let bench = Bench::new();
    let git = bench.git_trusting(&server);
    assert_eq!(commit(&git, &url, "main", None).await.unwrap(), made[2]);
    assert_eq!(commit(&git, &url, "main", Some(&made[0][..8])).await.unwrap(), made[0]);
}

#[tokio::test]
async fn a_password_reaches_the_server_and_nothing_else() {
    let (upstream, made) = Upstream::with_commits(2);
    let (server, url) =
        serve(&upstream, Manners::Guarded { authorization: AUTHORIZATION, canary: CANARY }).await;
    let bench = Bench::new();
    let git = bench.git_trusting(&server);
    let held = alice(CANARY);
    let resolved = git.answer(question(&url, "main", None), Some(&held)).await.unwrap();
    assert_eq!(resolved.release.commit.unwrap().as_str(), made[1]);
    let seen = server.seen();
    assert!(seen.canary_in_environments > 0, "this test looks at the wrong processes");
    assert_eq!(seen.canary_in_arguments, 0);
    drop(seen);
    let kept =
        std::process::Command::new("grep").args(["-r", CANARY]).arg(bench.cache.path()).output().unwrap();
    assert!(kept.stdout.is_empty(), "the cache holds the password");
}

#[tokio::test]
async fn wrong_credentials_are_denied_without_repeating_them() {
    let (upstream, _) = Upstream::with_commits(1);
    let (server, url) =
        serve(&upstream, Manners::Guarded { authorization: "Basic other", canary: CANARY }).await;
    let bench = Bench::new();
    let git = bench.git_trusting(&server);
    let error = git.answer(question(&url, "main", None), Some(&alice(CANARY))).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "{url} denied access with the credentials given: check the repository and the Secret in `spec.source`"
        )
    );
    assert!(!format!("{error:?}").contains(CANARY));
    assert_eq!(error.retry(), Retry::Never);
    assert_eq!(server.seen().authorizations, [AUTHORIZATION], "it was sent, once");
}

#[tokio::test]
async fn no_credentials_are_denied_without_a_question_on_a_terminal() {
    let (upstream, _) = Upstream::with_commits(1);
    let (server, url) =
        serve(&upstream, Manners::Guarded { authorization: AUTHORIZATION, canary: CANARY }).await;
    let error = commit(&Bench::new().git_trusting(&server), &url, "main", None).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "{url} denied access with no credentials: check the repository and the Secret in `spec.source`"
        )
    );
}

#[tokio::test]
async fn what_is_cached_answers_nobody_whom_the_repository_denies() {
    let (upstream, made) = Upstream::with_commits(2);
    let (server, url) =
        serve(&upstream, Manners::Guarded { authorization: AUTHORIZATION, canary: CANARY }).await;
    let bench = Bench::new();
    let git = bench.git_trusting(&server);
    git.answer(question(&url, "main", None), Some(&alice(CANARY))).await.unwrap();
    let error = commit(&git, &url, "main", Some(&made[0])).await.unwrap_err();
    assert!(matches!(error, ResolveError::Denied { .. }), "{error}");
}

#[tokio::test]
async fn a_redirect_is_not_followed_and_gets_no_password() {
    let (upstream, _) = Upstream::with_commits(1);
    let (elsewhere, _) = serve(&upstream, Manners::Open).await;
    let (server, url) =
        serve(&upstream, Manners::Redirect(elsewhere.url("").trim_end_matches('/').into())).await;
    let bench = Bench::new();
    let git = bench.git_trusting(&server);
    let error = git.answer(question(&url, "main", None), Some(&alice(CANARY))).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("{url} redirects elsewhere, which is not followed: write the address it really has")
    );
    assert_eq!(elsewhere.seen().requests, 0);
}

#[tokio::test]
async fn a_server_that_echoes_the_password_is_not_quoted() {
    let (upstream, _) = Upstream::with_commits(1);
    for status in
        [StatusCode::FORBIDDEN, StatusCode::INTERNAL_SERVER_ERROR, StatusCode::NOT_FOUND, StatusCode::OK]
    {
        let echo = format!("ERR {CANARY} {AUTHORIZATION}\nfatal: {CANARY}\n");
        let (server, url) = serve(&upstream, Manners::Says(status, echo)).await;
        let bench = Bench::new();
        let git = bench.git_trusting(&server);
        let error = git.answer(question(&url, "main", None), Some(&alice(CANARY))).await.unwrap_err();
        assert!(!format!("{error} {error:?}").contains(CANARY), "{error}");
        let expected = match status {
            StatusCode::FORBIDDEN => matches!(error, ResolveError::Denied { .. }),
            StatusCode::NOT_FOUND => matches!(error, ResolveError::NoRepository { .. }),
            _ => error.retry() == Retry::UntilDeadline,
        };
        assert!(expected, "{status}: {error:?}");
    }
}

#[tokio::test]
async fn a_refused_connection_is_tried_again() {
    let free = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = free.local_addr().unwrap().port();
    drop(free);
    let url = format!("https://127.0.0.1:{port}/web.git");
    let error = commit(&Bench::new().git(), &url, "main", None).await.unwrap_err();
    assert_eq!(error.retry(), Retry::UntilDeadline);
    let text = error.to_string();
    assert!(text.starts_with(&format!("{url} could not be read (Failed to connect to 127.0.0.1")), "{text}");
}

#[tokio::test]
async fn a_certificate_nobody_vouches_for_is_an_unreachable_repository() {
    let (upstream, _) = Upstream::with_commits(1);
    let (_server, url) = serve(&upstream, Manners::Open).await;
    let error = commit(&Bench::new().git(), &url, "main", None).await.unwrap_err();
    assert!(matches!(error, ResolveError::RepositoryUnreachable { .. }), "{error}");
    assert!(error.to_string().contains("certificate"), "{error}");
}

#[tokio::test]
async fn a_server_that_never_answers_is_given_up() {
    let (upstream, _) = Upstream::with_commits(1);
    let (server, url) = serve(&upstream, Manners::Hangs).await;
    let bench = Bench::new();
    let options = bench.options();
    let timeout = Duration::from_secs(1);
    let git = Git::new(GitOptions { timeout, certificates: Some(server.certificate()), ..options });
    let error = commit(&git, &url, "main", None).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("{url} did not answer within 1 s; it is tried again until the deadline")
    );
    assert_eq!(error.retry(), Retry::UntilDeadline);
}

#[tokio::test]
async fn a_question_that_is_dropped_leaves_no_process() {
    let (upstream, _) = Upstream::with_commits(1);
    let (server, url) = serve(&upstream, Manners::Hangs).await;
    let bench = Bench::new();
    let git = bench.git_trusting(&server);
    let asked = async {
        while server.seen().requests == 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        answer = commit(&git, &url, "main", None) => panic!("{answer:?}"),
        () = asked => {}
    }
    let gone = async {
        while processes_with(&url, "cmdline") > 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), gone).await.expect("git's helpers are killed with it");
}
