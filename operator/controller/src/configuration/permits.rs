//! Whether a template names only what its namespace may name. Pure.

use std::fmt;

use dryad_crds::deployment::status::Template;
use dryad_crds::environment::EnvironmentSpec;
use dryad_crds::environment::target::{AutoScalingGroup, Target};
use dryad_crds::environment::traffic::Traffic;
use dryad_machine::name::{AccountName, Region};
use dryad_machine::tenure::Member;

use super::file::{Account, Configuration, List, Origin};
use super::words::AccountKey;

/// The word for the security group that instances get when none is named.
const DEFAULT_SECURITY_GROUP: &str = "default";

/// Why a template is not permitted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// There is no configuration at all.
    Unconfigured,
    /// The configuration lacks an entry.
    Lacks {
        /// Where it would stand, as a path of the file's keys.
        at: String,
        /// What it would be.
        entry: String,
    },
    /// An ARN is of another region or account than the target. No entry would help.
    Elsewhere {
        /// The ARN.
        arn: String,
        /// What it names.
        named: String,
        /// What the target names.
        wanted: String,
    },
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unconfigured => f.write_str("the operator was started without --config"),
            Self::Lacks { at, entry } => write!(f, "{at} lacks {entry}"),
            Self::Elsewhere { arn, named, wanted } => {
                write!(f, "{arn} is of {named}, but the target of {wanted}")
            }
        }
    }
}

/// All refusals in a sentence for whoever wrote the Environment, with what to do.
pub fn sentence(refusals: &[Refusal]) -> String {
    let each: Vec<_> = refusals.iter().map(ToString::to_string).collect();
    let mends_itself = |refusal: &Refusal| matches!(refusal, Refusal::Elsewhere { .. });
    let advice = match (refusals.iter().any(mends_itself), refusals.iter().all(mends_itself)) {
        (_, true) => "change the Environment",
        (true, false) => "change the Environment, and ask whoever runs Dryad to add the rest",
        (false, false) => "ask whoever runs Dryad to add it to the operator's configuration",
    };
    format!("not permitted: {}; {advice}", each.join("; "))
}

/// Lets a template pass that names nothing but what the namespace may name.
///
/// # Errors
/// Everything that stands in the way.
pub fn permits(
    configuration: &Configuration,
    namespace: &str,
    template: &Template,
) -> Result<(), Vec<Refusal>> {
    let Target::AutoScalingGroup(group) = &template.target;
    let account = configured(configuration, &group.account).map_err(|refusal| vec![refusal])?;
    let mut refusals = Vec::new();
    if !account.regions.iter().any(|region| region.matches(group.region.as_str())) {
        let at = format!("accounts.{}.regions", group.account);
        refusals.push(Refusal::Lacks { at, entry: group.region.to_string() });
    }
    for (list, name) in named(group, template.traffic.as_ref()) {
        if !account.permits(namespace, list, &name) {
            let at = format!("accounts.{}.namespaces.{namespace}.{}", group.account, list.key());
            refusals.push(Refusal::Lacks { at, entry: name });
        }
    }
    let role = account.role();
    let owner = role.as_ref().map(|role| role.arn.account());
    let arns = template.traffic.iter().flat_map(Traffic::arns);
    refusals.extend(arns.filter_map(|arn| elsewhere(arn, &group.region, owner)));
    if refusals.is_empty() { Ok(()) } else { Err(refusals) }
}

/// Why the parameter that is to say what is deployed must not be written; none if it may, or there is none.
pub fn withheld(configuration: &Configuration, namespace: &str, spec: &EnvironmentSpec) -> Option<Refusal> {
    let place = spec.target.place();
    let account = match configured(configuration, &place.account) {
        Ok(account) => account,
        Err(refusal) => return spec.deployed_parameter.is_some().then_some(refusal),
    };
    let name = spec.parameters().written.into_iter().map(ToString::to_string);
    let entry = name.into_iter().find(|name| !account.permits(namespace, List::SsmPrefixes, name))?;
    let at = format!("accounts.{}.namespaces.{namespace}.{}", place.account, List::SsmPrefixes.key());
    Some(Refusal::Lacks { at, entry })
}

/// Which groups of a ledger nobody can reach any more, as their account is no longer in the configuration. To reach
/// what was launched once, nothing else has to be permitted.
pub fn unreachable(configuration: &Configuration, ledger: &[Member]) -> Vec<Refusal> {
    if configuration.origin == Origin::Nowhere {
        return Vec::new();
    }
    let lost = |member: &Member| configured(configuration, &member.place.account).err();
    let mut refusals: Vec<_> = ledger.iter().filter_map(lost).collect();
    refusals.dedup();
    refusals
}

fn configured<'a>(configuration: &'a Configuration, name: &AccountName) -> Result<&'a Account, Refusal> {
    if configuration.origin == Origin::Nowhere {
        return Err(Refusal::Unconfigured);
    }
    let key = name.as_str().parse::<AccountKey>().ok();
    let account = key.and_then(|key| configuration.accounts.get(&key));
    account.ok_or_else(|| Refusal::Lacks { at: "accounts".to_owned(), entry: name.to_string() })
}

/// Everything that a template names, each with the list that it has to be in.
fn named(group: &AutoScalingGroup, traffic: Option<&Traffic>) -> Vec<(List, String)> {
    let launch = &group.launch_template;
    let mut named = Vec::new();
    named.extend(launch.from.iter().map(|from| (List::LaunchTemplates, from.id.to_string())));
    named.extend(launch.image_id_from_parameter.iter().map(|name| (List::SsmPrefixes, name.to_string())));
    named.extend(launch.instance_profile.iter().map(|name| (List::InstanceProfiles, name.to_string())));
    named.extend(launch.key_name.iter().map(|name| (List::KeyNames, name.to_string())));
    named.extend(launch.security_group_ids.iter().map(|id| (List::SecurityGroups, id.to_string())));
    // What an existing launch template holds is permitted with it.
    if launch.security_group_ids.is_empty() && launch.from.is_none() {
        named.push((List::SecurityGroups, DEFAULT_SECURITY_GROUP.to_owned()));
    }
    named.extend(group.subnet_ids.iter().map(|id| (List::Subnets, id.to_string())));
    match traffic {
        Some(Traffic::LoadBalancerRule(rule)) => {
            named.push((List::Rules, rule.rule_arn.to_string()));
            named.extend(rule.target_group_arns.iter().map(|arn| (List::TargetGroups, arn.to_string())));
        }
        Some(Traffic::TargetGroup(shared)) => named.push((List::TargetGroups, shared.arn.to_string())),
        None => {}
    }
    named
}

/// What is wrong with the place that an ARN names.
fn elsewhere(arn: &str, region: &Region, owner: Option<&str>) -> Option<Refusal> {
    let mut parts = arn.split(':').skip(3);
    let (arn_region, arn_owner) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let refused = |named: &str, wanted: &str| {
        Some(Refusal::Elsewhere { arn: arn.to_owned(), named: named.to_owned(), wanted: wanted.to_owned() })
    };
    match owner {
        _ if arn_region != region.as_str() => refused(arn_region, region.as_str()),
        Some(owner) if arn_owner != owner => refused(arn_owner, owner),
        Some(_) | None => None,
    }
}
