//! The written list of what the adapter asks of AWS. Every call goes through [`Site`](crate::site::Site), which takes
//! nothing that is not in it, and what is in it and never asked for does not compile without a warning: so it is what
//! the IAM policy in `config/aws` is compared with. Each names the [`Family`] whose budget it is paid from.

use crate::budget::Family;

macro_rules! actions {
    ($($service:literal: $($family:ident { $($name:ident),+ $(,)? })+)+) => {
        /// A request of AWS's.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Call {
            $($($($name,)+)+)+
        }

        impl Call {
            /// AWS's name of it, such as `CreateAutoScalingGroup`.
            pub(crate) fn name(self) -> &'static str {
                match self {
                    $($($(Self::$name => stringify!($name),)+)+)+
                }
            }

            /// What AWS counts it together with.
            pub(crate) fn family(self) -> Family {
                match self {
                    $($($(Self::$name)|+ => Family::$family,)+)+
                }
            }

            /// What IAM calls the permission of each.
            #[cfg(test)]
            const PERMISSIONS: &[&str] = &[$($($(concat!($service, ":", stringify!($name)),)+)+)+];
        }
    };
}

actions! {
    "autoscaling":
        AutoScaling {
            AttachLoadBalancerTargetGroups, CreateAutoScalingGroup, DeleteAutoScalingGroup,
            DescribeAutoScalingGroups, DescribeScalingActivities, DetachLoadBalancerTargetGroups,
            UpdateAutoScalingGroup,
        }
    "ec2":
        Ec2Reads { DescribeInstances, DescribeLaunchTemplates, DescribeLaunchTemplateVersions }
        Ec2Changes { CreateLaunchTemplate, DeleteLaunchTemplate }
    "elasticloadbalancing":
        BalancerReads { DescribeRules, DescribeTags, DescribeTargetHealth }
        BalancerChanges { ModifyRule }
    "ssm":
        ParameterReads { GetParameter }
        ParameterChanges { DeleteParameter, PutParameter }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use serde_json::Value;

    use super::*;

    const POLICY: &str = include_str!("../../../config/aws/policy.json");
    const TAG: &str = "dryad.dev/installation";
    /// A launch needs the template as well, which has to carry the tag.
    const TEMPLATE: &str = "ec2:LaunchTemplate";

    /// What AWS asks for beside the permission of a request itself, and because of which request.
    const IMPLIED: [(&str, &str); 4] = [
        (
            "ec2:RunInstances",
            "CreateAutoScalingGroup with a launch template: whether the caller could launch it",
        ),
        ("ec2:CreateTags", "CreateLaunchTemplate with tags, and RunInstances of a template with tags"),
        ("sts:AssumeRole", "every request in an account whose configuration names a role"),
        ("iam:PassRole", "RunInstances of a template with an instance profile"),
    ];
    /// What AWS has no conditions for: it names no resource that could carry a tag.
    const READS: &str = "Describe";

    fn statements() -> Vec<Value> {
        let policy: Value = serde_json::from_str(POLICY).expect("JSON");
        policy["Statement"].as_array().expect("statements").clone()
    }

    fn list(value: &Value) -> Vec<String> {
        let text = |value: &Value| value.as_str().expect("text").to_owned();
        value.as_array().map_or_else(|| vec![text(value)], |all| all.iter().map(text).collect())
    }

    #[test]
    fn the_policy_allows_what_the_adapter_asks_for_and_nothing_else() {
        let allowed: BTreeSet<String> =
            statements().iter().flat_map(|statement| list(&statement["Action"])).collect();
        let implied = IMPLIED.map(|(permission, _)| permission);
        let asked: BTreeSet<String> =
            Call::PERMISSIONS.iter().chain(&implied).map(|permission| (*permission).to_owned()).collect();
        assert_eq!(allowed, asked, "config/aws/policy.json, and what the adapter can ask for");
    }

    #[test]
    fn every_change_is_bound_to_the_tag_of_the_installation_to_a_template_or_to_one_resource() {
        for statement in statements() {
            assert_eq!(statement["Effect"], "Allow", "{statement}");
            let reads = list(&statement["Action"])
                .iter()
                .all(|permission| permission.split(':').nth(1).is_some_and(|name| name.starts_with(READS)));
            if reads {
                continue;
            }
            let condition = statement["Condition"].to_string();
            let named = list(&statement["Resource"]).iter().all(|resource| !resource.contains('*'));
            assert!(condition.contains(TAG) || condition.contains(TEMPLATE) || named, "{statement}");
        }
    }

    #[test]
    fn a_name_is_that_of_the_permission() {
        let names: BTreeMap<_, _> = Call::PERMISSIONS
            .iter()
            .filter_map(|permission| permission.split_once(':'))
            .map(|(a, b)| (b, a))
            .collect();
        assert_eq!(names.get(Call::ModifyRule.name()), Some(&"elasticloadbalancing"));
    }
}
