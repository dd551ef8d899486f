//! How targets and rules are understood, and what a change of weights asks for.

use dryad_cloud::group::InstanceId;
use dryad_cloud::traffic::{Rule, RuleArn, TargetGroupArn, TargetHealth, Weight};
use dryad_cloud::{Cloud, CloudError};
use dryad_machine::name::Arn;

use crate::testing::{Answer, Fake, done, here, refused};

fn rule_arn() -> RuleArn {
    RuleArn("arn:rule".to_owned())
}

fn weights(weights: &[(&str, u32)]) -> Vec<Weight> {
    let weight =
        |&(arn, weight): &(&str, u32)| Weight { target_group: TargetGroupArn(arn.to_owned()), weight };
    weights.iter().map(weight).collect()
}

#[tokio::test(start_paused = true)]
async fn every_target_has_a_health() {
    let target = |id, port, state, why| {
        format!(
            "<member><Target><Id>{id}</Id><Port>{port}</Port></Target>\
             <TargetHealth><State>{state}</State>{why}</TargetHealth></member>"
        )
    };
    let targets = [
        target("i-1", 80, "healthy", ""),
        target("i-2", 80, "initial", "<Reason>Elb.RegistrationInProgress</Reason>"),
        target("i-3", 80, "draining", "<Description>Target deregistration is in progress</Description>"),
        target(
            "i-4",
            80,
            "unhealthy",
            "<Reason>Target.Timeout</Reason><Description>Request timed out</Description>",
        ),
        target("i-5", 80, "unused", "<Reason>Target.NotInUse</Reason>"),
        target("i-6", 80, "unavailable", ""),
        target("i-7", 80, "unhealthy.draining", ""),
        target("i-8", 80, "healthy", ""),
        target("i-8", 81, "unhealthy", "<Description>Connection refused</Description>"),
        target("i-9", 80, "unhealthy", ""),
        target("i-9", 81, "healthy", ""),
    ];
    let described = format!("<TargetHealthDescriptions>{}</TargetHealthDescriptions>", targets.concat());
    let fake = Fake::always(done("DescribeTargetHealth", &described));
    let health = fake.aws().target_health(&here(), &TargetGroupArn("arn:tg".to_owned())).await.unwrap();
    let unhealthy = |words: &str| TargetHealth::Unhealthy(words.to_owned());
    let expected = [
        ("i-1", TargetHealth::Healthy),
        ("i-2", TargetHealth::Initial),
        ("i-3", TargetHealth::Draining),
        ("i-4", unhealthy("unhealthy: Request timed out")),
        ("i-5", unhealthy("unused: Target.NotInUse")),
        ("i-6", unhealthy("unavailable")),
        ("i-7", TargetHealth::Draining),
        ("i-8", unhealthy("unhealthy: Connection refused")),
        ("i-9", unhealthy("unhealthy")),
    ];
    assert_eq!(health, expected.map(|(id, health)| (InstanceId(id.to_owned()), health)).into());
    assert_eq!(fake.only_request().lines(), ["Action=DescribeTargetHealth", "TargetGroupArn=arn:tg"]);
}

/// The description of a rule with these actions.
fn described(actions: &str) -> Answer {
    let rule = format!("<RuleArn>arn:rule</RuleArn><IsDefault>false</IsDefault><Actions>{actions}</Actions>");
    done("DescribeRules", &format!("<Rules><member>{rule}</member></Rules>"))
}

const TWO: &str = "<member><Type>forward</Type><Order>1</Order><ForwardConfig>\
    <TargetGroups><member><TargetGroupArn>arn:a</TargetGroupArn><Weight>0</Weight></member>\
    <member><TargetGroupArn>arn:b</TargetGroupArn></member></TargetGroups>\
    <TargetGroupStickinessConfig><Enabled>true</Enabled><DurationSeconds>90</DurationSeconds>\
    </TargetGroupStickinessConfig></ForwardConfig></member>";
const ONE: &str = "<member><Type>forward</Type><TargetGroupArn>arn:a</TargetGroupArn></member>";
const LOGIN: &str = "<member><Type>authenticate-oidc</Type><Order>1</Order></member>";

async fn seen(answer: Answer) -> Result<Rule, CloudError> {
    Fake::always(answer).aws().rule(&here(), &rule_arn()).await
}

#[tokio::test(start_paused = true)]
async fn a_forward_is_its_weights() {
    assert_eq!(seen(described(TWO)).await, Ok(Rule::Forward(weights(&[("arn:a", 0), ("arn:b", 1)]))));
    assert_eq!(seen(described(ONE)).await, Ok(Rule::Forward(weights(&[("arn:a", 1)]))));
}

#[tokio::test(start_paused = true)]
async fn any_other_rule_is_told_in_words() {
    let fixed = "<member><Type>fixed-response</Type><FixedResponseConfig><StatusCode>503</StatusCode>\
                 </FixedResponseConfig></member>";
    for (actions, words) in [
        (format!("{LOGIN}{ONE}"), "an authentication, then a forward"),
        (fixed.to_owned(), "a fixed answer 503"),
        ("<member><Type>redirect</Type></member>".to_owned(), "a redirect"),
        ("<member><Type>magic</Type></member>".to_owned(), r#"an action "magic""#),
    ] {
        assert_eq!(seen(described(&actions)).await, Ok(Rule::Other(words.to_owned())));
    }
    let (status, body) = described(ONE);
    let default = seen((status, body.replace("false", "true"))).await;
    assert!(matches!(&default, Ok(Rule::Other(words)) if words.contains("default rule")), "{default:?}");
}

#[tokio::test(start_paused = true)]
async fn half_a_rule_is_an_error() {
    let nowhere = "<member><Type>forward</Type></member>";
    for actions in ["", nowhere] {
        let outcome = seen(described(actions)).await;
        assert!(matches!(outcome, Err(CloudError::Unanswered { .. })), "{outcome:?}");
    }
    let none = seen(done("DescribeRules", "<Rules></Rules>")).await;
    assert!(matches!(none, Err(CloudError::NotFound { .. })), "{none:?}");
}

/// A load balancer whose rule is as described.
fn with_rule(answer: Answer) -> Fake {
    Fake::by_action(move |action| match action {
        "DescribeRules" => answer.clone(),
        other => done(other, ""),
    })
}

#[tokio::test(start_paused = true)]
async fn new_weights_leave_the_stickiness_as_it_is() {
    let fake = with_rule(described(TWO));
    fake.aws().set_weights(&here(), &rule_arn(), &weights(&[("arn:a", 100), ("arn:b", 0)])).await.unwrap();
    let [_, change] = &fake.asked()[..] else { panic!("{:?}", fake.asked()) };
    assert_eq!(
        change.lines(),
        [
            "Action=ModifyRule",
            "RuleArn=arn:rule",
            "Actions.member.1.Type=forward",
            "Actions.member.1.ForwardConfig.TargetGroups.member.1.TargetGroupArn=arn:a",
            "Actions.member.1.ForwardConfig.TargetGroups.member.1.Weight=100",
            "Actions.member.1.ForwardConfig.TargetGroups.member.2.TargetGroupArn=arn:b",
            "Actions.member.1.ForwardConfig.TargetGroups.member.2.Weight=0",
            "Actions.member.1.ForwardConfig.TargetGroupStickinessConfig.Enabled=true",
            "Actions.member.1.ForwardConfig.TargetGroupStickinessConfig.DurationSeconds=90",
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_rule_that_does_more_than_forward_is_not_changed() {
    let fake = with_rule(described(&format!("{LOGIN}{ONE}")));
    let outcome = fake.aws().set_weights(&here(), &rule_arn(), &weights(&[("arn:a", 1)])).await;
    let message =
        "the rule is an authentication, then a forward; only a rule that does nothing but forward is changed";
    assert_eq!(outcome, Err(CloudError::Invalid { action: "ModifyRule", message: message.to_owned() }));
    assert_eq!(fake.only_request().get("Action"), Some("DescribeRules"));
}

#[tokio::test(start_paused = true)]
async fn a_rule_that_forwards_to_somebody_elses_target_group_by_now_is_not_changed() {
    let fake = with_rule(described(TWO));
    let outcome = fake.aws().set_weights(&here(), &rule_arn(), &weights(&[("arn:a", 1), ("arn:c", 0)])).await;
    let message = "the rule also forwards to arn:b by now".to_owned();
    assert_eq!(outcome, Err(CloudError::Busy { action: "ModifyRule", message }));
    assert_eq!(fake.only_request().get("Action"), Some("DescribeRules"));
}

#[tokio::test(start_paused = true)]
async fn a_rule_that_cannot_be_read_leaves_nothing_uncertain() {
    let fake = with_rule(refused(500, "InternalFailure", "oops"));
    let error = fake.aws().set_weights(&here(), &rule_arn(), &weights(&[("arn:a", 1)])).await.unwrap_err();
    assert!(matches!(error, CloudError::Unreachable { action: "ModifyRule", .. }), "{error:?}");
    assert!(!error.leaves_the_world_uncertain());
    assert!(fake.asked().iter().all(|request| request.get("Action") == Some("DescribeRules")));
}

#[tokio::test(start_paused = true)]
async fn tags_are_those_of_what_was_asked_about() {
    let member = |arn: &str| {
        format!(
            "<member><ResourceArn>{arn}</ResourceArn><Tags><member><Key>team</Key><Value>{arn}</Value></member>\
             <member><Key>bare</Key></member></Tags></member>"
        )
    };
    let described =
        format!("<TagDescriptions>{}{}</TagDescriptions>", member("arn:other"), member("arn:rule"));
    let fake = Fake::always(done("DescribeTags", &described));
    let tags = fake.aws().balancer_tags(&here(), &Arn::new("arn:rule")).await.unwrap();
    let expected = [("team", "arn:rule"), ("bare", "")];
    assert_eq!(tags, expected.map(|(key, value)| (key.to_owned(), value.to_owned())).into());
    assert_eq!(fake.only_request().get("ResourceArns.member.1"), Some("arn:rule"));
    let fake = Fake::always(done(
        "DescribeTags",
        &format!("<TagDescriptions>{}</TagDescriptions>", member("arn:other")),
    ));
    let unanswered = fake.aws().balancer_tags(&here(), &Arn::new("arn:rule")).await;
    assert!(matches!(unanswered, Err(CloudError::Unanswered { .. })), "{unanswered:?}");
}
