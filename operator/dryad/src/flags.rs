//! The command line. Every flag can be given by an environment variable instead; the flag wins.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::{Args, Parser};
use dryad_controller::elector::{Durations, DurationsError, Election};
use dryad_controller::process::loops::Scope;
use dryad_controller::process::run::Settings;
use dryad_controller::release::git::Protocols;
use jiff::SignedDuration;
use tracing_subscriber::EnvFilter;

use crate::telemetry::Format;

/// Makes deploys boring: a Kubernetes operator that launches new instances beside the old ones, evaluates them, and
/// only then retires the old.
#[derive(Debug, Parser)]
#[command(name = "dryad", version)]
pub(crate) struct Flags {
    #[command(flatten)]
    pub(crate) log: Log,

    /// Where /metrics, /healthz and /readyz are answered: by default everywhere, in IPv6 and IPv4.
    #[arg(long, env = "DRYAD_HTTP", value_name = "ADDRESS", default_value = "[::]:8080")]
    pub(crate) http: SocketAddr,

    /// The name that marks everything of this installation in the cloud. Two installations that share an account
    /// need two names.
    #[arg(long, env = "DRYAD_INSTALLATION", value_name = "NAME", default_value = "dryad", value_parser = installation)]
    installation: String,

    /// The pod that this process runs in, as Leases and Events name it.
    #[arg(long, env = "DRYAD_POD", value_name = "NAME", default_value = "dryad")]
    pod: String,

    /// The namespace whose Environments and Deployments are reconciled. Without it: those of every namespace.
    #[arg(long, env = "DRYAD_NAMESPACE", value_name = "NAME")]
    namespace: Option<String>,

    #[command(flatten)]
    lease: Lease,

    /// For how long a request to the cloud that was not answered may still take effect. What could do harm then
    /// waits for that long.
    #[arg(long, env = "DRYAD_UNCERTAINTY", value_name = "TIME", default_value = "5m", value_parser = duration)]
    uncertainty: Duration,

    /// How long an Environment to which nothing happens is left alone.
    #[arg(long, env = "DRYAD_IDLE_INTERVAL", value_name = "TIME", default_value = "60s", value_parser = duration)]
    idle_interval: Duration,

    /// For how long the answer to a change of the cloud is waited for. After that the request counts as not answered.
    #[arg(long, env = "DRYAD_CLOUD_TIMEOUT", value_name = "TIME", default_value = "20s", value_parser = duration)]
    pub(crate) cloud_timeout: Duration,

    /// How often it is looked for groups that were left behind.
    #[arg(long, env = "DRYAD_SWEEP_INTERVAL", value_name = "TIME", default_value = "10m", value_parser = duration)]
    sweep_interval: Duration,

    /// The directory that holds what was fetched of git repositories; it may be lost at any time.
    #[arg(long, env = "DRYAD_GIT_CACHE", value_name = "PATH", default_value = "/var/cache/dryad/git")]
    git_cache: PathBuf,

    /// A PEM file with the certificate authorities that may vouch for https repositories. Without it those of the
    /// system do.
    #[arg(long, env = "DRYAD_GIT_CERTIFICATES", value_name = "PATH")]
    git_certificates: Option<PathBuf>,

    /// Let Environments name repositories on this process's own disk. For tests and demonstrations.
    #[arg(long, env = "DRYAD_ALLOW_FILE_REPOSITORIES")]
    allow_file_repositories: bool,

    /// The file that says which accounts there are, and what each namespace may name in them. Without it nothing can be
    /// deployed. It is read again when it changes.
    #[arg(long, env = "DRYAD_CONFIG", value_name = "PATH")]
    pub(crate) config: Option<PathBuf>,

    /// A URL that stands in for every service of AWS, such as that of a local cloud.
    #[arg(long, env = "DRYAD_AWS_ENDPOINT", value_name = "URL")]
    pub(crate) aws_endpoint: Option<String>,
}

/// What is logged, and how.
#[derive(Debug, Args)]
pub(crate) struct Log {
    /// How a line of the log looks.
    #[arg(long = "log-format", env = "DRYAD_LOG_FORMAT", value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,

    /// What is logged: a level, or levels by module with commas between them.
    #[arg(long = "log-filter", env = "DRYAD_LOG_FILTER", value_name = "FILTER", default_value = "info")]
    pub(crate) filter: Filter,
}

/// Which of several replicas acts.
#[derive(Debug, Args)]
struct Lease {
    /// The name of the Lease that decides which replica acts.
    #[arg(
        id = "lease_name",
        long = "lease-name",
        env = "DRYAD_LEASE_NAME",
        value_name = "NAME",
        default_value = "dryad"
    )]
    name: String,

    /// Its namespace.
    #[arg(
        id = "lease_namespace",
        long = "lease-namespace",
        env = "DRYAD_LEASE_NAMESPACE",
        value_name = "NAME",
        default_value = "dryad-system"
    )]
    namespace: String,

    /// How long others wait after the last renewal they saw.
    #[arg(id = "lease_duration", long = "lease-duration", env = "DRYAD_LEASE_DURATION", value_name = "TIME", default_value = "15s", value_parser = duration)]
    duration: Duration,

    /// How long the holder acts on one renewal.
    #[arg(long = "lease-renew-deadline", env = "DRYAD_LEASE_RENEW_DEADLINE", value_name = "TIME", default_value = "10s", value_parser = duration)]
    renew_deadline: Duration,

    /// How long to wait between two looks at the Lease.
    #[arg(long = "lease-retry-period", env = "DRYAD_LEASE_RETRY_PERIOD", value_name = "TIME", default_value = "2s", value_parser = duration)]
    retry_period: Duration,
}

/// A filter of the log that was found to make sense.
#[derive(Clone, Debug)]
pub(crate) struct Filter(pub(crate) String);

impl FromStr for Filter {
    type Err = tracing_subscriber::filter::ParseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        EnvFilter::try_new(text)?;
        Ok(Self(text.to_owned()))
    }
}

impl Flags {
    /// What the controller is told.
    ///
    /// # Errors
    /// When flags that make sense by themselves make none together.
    pub(crate) fn settings(self) -> Result<Settings, DurationsError> {
        let Lease { name, namespace, duration, renew_deadline, retry_period } = self.lease;
        let durations = Durations::new(duration, renew_deadline, retry_period)?;
        Ok(Settings {
            installation: self.installation,
            pod: self.pod,
            election: Election { namespace, name, durations },
            scope: self.namespace.map_or(Scope::Cluster, Scope::Namespace),
            uncertainty: self.uncertainty,
            idle: self.idle_interval,
            sweep: self.sweep_interval,
            git_cache: self.git_cache,
            git_certificates: self.git_certificates,
            protocols: if self.allow_file_repositories {
                Protocols::RemoteAndFile
            } else {
                Protocols::Remote
            },
        })
    }
}

/// A name that fits into a tag, and into a filter for it.
fn installation(text: &str) -> Result<String, String> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    if (1..=63).contains(&text.len()) && text.bytes().all(fits) {
        Ok(text.to_owned())
    } else {
        Err("write 1 to 63 letters, digits and -".to_owned())
    }
}

/// A span of time in words, such as `10s` or `1h 30m`.
fn duration(text: &str) -> Result<Duration, String> {
    let parsed: SignedDuration = text.parse().map_err(|_| "write it like 10s, 5m or 1h 30m".to_owned())?;
    match Duration::try_from(parsed) {
        Ok(Duration::ZERO) | Err(_) => Err("it must be more than nothing".to_owned()),
        Ok(duration) => Ok(duration),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    fn parse(arguments: &[&str]) -> Result<Flags, clap::Error> {
        Flags::try_parse_from([&["dryad"], arguments].concat())
    }

    #[test]
    fn every_flag_has_an_environment_variable_named_after_it() {
        Flags::command().debug_assert();
        let command = Flags::command();
        let flags = command.get_arguments().filter(|flag| flag.get_env().is_some());
        let mut seen = 0;
        for flag in flags {
            let long = flag.get_long().unwrap();
            let expected = format!("DRYAD_{}", long.to_uppercase().replace('-', "_"));
            let variable = flag.get_env().unwrap().to_str().unwrap();
            assert!(variable == expected || variable == format!("{expected}S"), "--{long}: {variable}");
            seen += 1;
        }
        assert_eq!(
            seen,
            command
                .get_arguments()
                .filter(|flag| !matches!(flag.get_id().as_str(), "help" | "version"))
                .count()
        );
    }

    #[test]
    fn without_flags_it_runs_with_the_defaults_of_kubernetes_own_controllers() {
        let flags = parse(&[]).unwrap();
        assert_eq!(flags.cloud_timeout, dryad_aws::Patience::default().mutation);
        let settings = flags.settings().unwrap();
        assert_eq!(settings.election.durations, Durations::default());
        assert_eq!(settings.protocols, Protocols::Remote);
        assert_eq!(settings.uncertainty, Duration::from_secs(300));
    }

    #[test]
    fn what_makes_no_sense_is_refused_in_words() {
        let rows: [(&[&str], &str); 8] = [
            (&["--installation", ""], "write 1 to 63 letters, digits and -"),
            (&["--installation", "team*"], "write 1 to 63 letters, digits and -"),
            (&["--uncertainty", "soon"], "write it like 10s, 5m or 1h 30m"),
            (&["--uncertainty", "0s"], "it must be more than nothing"),
            (&["--uncertainty=-5s"], "it must be more than nothing"),
            (&["--cloud-timeout", "0s"], "it must be more than nothing"),
            (&["--log-filter", "dryad=loud"], "--log-filter"),
            (&["--http", "8080"], "--http"),
        ];
        for (arguments, words) in rows {
            let refusal = parse(arguments).unwrap_err().to_string();
            assert!(refusal.contains(words), "{arguments:?}: {refusal}");
        }
        let together = parse(&["--lease-duration", "10s"]).unwrap().settings();
        assert_eq!(together.unwrap_err(), DurationsError::Renew);
    }
}
