//! Good and evil inputs for every word; the parser, the published schema and git itself held against each other.

use std::fmt::{Debug, Display};
use std::process::Command;
use std::str::FromStr;

use proptest::prelude::*;
use regex::Regex;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::json;

use super::*;

const SHA1: &str = "4f0c2d1a9b8e7d6c5b4a39281706f5e4d3c2b1a0";
const SHA256: &str = "4f0c2d1a9b8e7d6c5b4a39281706f5e4d3c2b1a04f0c2d1a9b8e7d6c5b4a3928";

/// Whether the API server, going by the schema, would accept `given`.
fn schema_accepts<W: JsonSchema>(given: &str) -> bool {
    let schema = schemars::schema_for!(W);
    let pattern = schema.get("pattern").and_then(|v| v.as_str()).expect("every word publishes its pattern");
    let longest = schema.get("maxLength").and_then(serde_json::Value::as_u64).expect("and its length");
    given.chars().count() as u64 <= longest && Regex::new(pattern).expect("a valid pattern").is_match(given)
}

fn holds<W>(good: &[&str], evil: &[&str])
where
    W: FromStr<Err = WordError> + DeserializeOwned + JsonSchema + Display + Debug,
{
    for given in good {
        let parsed = given.parse::<W>().unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(parsed.to_string(), *given);
        assert!(schema_accepts::<W>(given), "the schema refuses {given}");
        assert!(serde_json::from_value::<W>(json!(given)).is_ok());
    }
    let everywhere = good.iter().flat_map(|good| {
        ["\n", "\0", " ", "\t", "'", "\"", "`", "$(x)", ";", "|", "<", ">", "\\", "\u{202e}", "é", "{", "*"]
            .into_iter()
            .flat_map(move |bad| {
                let middle = good.len() / 2;
                [format!("{bad}{good}"), format!("{good}{bad}"), {
                    format!("{}{bad}{}", &good[..middle], &good[middle..])
                }]
            })
    });
    for given in evil.iter().map(ToString::to_string).chain(everywhere) {
        let refused = given.parse::<W>().expect_err(&format!("{given:?} must be refused"));
        assert!(!refused.to_string().contains(char::is_control), "{refused:?} repeats a control character");
        assert!(!schema_accepts::<W>(&given), "the schema accepts {given:?}");
        assert!(serde_json::from_value::<W>(json!(given)).is_err());
    }
}

const GOOD_BRANCHES: &[&str] = &[
    "main",
    "feature/login",
    "release-1.2.3",
    "v1.x",
    "user@host",
    "_x",
    "fix/issue#12",
    "dependabot/npm_and_yarn/lodash-4.17.21",
    "a=b+c",
    "HEAD",
    "a.l",
    "a.lo",
    "a.loc",
    "a.locks",
    "a.lox",
    "a.lick",
    "a.Lock",
    "a.lobk",
    "a.loCk",
    "lock",
    "x/lock",
    "0",
];

#[test]
fn a_branch_is_one_that_git_knows_and_no_shell_acts_on() {
    let too_long = "a".repeat(201);
    holds::<Branch>(
        GOOD_BRANCHES,
        &[
            "",
            "-x",
            "--upload-pack=x",
            "a/-x",
            "/a",
            "a/",
            "a//b",
            ".a",
            "a/.b",
            "a.",
            "a./b",
            "a..b",
            "a.lock",
            "a.lock/b",
            "a/b.lock",
            "a.b.lock",
            "@",
            "@{u}",
            "a@{1}",
            "a~1",
            "a^",
            "a:b",
            "a?",
            "a[b",
            "a&b",
            "a(b",
            "a!b",
            "+a",
            "#a",
            &too_long,
        ],
    );
}

#[test]
fn a_commit_is_whole_and_in_lower_case() {
    holds::<Commit>(
        &[SHA1, SHA256],
        &["", "4f0c2d1", &SHA1[..39], &SHA256[..63], &SHA1.to_uppercase(), "HEAD", &"g".repeat(40)],
    );
}

#[test]
fn an_abbreviated_commit_has_seven_digits_or_more() {
    holds::<CommitPrefix>(
        &["4f0c2d1", "4f0c2d1a", SHA1, SHA256],
        &["", "4f0c2d", "4F0C2D1", "-f0c2d1", "HEAD~1~1", "main", "4f0c2d1^", &format!("{SHA256}0")],
    );
}

#[test]
fn a_repository_is_a_url_without_credentials_or_tricks() {
    holds::<RepositoryUrl>(
        &[
            "https://git.example.com/shop/web.git",
            "https://git.example.com:8443/a",
            "https://dev.example.com/o/My%20Project/_git/web",
            "https://10.0.0.1/~user/x/",
            "ssh://git@git.example.com/shop/web.git",
            "ssh://git.example.com:2222/web",
            "file:///srv/git/web/.git",
        ],
        &[
            "",
            "http://git.example.com/a",
            "git://git.example.com/a",
            "git@git.example.com:shop/web.git",
            "https://user@git.example.com/a",
            "https://user:password@git.example.com/a",
            "ssh://-oProxyCommand=x/a",
            "ssh://-x@host/a",
            "ssh://git@-host/a",
            "ext::sh -c x",
            "file://host/path",
            "file://",
            "/srv/git",
            "https://git.example.com",
            "https://git.example.com/",
            "https:///a",
            "https://git.example.com/../a",
            "https://git.example.com/a/..",
            "https://git.example.com/a/./b",
            "https://git.example.com/a//b",
            "https://git.example.com/a?x=1",
            "https://git.example.com/a#x",
            "https://git.example.com/a%0ab",
            "https://git.example.com/a%00",
            "https://git.example.com/a%7f",
            "https://git.example.com/a%",
            "https://git.example.com:x/a",
            "-https://git.example.com/a",
        ],
    );
}

#[test]
fn an_overlay_is_fetched_over_tls_and_from_a_url_that_lasts() {
    holds::<OverlayUrl>(
        &[
            "https://overlays.example.com/web/42.tar.gz",
            "https://b.s3.amazonaws.com/o.tgz?versionId=abc.def_1",
        ],
        &[
            "",
            "http://overlays.example.com/o.tgz",
            "s3://bucket/o.tgz",
            "file:///o.tgz",
            "https://user:pw@overlays.example.com/o.tgz",
            "https://overlays.example.com/o.tgz?a=1&b=2",
            "https://overlays.example.com/o.tgz?",
            "https://overlays.example.com/o.tgz#x",
            "https://overlays.example.com/../o.tgz",
        ],
    );
}

#[test]
fn digests_and_images_are_what_they_say() {
    holds::<super::Sha256>(&[SHA256], &["", SHA1, &SHA256.to_uppercase()]);
    holds::<ImageId>(
        &["ami-0abc", "ami-0123456789abcdef0"],
        &["", "ami-", "ami-abc", "AMI-0abc", "i-0abc", "ami-0xyz", "-ami-0abc", "resolve:ssm:/a"],
    );
}

#[test]
fn git_accepts_every_branch_we_accept() {
    for branch in GOOD_BRANCHES {
        let known = Command::new("git").args(["check-ref-format", &format!("refs/heads/{branch}")]).status();
        assert!(known.expect("git is installed").success(), "git refuses {branch}");
    }
}

proptest! {
    /// The hand-written rule of git, held against the pattern.
    #[test]
    fn no_accepted_branch_breaks_a_rule_of_git(given in "[a-zA-Z@{}#./_lock-]{0,16}") {
        let breaks = given.is_empty()
            || given.starts_with('-')
            || given.ends_with('/')
            || given == "@"
            || given.contains("..")
            || given.contains("@{")
            || given.split('/').any(|part| {
                part.is_empty() || part.starts_with('.') || part.ends_with('.') || part.strip_suffix(".lock").is_some()
            });
        let accepted = given.parse::<Branch>().is_ok();
        prop_assert!(!(accepted && breaks), "{given}");
        prop_assert_eq!(accepted, schema_accepts::<Branch>(&given));
    }

    #[test]
    fn parser_and_schema_agree_on_any_string(given in any::<String>()) {
        prop_assert_eq!(given.parse::<Branch>().is_ok(), schema_accepts::<Branch>(&given));
        prop_assert_eq!(given.parse::<RepositoryUrl>().is_ok(), schema_accepts::<RepositoryUrl>(&given));
        prop_assert_eq!(given.parse::<OverlayUrl>().is_ok(), schema_accepts::<OverlayUrl>(&given));
        prop_assert_eq!(given.parse::<CommitPrefix>().is_ok(), schema_accepts::<CommitPrefix>(&given));
    }
}

#[test]
fn a_release_is_written_without_what_it_has_not() {
    let release = Release {
        branch: Some("main".parse().unwrap()),
        commit: Some(SHA1.parse().unwrap()),
        ..Release::default()
    };
    let written = serde_json::to_value(&release).unwrap();
    assert_eq!(written, json!({ "branch": "main", "commit": SHA1 }));
    assert_eq!(serde_json::from_value::<Release>(written).unwrap(), release);
}

#[test]
fn of_a_word_that_is_refused_as_much_is_told_as_anybody_needs_to_find_it() {
    let told = |given: &str| given.parse::<ImageId>().unwrap_err().given;
    let long = "x".repeat(1_000);
    assert!(told(&long).ends_with("x…") && told(&long).len() < 100, "{}", told(&long));
    assert_eq!((told("ami x").as_str(), told("ami\n").as_str()), ("ami x", "ami\\n"));
}

#[test]
fn people_read_of_a_release_what_it_is_made_of() {
    let read = |release: serde_json::Value| serde_json::from_value::<Release>(release).unwrap().to_string();
    let overlay = json!({ "url": "https://a.example/o.tgz", "sha256": "a".repeat(64) });
    assert_eq!(read(json!({ "branch": "main", "commit": SHA1 })), "main@4f0c2d1a9b8e");
    assert_eq!(
        read(json!({ "branch": "main", "overlay": overlay })),
        "main, overlay https://a.example/o.tgz"
    );
    assert_eq!(read(json!({ "commit": SHA1, "image": "ami-0abc1234" })), "4f0c2d1a9b8e, image ami-0abc1234");
    assert_eq!(read(json!({})), "the launch template's own image");
}

#[test]
fn a_release_asks_for_itself() {
    let release = json!({
        "branch": "main", "commit": SHA1, "image": "ami-0abc",
        "overlay": { "url": "https://overlays.example.com/o.tgz", "sha256": SHA256 },
    });
    let exact: Release = serde_json::from_value(release.clone()).unwrap();
    assert_eq!(serde_json::to_value(ReleaseRequest::from(exact)).unwrap(), release);
}

#[test]
fn an_abbreviated_commit_belongs_to_those_it_begins() {
    let commit: Commit = SHA1.parse().unwrap();
    assert!("4f0c2d1".parse::<CommitPrefix>().unwrap().abbreviates(&commit));
    assert!(!"4f0c2d2".parse::<CommitPrefix>().unwrap().abbreviates(&commit));
    assert!(!SHA256.parse::<CommitPrefix>().unwrap().abbreviates(&commit));
    assert_eq!(commit.short(), "4f0c2d1a9b8e");
}

#[test]
fn schemes_are_told_apart() {
    let scheme = |url: &str| url.parse::<RepositoryUrl>().unwrap().scheme();
    assert_eq!(scheme("https://h/a"), Scheme::Https);
    assert_eq!(scheme("ssh://h/a"), Scheme::Ssh);
    assert_eq!(scheme("file:///a"), Scheme::File);
}
