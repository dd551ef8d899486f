//! What `dryad_cloud::Cloud` promises, asked of whatever implements it over the local cloud.
//!
//! [`cases!`](cases) makes a test of each case. The adapter to AWS includes this folder to ask the same cases through
//! the SDK and the wire door.

mod deploy;
mod derive;
mod found;
mod owned;
mod parameters;
mod refusals;
mod stage;

pub(crate) use stage::{ACCOUNT, Stage, new_world, place};

/// What the cases are, by name.
pub(crate) mod all {
    pub(crate) use super::deploy::*;
    pub(crate) use super::derive::*;
    pub(crate) use super::found::*;
    pub(crate) use super::owned::*;
    pub(crate) use super::parameters::*;
    pub(crate) use super::refusals::*;
}

/// A test of each case, with the stage that `$open` makes for it and what it has to hold on to meanwhile.
macro_rules! cases {
    (#[$test:meta] $open:path) => {
        cloud_trait::cases! {
            #[$test] $open:
            a_deploy_goes_from_blue_to_green
            a_launch_that_fails_says_why
            a_target_that_fails_its_checks_says_so
            a_rule_that_does_not_forward_is_told_in_words
            a_template_made_of_another_says_the_same
            latest_and_default_are_versions_with_a_number
            what_cannot_be_copied_is_named
            a_template_or_version_that_is_not_there_is_not_found
            a_parameter_is_put_read_replaced_and_deleted
            a_parameter_says_of_which_type_it_is
            a_value_that_is_too_long_is_refused
            what_is_ours_is_found_by_its_tags
            a_template_is_found_by_its_name_whosever_it_is
            more_than_a_page_is_found_whole
            rules_and_target_groups_show_their_tags
            what_is_not_there_is_not_described
            what_is_not_there_cannot_be_changed
            weights_take_nobody_out_of_a_rule
            what_is_there_cannot_be_created_again
            a_group_with_instances_is_not_deleted
            a_wrong_request_is_refused_in_the_clouds_words
            a_refused_mutation_changes_nothing
            a_throttled_mutation_changes_nothing
            a_mutation_whose_answer_is_lost_has_taken_effect
            a_mutation_may_arrive_after_it_was_given_up
        }
    };
    (#[$test:meta] $open:path: $($case:ident)+) => {$(
        #[$test]
        async fn $case() {
            let (stage, _door) = $open().await;
            cloud_trait::all::$case(&stage).await;
            stage.end();
        }
    )+};
}
pub(crate) use cases;
