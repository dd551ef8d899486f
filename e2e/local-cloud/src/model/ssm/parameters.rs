//! Parameters: put, got and deleted one at a time. There is no compare-and-set.

use std::collections::VecDeque;

use jiff::Timestamp;
use serde::{Deserialize, Serialize, Serializer};

use crate::model::action::{Action, Context, Kind};
use crate::model::error::{ApiError, Code};
use crate::model::region::Region;
use crate::model::service::Service;

/// How many versions of a parameter are kept.
const VERSIONS: usize = 100;

/// A parameter as the model holds it.
#[derive(Debug, Clone)]
pub struct Parameter {
    kind: ParameterType,
    /// The newest last.
    versions: VecDeque<Version>,
}

#[derive(Debug, Clone)]
struct Version {
    number: u64,
    value: String,
    at: Timestamp,
}

/// The type of a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ParameterType {
    /// Text.
    String,
    /// Texts with commas between them.
    StringList,
    /// Text that is encrypted at rest. Here it is not.
    SecureString,
}

/// How large a value may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Tier {
    /// 4 KB.
    #[default]
    Standard,
    /// 8 KB.
    Advanced,
}

impl Tier {
    const fn most(self) -> usize {
        match self {
            Self::Standard => 4096,
            Self::Advanced => 8192,
        }
    }
}

/// Creates a parameter, or adds a version to it.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "PascalCase")]
pub struct PutParameter {
    /// Letters, digits and `/._-`; with a `/` in it, it begins with one.
    pub name: String,
    /// Its value.
    pub value: String,
    /// Its type; a version added keeps the type there was.
    #[serde(rename = "Type")]
    pub kind: Option<ParameterType>,
    /// Whether there may be one already.
    pub overwrite: Option<bool>,
    /// How large the value may be.
    pub tier: Option<Tier>,
}

/// The version put.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct PutParameterAnswer {
    /// From 1 on.
    pub version: u64,
    /// How large the value may be.
    pub tier: Tier,
}

fn check_name(name: &str) -> Result<(), ApiError> {
    let characters = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/._-".contains(&byte));
    let lower = name.trim_start_matches('/').to_ascii_lowercase();
    if name.is_empty() || !characters || lower.starts_with("aws") || lower.starts_with("ssm") {
        return Err(ApiError::new(
            Code::ValidationException,
            format!(
                "Parameter name: can't be prefixed with \"aws\" or \"ssm\" (case-insensitive) and may contain only letters, \
                 numbers and the characters .-_/: {name:?}"
            ),
        ));
    }
    if name.contains('/') && !name.starts_with('/') {
        return Err(ApiError::new(
            Code::ValidationException,
            format!("Parameter name must be a fully qualified name: {name:?} must begin with a slash"),
        ));
    }
    if name.split('/').count() > 16 || name.len() > 1011 {
        return Err(ApiError::new(
            Code::ValidationException,
            "Parameter name is too long or has more than 15 levels",
        ));
    }
    Ok(())
}

impl Action for PutParameter {
    const SERVICE: Service = Service::Ssm;
    const NAME: &'static str = "PutParameter";
    const KIND: Kind = Kind::Write;
    type Answer = PutParameterAnswer;

    fn resource(&self) -> String {
        self.name.clone()
    }

    fn run(self, region: &mut Region, context: &mut Context<'_>) -> Result<Self::Answer, ApiError> {
        let invalid = |message: String| Err(ApiError::new(Code::ValidationException, message));
        check_name(&self.name)?;
        let tier = self.tier.unwrap_or_default();
        if self.value.is_empty() {
            return invalid("Parameter value must not be empty".to_owned());
        }
        if self.value.len() > tier.most() {
            return invalid(format!(
                "The parameter value must be at most {} characters long in this tier",
                tier.most()
            ));
        }
        if self.value.contains("{{") {
            return invalid("Parameter value can't nest another parameter: remove {{ }}".to_owned());
        }
        let number = match region.ssm.parameters.get_mut(&self.name) {
            Some(_) if self.overwrite != Some(true) => {
                return Err(ApiError::new(
                    Code::ParameterAlreadyExists,
                    "The parameter already exists. To overwrite this value, set the overwrite option in the request to true.",
                ));
            }
            Some(parameter) => {
                let number = parameter.versions.back().map_or(1, |version| version.number + 1);
                if parameter.versions.len() == VERSIONS {
                    parameter.versions.pop_front();
                }
                parameter.versions.push_back(Version { number, value: self.value, at: context.now });
                number
            }
            None => {
                let Some(kind) = self.kind else {
                    return invalid("A parameter type is required when you create a parameter".to_owned());
                };
                let version = Version { number: 1, value: self.value, at: context.now };
                let parameter = Parameter { kind, versions: VecDeque::from([version]) };
                region.ssm.parameters.insert(self.name, parameter);
                1
            }
        };
        Ok(PutParameterAnswer { version: number, tier })
    }
}

/// Reads a parameter.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "PascalCase")]
pub struct GetParameter {
    /// Its name, with `:<version>` for another than the newest.
    pub name: String,
    /// Whether a `SecureString` comes in the clear; here it always does.
    pub with_decryption: Option<bool>,
}

/// The parameter.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct GetParameterAnswer {
    /// The version asked for.
    pub parameter: DescribedParameter,
}

/// A parameter as it is read.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct DescribedParameter {
    /// Its name.
    pub name: String,
    /// Its type.
    #[serde(rename = "Type")]
    pub kind: ParameterType,
    /// Its value.
    pub value: String,
    /// The version read.
    pub version: u64,
    /// When that was put; seconds on the wire.
    #[serde(serialize_with = "seconds")]
    pub last_modified_date: Timestamp,
    /// Its ARN.
    #[serde(rename = "ARN")]
    pub arn: String,
    /// Always `text`.
    pub data_type: String,
}

fn seconds<S: Serializer>(at: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(at.as_duration().as_secs_f64())
}

fn not_found(name: &str) -> ApiError {
    ApiError::new(Code::ParameterNotFound, format!("Parameter {name} not found."))
}

impl Action for GetParameter {
    const SERVICE: Service = Service::Ssm;
    const NAME: &'static str = "GetParameter";
    const KIND: Kind = Kind::Read;
    type Answer = GetParameterAnswer;

    fn resource(&self) -> String {
        self.name.clone()
    }

    fn run(self, region: &mut Region, _: &mut Context<'_>) -> Result<Self::Answer, ApiError> {
        let (name, wanted) = match self.name.split_once(':') {
            Some((name, version)) => (name, Some(version)),
            None => (self.name.as_str(), None),
        };
        let parameter = region.ssm.parameters.get(name).ok_or_else(|| not_found(name))?;
        let version = match wanted {
            None => parameter.versions.back(),
            Some(wanted) => parameter.versions.iter().find(|version| version.number.to_string() == wanted),
        };
        let version = version.ok_or_else(|| {
            let message =
                format!("Systems Manager could not find version {} of {name}.", wanted.unwrap_or("$LATEST"));
            ApiError::new(Code::ParameterVersionNotFound, message)
        })?;
        Ok(GetParameterAnswer {
            parameter: DescribedParameter {
                name: name.to_owned(),
                kind: parameter.kind,
                value: version.value.clone(),
                version: version.number,
                last_modified_date: version.at,
                arn: region.place.arn("ssm", format_args!("parameter/{}", name.trim_start_matches('/'))),
                data_type: "text".to_owned(),
            },
        })
    }
}

/// Deletes a parameter with all its versions.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "PascalCase")]
pub struct DeleteParameter {
    /// Its name.
    pub name: String,
}

/// It is done.
#[derive(Debug, Clone, Serialize)]
pub struct DeleteParameterAnswer {}

impl Action for DeleteParameter {
    const SERVICE: Service = Service::Ssm;
    const NAME: &'static str = "DeleteParameter";
    const KIND: Kind = Kind::Write;
    type Answer = DeleteParameterAnswer;

    fn resource(&self) -> String {
        self.name.clone()
    }

    fn run(self, region: &mut Region, _: &mut Context<'_>) -> Result<Self::Answer, ApiError> {
        region.ssm.parameters.remove(&self.name).ok_or_else(|| not_found(&self.name))?;
        Ok(DeleteParameterAnswer {})
    }
}
