//! What a cluster promises, on a real one.

use std::io::{BufRead as _, BufReader, Read as _};
use std::net::TcpStream;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use dryad_cluster::{Assets, Cluster, ClusterError, Options, Tool};

/// The longest that anything here may take on a machine that does other things too.
const PATIENCE: Duration = Duration::from_secs(90);

fn run(command: &mut Command) -> Output {
    command.stdin(Stdio::null()).output().unwrap()
}

/// What a command prints that has to succeed.
fn stdout(command: &mut Command) -> String {
    let output = run(command);
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn kubectl(cluster: &Cluster, arguments: &str) -> Command {
    let mut command = cluster.kubectl().unwrap();
    command.args(arguments.split_whitespace());
    command
}

/// Looks until it is so.
fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < deadline, "not so in {PATIENCE:?}: {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// The processes that have something to do with `directory`, but for this test and the dead.
fn processes_of(directory: &Path) -> Vec<String> {
    let mut commands = Vec::new();
    if cfg!(target_os = "linux") {
        // Not every Linux has a `ps`.
        for process in std::fs::read_dir("/proc").unwrap() {
            let command = std::fs::read(process.unwrap().path().join("cmdline")).unwrap_or_default();
            commands.push(String::from_utf8_lossy(&command).replace('\0', " "));
        }
    } else {
        let all = stdout(Command::new("ps").args(["-A", "-o", "command="]));
        commands.extend(all.lines().map(String::from));
    }
    commands.retain(|command| command.contains(directory.to_str().unwrap()));
    commands
}

#[tokio::test]
async fn it_answers_and_kubectl_understands_it() {
    let cluster = Cluster::shared().await.unwrap();
    assert_eq!(stdout(&mut kubectl(cluster, "get --raw /readyz")), "ok");
    let version = stdout(&mut kubectl(cluster, "version --output=yaml"));
    assert!(version.contains("serverVersion:") && version.contains("gitVersion: v1."), "{version}");
    assert!(stdout(&mut kubectl(cluster, "get serviceaccount default")).contains("default"));
}

#[tokio::test]
async fn a_kubeconfig_needs_no_other_file() {
    let cluster = Cluster::shared().await.unwrap();
    let copy = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(copy.path(), cluster.kubeconfig().yaml()).unwrap();
    assert_eq!(stdout(kubectl(cluster, "get --raw /readyz").env("KUBECONFIG", copy.path())), "ok");
}

#[tokio::test]
async fn the_command_runs_the_kubectl_that_fits() {
    let cluster = Cluster::shared().await.unwrap();
    let mut command = dryad_cluster();
    command.args(["kubectl", "get", "--raw", "/readyz"]).env("KUBECONFIG", cluster.kubeconfig().path());
    assert_eq!(stdout(&mut command), "ok");
}

#[tokio::test]
async fn a_user_may_do_only_what_rbac_grants() {
    let cluster = Cluster::shared().await.unwrap();
    let namespace = cluster.namespace("rbac").await.unwrap();
    let alice = cluster.kubeconfig_for("alice", Some("shop")).unwrap();
    let list = || run(kubectl(cluster, &format!("get pods -n {namespace}")).env("KUBECONFIG", alice.path()));

    let denied = String::from_utf8(list().stderr).unwrap();
    assert!(denied.contains(r#"User "alice" cannot list resource "pods""#), "{denied}");

    stdout(&mut kubectl(
        cluster,
        &format!("create rolebinding shop --clusterrole=view --group=shop -n {namespace}"),
    ));
    eventually("a member of the group may list", || list().status.success());
}

#[tokio::test]
async fn a_service_account_acts_with_a_token_and_may_do_what_it_is_granted() {
    let cluster = Cluster::shared().await.unwrap();
    let namespace = cluster.namespace("account").await.unwrap();
    let missing = cluster.kubeconfig_of_service_account(&namespace, "operator").await.unwrap_err();
    assert!(missing.to_string().contains(r#"serviceaccounts \"operator\" not found"#), "{missing}");

    stdout(&mut kubectl(cluster, &format!("create serviceaccount operator -n {namespace}")));
    let operator = cluster.kubeconfig_of_service_account(&namespace, "operator").await.unwrap();
    let list =
        || run(kubectl(cluster, &format!("get pods -n {namespace}")).env("KUBECONFIG", operator.path()));
    let denied = String::from_utf8(list().stderr).unwrap();
    let user = format!(r#"User "system:serviceaccount:{namespace}:operator" cannot list resource "pods""#);
    assert!(denied.contains(&user), "{denied}");
    stdout(&mut kubectl(
        cluster,
        &format!(
            "create rolebinding operator --clusterrole=view --serviceaccount={namespace}:operator -n {namespace}"
        ),
    ));
    eventually("the service account may list", || list().status.success());
}

#[tokio::test]
async fn a_deleted_namespace_goes() {
    let cluster = Cluster::shared().await.unwrap();
    let namespace = cluster.namespace("short-lived").await.unwrap();
    stdout(&mut kubectl(cluster, &format!("create configmap inside -n {namespace}")));
    stdout(&mut kubectl(cluster, &format!("delete namespace {namespace} --timeout=90s")));
}

#[tokio::test]
async fn what_is_owned_goes_with_its_owner() {
    let cluster = Cluster::shared().await.unwrap();
    let namespace = cluster.namespace("garbage").await.unwrap();
    let create = |name| {
        let created = format!("create configmap {name} -n {namespace} -o jsonpath={{.metadata.uid}}");
        stdout(&mut kubectl(cluster, &created))
    };
    let owner = create("owner");
    create("owned");
    let reference = format!(
        r#"{{"metadata":{{"ownerReferences":[{{"apiVersion":"v1","kind":"ConfigMap","name":"owner","uid":"{owner}"}}]}}}}"#
    );
    let patch = format!("patch configmap owned -n {namespace} --patch {reference}");
    stdout(&mut kubectl(cluster, &patch));
    stdout(&mut kubectl(cluster, &format!("delete configmap owner -n {namespace}")));
    stdout(&mut kubectl(cluster, &format!("wait --for=delete configmap/owned -n {namespace} --timeout=90s")));
}

#[tokio::test]
async fn helm_installs_a_chart_where_there_is_a_helm() {
    let cluster = Cluster::shared().await.unwrap();
    let Ok(mut helm) = cluster.helm() else { return };
    let chart = tempfile::tempdir().unwrap();
    std::fs::write(chart.path().join("Chart.yaml"), "apiVersion: v2\nname: small\nversion: 0.1.0\n").unwrap();
    std::fs::create_dir(chart.path().join("templates")).unwrap();
    let template = "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: from-a-chart }\n";
    std::fs::write(chart.path().join("templates/configmap.yaml"), template).unwrap();
    let namespace = cluster.namespace("chart").await.unwrap();
    stdout(helm.args(["install", "small", "--namespace", &namespace]).arg(chart.path()));
    stdout(&mut kubectl(cluster, &format!("get configmap from-a-chart -n {namespace}")));
}

#[tokio::test]
async fn several_at_once_are_strangers() {
    let (one, other) = tokio::join!(Cluster::start(Options::default()), Cluster::start(Options::default()));
    let (one, other) = (one.unwrap(), other.unwrap());
    assert_ne!(one.url(), other.url());
    let namespace = one.namespace("mine").await.unwrap();
    let there = run(&mut kubectl(&other, &format!("get namespace {namespace}")));
    assert!(String::from_utf8_lossy(&there.stderr).contains("NotFound"));
    let foreign = run(kubectl(&other, "get nodes --request-timeout=5s")
        .env("KUBECONFIG", one.kubeconfig().path())
        .args(["--server", &other.url()]));
    assert!(!foreign.status.success(), "one's administrator is nobody at the other");
}

#[tokio::test]
async fn the_api_server_comes_back_where_it_was_with_what_it_had() {
    let mut cluster = Cluster::start(Options::default()).await.unwrap();
    let namespace = cluster.namespace("kept").await.unwrap();
    let url = cluster.url();
    let address = url.trim_start_matches("https://").to_owned();

    cluster.stop_api_server().await.unwrap();
    let refused = TcpStream::connect(&address).unwrap_err();
    assert_eq!(refused.kind(), std::io::ErrorKind::ConnectionRefused);

    cluster.start_api_server().await.unwrap();
    assert_eq!(cluster.url(), url);
    stdout(&mut kubectl(&cluster, &format!("get namespace {namespace}")));

    cluster.pause_api_server().unwrap();
    TcpStream::connect(&address).unwrap();
    assert!(!run(&mut kubectl(&cluster, "get --raw /readyz --request-timeout=1s")).status.success());
    cluster.resume_api_server().unwrap();
    assert_eq!(stdout(&mut kubectl(&cluster, "get --raw /readyz")), "ok");
}

#[tokio::test]
async fn a_restored_snapshot_is_what_was_there_then() {
    let mut cluster = Cluster::start(Options::default()).await.unwrap();
    let kept = cluster.namespace("kept").await.unwrap();
    let uid = format!("get namespace {kept} -o jsonpath={{.metadata.uid}}");
    let before = stdout(&mut kubectl(&cluster, &uid));

    let snapshot = cluster.snapshot().await.unwrap();
    stdout(&mut kubectl(&cluster, &format!("label namespace {kept} since=then")));
    let later = cluster.namespace("later").await.unwrap();
    cluster.restore(&snapshot).await.unwrap();

    assert_eq!(stdout(&mut kubectl(&cluster, &uid)), before);
    assert_eq!(stdout(&mut kubectl(&cluster, "get namespaces -l since=then -o name")), "");
    assert!(!run(&mut kubectl(&cluster, &format!("get namespace {later}"))).status.success());
}

#[tokio::test]
async fn a_stopped_cluster_leaves_nothing_and_is_quick_about_it() {
    let cluster = Cluster::start(Options::default()).await.unwrap();
    let directory = cluster.directory().to_owned();
    assert!(!processes_of(&directory).is_empty());

    let began = Instant::now();
    cluster.stop().await.unwrap();

    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
    assert_eq!(processes_of(&directory), Vec::<String>::new());
    assert!(!directory.exists());
}

#[tokio::test]
async fn a_dropped_cluster_leaves_nothing() {
    let cluster = Cluster::start(Options::default()).await.unwrap();
    let directory = cluster.directory().to_owned();
    drop(cluster);
    assert_eq!(processes_of(&directory), Vec::<String>::new());
    assert!(!directory.exists());
}

#[tokio::test]
async fn an_api_server_that_cannot_start_says_why() {
    let options = Options { api_server_flags: vec!["--no-such-flag".into()], ..Options::default() };
    let error = Cluster::start(options).await.unwrap_err();
    let ClusterError::Ended { component: "kube-apiserver", last_words, .. } = &error else {
        panic!("{error}")
    };
    assert!(last_words.contains("unknown flag: --no-such-flag"), "{error}");
}

fn dryad_cluster() -> Command {
    Command::new(env!("CARGO_BIN_EXE_dryad-cluster"))
}

/// `dryad-cluster up`, once it is ready, and the directory of its cluster.
fn up(command: &mut Command) -> (Child, PathBuf) {
    let mut child = command.arg("up").stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let kubeconfig = line.strip_prefix("KUBECONFIG=").unwrap().split(' ').next().unwrap();
    let directory = Path::new(kubeconfig).parent().unwrap().to_owned();
    assert!(stdout(Command::new("sh").args(["-c", &line])).contains("kube-system"));
    (child, directory)
}

fn terminate(child: &mut Child) {
    stdout(Command::new("kill").args(["-TERM", &child.id().to_string()]));
    assert!(child.wait().unwrap().success());
}

#[test]
fn a_killed_parent_leaves_nothing() {
    let (mut parent, directory) = up(&mut dryad_cluster());
    assert!(processes_of(&directory).iter().any(|command| command.contains("kube-apiserver")));
    parent.kill().unwrap(); // SIGKILL
    parent.wait().unwrap();
    eventually("no process and no directory is left", || {
        processes_of(&directory).is_empty() && !directory.exists()
    });
}

#[test]
fn up_ends_in_order_when_it_is_asked_to() {
    let (mut parent, directory) = up(&mut dryad_cluster());
    terminate(&mut parent);
    assert_eq!(processes_of(&directory), Vec::<String>::new());
    assert!(!directory.exists());
}

#[tokio::test]
async fn without_controllers_it_starts_and_says_what_does_not_work() {
    let whole = Assets::find().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    for tool in [Tool::Etcd, Tool::ApiServer, Tool::Kubectl] {
        symlink(whole.path(tool).unwrap(), folder.path().join(tool.file_name())).unwrap();
    }
    let mut command = dryad_cluster();
    let (mut parent, _) = up(command.env("KUBEBUILDER_ASSETS", folder.path()).stderr(Stdio::piped()));
    terminate(&mut parent);
    let mut said = String::new();
    parent.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert!(said.contains("there is no kube-controller-manager: deleted namespaces stay"), "{said}");
}
