//! Every source and every way it fails, against folders of scripts and a server on loopback.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest as _, Sha256, Sha512};

use super::*;
use crate::assets::releases::Digest;
use crate::assets::{FetchError, Tool};

const PATIENCE: Patience =
    Patience { connect: Duration::from_millis(500), stall: Duration::from_millis(300) };

/// A machine with nothing on it.
fn bare(cache: &Path) -> Sources {
    Sources {
        folder: None,
        path: OsString::new(),
        cache: cache.join("dryad"),
        only: None,
        releases: Vec::new(),
        patience: PATIENCE,
    }
}

fn put(folder: &Path, tools: &[Tool]) {
    for tool in tools {
        let file = folder.join(tool.file_name());
        fs::write(&file, "#!/bin/sh\n").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
    }
}

/// How a server treats its clients.
#[derive(Clone, Copy)]
enum Manner {
    Good,
    OtherBytes,
    Truncated,
    NotFound,
    Silent,
}

fn archive(files: &[(&str, &str)]) -> Vec<u8> {
    let mut tar = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    for (path, text) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(text.len() as u64);
        header.set_mode(0o644);
        header.set_cksum();
        tar.append_data(&mut header, path, text.as_bytes()).unwrap();
    }
    tar.into_inner().unwrap().finish().unwrap()
}

/// Serves `body` on every path, until the test ends; `served` counts.
fn serve(body: Vec<u8>, manner: Manner, served: &Arc<AtomicUsize>) -> String {
    let served = Arc::clone(served);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/release.tar.gz", listener.local_addr().unwrap());
    thread::spawn(move || {
        for stream in listener.incoming() {
            served.fetch_add(1, Ordering::SeqCst);
            answer(stream.unwrap(), &body, manner);
        }
    });
    url
}

fn answer(mut stream: TcpStream, body: &[u8], manner: Manner) {
    let mut request = BufReader::new(stream.try_clone().unwrap());
    let mut line = String::new();
    while request.read_line(&mut line).unwrap() > 2 {
        line.clear();
    }
    let mut body = body.to_vec();
    let length = body.len();
    let status = if matches!(manner, Manner::NotFound) { "404 Not Found" } else { "200 OK" };
    match manner {
        Manner::Good | Manner::NotFound => {}
        Manner::OtherBytes => body[length / 2] ^= 1,
        Manner::Truncated => body.truncate(length / 2),
        Manner::Silent => {
            // Until the client gives up and closes.
            let _ = stream.read(&mut [0]);
            return;
        }
    }
    write!(stream, "HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n").unwrap();
    let _ = stream.write_all(&body);
}

/// Releases as the real ones are: one archive with three programs and a SHA-512, two with one and a SHA-256.
/// etcd's server has `manner`.
fn releases(manner: Manner) -> Vec<Release> {
    counted_releases(manner, &Arc::default())
}

/// The same; `served` counts the requests.
fn counted_releases(manner: Manner, served: &Arc<AtomicUsize>) -> Vec<Release> {
    let programs = archive(&[
        ("kubernetes/LICENSES", "no program"),
        ("kubernetes/server/bin/kube-apiserver", "the api server"),
        ("kubernetes/server/bin/kube-controller-manager", "the controllers"),
        ("kubernetes/server/bin/kubectl", "the client"),
    ]);
    let etcd = archive(&[("etcd-v1/etcdctl", "unwanted"), ("etcd-v1/etcd", "the database")]);
    let helm = archive(&[("linux/LICENSE", "no program"), ("linux/helm", "the installer of charts")]);
    let inside = |tool: Tool| (tool, format!("kubernetes/server/bin/{}", tool.file_name()));
    vec![
        Release {
            digest: Digest::Sha512(hex::encode(Sha512::digest(&programs))),
            url: serve(programs, Manner::Good, served),
            files: [Tool::ApiServer, Tool::ControllerManager, Tool::Kubectl].map(inside).into(),
        },
        Release {
            digest: Digest::Sha256(hex::encode(Sha256::digest(&etcd))),
            url: serve(etcd, manner, served),
            files: vec![(Tool::Etcd, "etcd-v1/etcd".into())],
        },
        Release {
            digest: Digest::Sha256(hex::encode(Sha256::digest(&helm))),
            url: serve(helm, Manner::Good, served),
            files: vec![(Tool::Helm, "linux/helm".into())],
        },
    ]
}

/// What becomes of fetching when etcd's server has `manner`, with nothing kept in the cache.
async fn fetch_fails(manner: Manner) -> FetchError {
    let cache = tempfile::tempdir().unwrap();
    let sources = Sources { releases: releases(manner), ..bare(cache.path()) };
    let AssetsError::Nowhere(nowhere) = sources.find().await.unwrap_err() else { panic!("not Nowhere") };
    let kept: Vec<_> = fs::read_dir(&sources.cache)
        .unwrap()
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .filter(|name| Path::new(name).extension().is_none_or(|extension| extension != "lock"))
        .collect();
    assert!(kept.is_empty(), "{kept:?} is kept of what is not verified");
    nowhere.fetched.unwrap()
}

#[tokio::test]
async fn a_folder_that_is_named_is_used_and_says_what_it_lacks() {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), &[Tool::Etcd, Tool::ApiServer, Tool::Kubectl]);
    let sources = Sources { folder: Some(folder.path().into()), ..bare(folder.path()) };

    let assets = sources.find().await.unwrap();

    assert_eq!(assets.origin(), Origin::Found);
    assert_eq!(assets.etcd(), folder.path().join("etcd"));
    let missing: Vec<_> = assets.missing().iter().map(ToString::to_string).collect();
    assert_eq!(missing.len(), 2, "{missing:?}");
    assert!(
        missing[0].starts_with("there is no kube-controller-manager: deleted namespaces stay Terminating")
    );
    assert!(assets.helm().is_err());
}

#[tokio::test]
async fn a_folder_that_is_named_and_cannot_start_a_cluster_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), &[Tool::Etcd]);
    let sources = Sources { folder: Some(folder.path().into()), ..bare(folder.path()) };
    let error = sources.find().await.unwrap_err();
    assert!(error.to_string().contains("kube-apiserver is not in it"), "{error}");
}

#[tokio::test]
async fn a_whole_set_on_the_path_is_used_and_half_a_one_is_not() {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), &[Tool::Etcd, Tool::ApiServer]);
    let sources = Sources { path: folder.path().into(), ..bare(folder.path()) };
    assert!(matches!(sources.find().await, Err(AssetsError::Nowhere(_))));

    put(folder.path(), &[Tool::ControllerManager]);
    assert_eq!(sources.find().await.unwrap().origin(), Origin::Found);
}

#[tokio::test]
async fn releases_are_fetched_once_and_kept() {
    let cache = tempfile::tempdir().unwrap();
    let mut sources = Sources { releases: releases(Manner::Good), ..bare(cache.path()) };

    let assets = sources.find().await.unwrap();

    assert_eq!(assets.origin(), Origin::Fetched);
    assert_eq!(fs::read_to_string(assets.etcd()).unwrap(), "the database");
    assert_eq!(fs::read_to_string(assets.controller_manager().unwrap()).unwrap(), "the controllers");
    assert_eq!(fs::metadata(assets.api_server()).unwrap().permissions().mode() & 0o777, 0o755);
    assert!(assets.missing().is_empty(), "{:?}", assets.missing());
    assert_eq!(fs::read_dir(assets.etcd().parent().unwrap()).unwrap().count(), 5, "no archive is left");

    // The servers have gone; the digests, and so the place, are the same.
    for release in &mut sources.releases {
        release.url = "http://127.0.0.1:1/".into();
    }
    assert_eq!(sources.find().await.unwrap().origin(), Origin::Fetched);
}

#[tokio::test]
async fn an_archive_with_another_digest_is_thrown_away() {
    let error = fetch_fails(Manner::OtherBytes).await;
    assert!(matches!(error, FetchError::Corrupt { .. }), "{error}");
}

#[tokio::test]
async fn a_truncated_archive_is_thrown_away() {
    let error = fetch_fails(Manner::Truncated).await;
    assert!(matches!(error, FetchError::Broken { .. }), "{error}");
}

#[tokio::test]
async fn a_missing_release_is_said_to_be_missing() {
    let error = fetch_fails(Manner::NotFound).await;
    assert!(error.to_string().ends_with("the server answered 404 Not Found"), "{error}");
}

#[tokio::test]
async fn a_silent_server_is_given_up() {
    let error = fetch_fails(Manner::Silent).await;
    let FetchError::Broken { source, .. } = error else { panic!("{error}") };
    assert!(source.is_timeout(), "{source}");
}

#[tokio::test]
async fn an_archive_without_the_program_is_refused() {
    let cache = tempfile::tempdir().unwrap();
    let mut releases = releases(Manner::Good);
    releases[1].files = vec![(Tool::Etcd, "elsewhere/etcd".into())];
    let sources = Sources { releases, ..bare(cache.path()) };
    let AssetsError::Nowhere(nowhere) = sources.find().await.unwrap_err() else { panic!("not Nowhere") };
    assert!(matches!(nowhere.fetched, Some(FetchError::Lacks { tool: Tool::Etcd, .. })));
}

#[tokio::test]
async fn two_at_once_fetch_once() {
    let cache = tempfile::tempdir().unwrap();
    let served = Arc::default();
    let sources = Sources { releases: counted_releases(Manner::Good, &served), ..bare(cache.path()) };
    let (one, other) = tokio::join!(sources.find(), sources.find());
    assert_eq!(one.unwrap().etcd(), other.unwrap().etcd());
    assert_eq!(served.load(Ordering::SeqCst), 3, "one request an archive");
}

#[tokio::test]
async fn a_failing_go_is_quoted() {
    let folder = tempfile::tempdir().unwrap();
    let go = folder.path().join("go");
    fs::write(&go, "#!/bin/sh\necho no route to proxy.golang.org >&2\nexit 1\n").unwrap();
    fs::set_permissions(&go, fs::Permissions::from_mode(0o755)).unwrap();
    let sources = Sources { path: folder.path().into(), only: Some(Origin::Built), ..bare(folder.path()) };
    let error = sources.find().await.unwrap_err().to_string();
    assert!(error.contains("- built: go failed"), "{error}");
    assert!(error.contains("no route to proxy.golang.org"), "{error}");
    assert!(error.contains("unset DRYAD_CLUSTER_ASSETS"), "{error}");
}

#[tokio::test]
async fn a_bare_machine_is_told_every_way_out() {
    let cache = tempfile::tempdir().unwrap();
    let mut releases = releases(Manner::Good);
    releases[0].url = "http://127.0.0.1:1/kubernetes.tar.gz".into();
    let sources = Sources { releases, ..bare(cache.path()) };

    let error = sources.find().await.unwrap_err().to_string();

    for part in [
        "- found: KUBEBUILDER_ASSETS is not set",
        "- fetched: http://127.0.0.1:1/kubernetes.tar.gz: ",
        "Connection refused",
        "- built: there is no `go` on PATH",
        "- install Go",
        "- let this machine reach dl.k8s.io and github.com",
        "- set KUBEBUILDER_ASSETS",
    ] {
        assert!(error.contains(part), "`{part}` is not in:\n{error}");
    }
}

#[test]
fn an_unknown_source_is_refused_by_name() {
    let error = "download".parse::<Origin>().unwrap_err().to_string();
    assert_eq!(error, "DRYAD_CLUSTER_ASSETS is `download`; it can be found, fetched or built");
}
