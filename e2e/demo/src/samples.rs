//! The files of `config/samples/`, as they are; only what is this machine's is filled in.

use dryad_crds::{Deployment, Environment};
use kube::Api;
use kube::api::{Patch, PatchParams};
use serde_json::{Value, json};

use crate::error::DemoError;

/// The Environment.
const ENVIRONMENT: Sample =
    Sample("environment.yaml", include_str!("../../../config/samples/environment.yaml"));
/// A deploy of the branch that was deployed last.
pub(crate) const DEPLOYMENT: Sample =
    Sample("deployment.yaml", include_str!("../../../config/samples/deployment.yaml"));
/// A deploy of another branch.
pub(crate) const DEPLOYMENT_OF_A_BRANCH: Sample = Sample(
    "deployment-of-a-branch.yaml",
    include_str!("../../../config/samples/deployment-of-a-branch.yaml"),
);

/// A file of `config/samples/`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sample(&'static str, &'static str);

impl Sample {
    fn read(self) -> Result<Value, DemoError> {
        let Self(name, text) = self;
        serde_saphyr::from_str(text).map_err(|source| DemoError::Sample { name, source: Box::new(source) })
    }

    /// How a user would apply it, under this name.
    pub(crate) fn command(self, name: &str) -> String {
        format!("kubectl apply -f config/samples/{}  # as {name}", self.0)
    }
}

/// Applies the Environment, with this repository.
pub(crate) async fn apply_environment(api: &Api<Environment>, repository: &str) -> Result<(), DemoError> {
    let mut object = ENVIRONMENT.read()?;
    object["spec"]["source"]["repository"] = json!(repository);
    api.patch(&name_of(&object), &as_user(), &Patch::Apply(&object)).await?;
    Ok(())
}

/// Applies a Deployment under its next name.
pub(crate) async fn apply_deployment(
    api: &Api<Deployment>,
    sample: Sample,
    name: &str,
) -> Result<(), DemoError> {
    let mut object = sample.read()?;
    object["metadata"]["name"] = json!(name);
    api.patch(name, &as_user(), &Patch::Apply(&object)).await?;
    Ok(())
}

/// How a user would apply the Environment.
pub(crate) fn environment_command() -> String {
    format!("kubectl apply -f config/samples/{}", ENVIRONMENT.0)
}

fn name_of(object: &Value) -> String {
    object["metadata"]["name"].as_str().unwrap_or_default().to_owned()
}

fn as_user() -> PatchParams {
    PatchParams::apply("kubectl").validation_strict()
}
