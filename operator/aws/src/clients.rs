//! The SDK's clients for one account in one region.

use aws_config::retry::RetryConfig;
use aws_config::sts::AssumeRoleProvider;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, ConfigLoader, Region, SdkConfig};
use aws_credential_types::Credentials as Keys;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider, future};
use aws_sdk_autoscaling::config::SharedHttpClient;
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use dryad_machine::name::{AccountName, Place};

use crate::settings::{Credentials, Patience, Settings};
use crate::whole::Whole;

/// A client for each service. Cheap to have: they share connections and credentials.
pub(crate) struct Clients {
    pub(crate) autoscaling: aws_sdk_autoscaling::Client,
    pub(crate) ec2: aws_sdk_ec2::Client,
    pub(crate) elb: aws_sdk_elasticloadbalancingv2::Client,
    pub(crate) ssm: aws_sdk_ssm::Client,
}

impl Clients {
    fn new(config: &SdkConfig) -> Self {
        let autoscaling = aws_sdk_autoscaling::config::Builder::from(config).interceptor(Whole).build();
        let ec2 = aws_sdk_ec2::config::Builder::from(config).interceptor(Whole).build();
        let elb = aws_sdk_elasticloadbalancingv2::config::Builder::from(config).interceptor(Whole).build();
        Self {
            autoscaling: aws_sdk_autoscaling::Client::from_conf(autoscaling),
            ec2: aws_sdk_ec2::Client::from_conf(ec2),
            elb: aws_sdk_elasticloadbalancingv2::Client::from_conf(elb),
            // It speaks JSON, which the SDK takes whole or not at all.
            ssm: aws_sdk_ssm::Client::new(config),
        }
    }

    /// Clients for questions, which wait for each answer so long. Asked again is by [`Site`](crate::site::Site), which
    /// has a budget for it; the SDK has not.
    pub(crate) fn for_reads(config: &SdkConfig, patience: Patience) -> Self {
        let attempts = TimeoutConfig::builder().operation_attempt_timeout(patience.attempt).build();
        Self::once(config.clone().into_builder().timeout_config(attempts).build())
    }

    /// Clients for changes: a second request could land long after its sender gave up.
    pub(crate) fn for_mutations(config: &SdkConfig) -> Self {
        Self::once(config.clone())
    }

    /// Clients that send a request once.
    fn once(config: SdkConfig) -> Self {
        Self::new(&config.into_builder().retry_config(RetryConfig::disabled()).build())
    }
}

/// What everything goes over. An endpoint in plain HTTP needs no certificates, and must not fail for want of them.
pub(crate) fn http(settings: &Settings) -> SharedHttpClient {
    let builder = aws_smithy_http_client::Builder::new();
    match &settings.endpoint {
        Some(endpoint) if endpoint.starts_with("http://") => builder.build_http(),
        _ => builder.tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https(),
    }
}

/// How to reach the place and sign for it. Sends nothing yet.
pub(crate) async fn config(
    settings: &Settings,
    credentials: Option<&Credentials>,
    http: SharedHttpClient,
    place: &Place,
) -> SdkConfig {
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .http_client(http)
        .region(Region::new(place.region.as_str().to_owned()));
    if let Some(endpoint) = &settings.endpoint {
        loader = loader.endpoint_url(endpoint);
    }
    match credentials {
        Some(credentials) => signed_with(credentials, loader).await,
        None => loader.credentials_provider(Unconfigured(place.account.clone())).load().await,
    }
}

async fn signed_with(credentials: &Credentials, loader: ConfigLoader) -> SdkConfig {
    match credentials {
        Credentials::Ambient => loader.load().await,
        Credentials::Keys { id, secret } => {
            let keys = Keys::new(id, secret, None, None, "configuration");
            loader.credentials_provider(keys).load().await
        }
        Credentials::Role { arn, external_id, session, by } => {
            let own = Box::pin(signed_with(by, loader)).await;
            let mut role = AssumeRoleProvider::builder(arn).session_name(session).configure(&own);
            if let Some(external_id) = external_id {
                role = role.external_id(external_id);
            }
            let provider = SharedCredentialsProvider::new(role.build().await);
            own.into_builder().credentials_provider(provider).build()
        }
    }
}

/// The credentials of an account that the configuration does not name.
#[derive(Debug)]
struct Unconfigured(AccountName);

impl ProvideCredentials for Unconfigured {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        let message = format!("the operator's configuration has no account {:?}", self.0.as_str());
        future::ProvideCredentials::ready(Err(CredentialsError::not_loaded(message)))
    }
}
