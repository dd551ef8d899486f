use super::*;

const A: &str = "aaaaaaa111111111111111111111111111111111";
const A2: &str = "aaaaaaa222222222222222222222222222222222";
const B: &str = "bbbbbbb333333333333333333333333333333333";

fn branch(name: &str) -> Branch {
    name.parse().unwrap()
}

fn known(on: &str, commit: &str) -> Shipment {
    Shipment {
        release: Release {
            branch: Some(branch(on)),
            commit: Some(commit.parse().unwrap()),
            ..Release::default()
        },
        committed_at: Some(Timestamp::UNIX_EPOCH),
        subject: Some(format!("About {commit}")),
    }
}

fn source(default: Option<&str>) -> Source {
    Source { repository: "https://git.example.com/web".parse().unwrap(), branch: default.map(branch) }
}

fn manual(on: Option<&str>, commit: Option<&str>) -> Asked {
    Asked::Manual(ReleaseRequest {
        branch: on.map(branch),
        commit: commit.map(|digits| digits.parse().unwrap()),
        overlay: None,
        image: None,
    })
}

const NEW: Past<'static> = Past { deployed: None, history: &[] };

/// The branch and commit that git is asked for.
fn asked_of_git(asked: &Asked, past: Past<'_>, source: &Source) -> (String, Option<String>) {
    match decide(asked, past, Some(source)).unwrap() {
        Answer::AskGit(question) => {
            (question.branch.to_string(), question.commit.map(|commit| commit.to_string()))
        }
        other => panic!("git should be asked, not {other:?}"),
    }
}

fn exact(asked: &Asked, past: Past<'_>, source: Option<&Source>) -> Release {
    match decide(asked, past, source).unwrap() {
        Answer::Exact(shipment) => shipment.release,
        other => panic!("this needs no git: {other:?}"),
    }
}

#[test]
fn a_named_branch_without_a_commit_is_asked_for_its_tip() {
    let past = known("hotfix", A);
    let past = Past { deployed: Some(&past), history: &[] };
    let asked = asked_of_git(&manual(Some("main"), None), past, &source(Some("trunk")));
    assert_eq!(asked, ("main".to_owned(), None));
}

#[test]
fn without_a_branch_it_is_the_last_deployed_one() {
    let past = known("hotfix", A);
    let past = Past { deployed: Some(&past), history: &[] };
    assert_eq!(asked_of_git(&manual(None, None), past, &source(Some("main"))).0, "hotfix");
}

#[test]
fn without_a_branch_and_a_deploy_it_is_the_sources() {
    assert_eq!(
        asked_of_git(&manual(None, Some(B)), NEW, &source(Some("main"))),
        ("main".into(), Some(B.into()))
    );
}

#[test]
fn without_any_branch_it_says_so() {
    assert_eq!(decide(&manual(None, None), NEW, Some(&source(None))), Err(ResolveError::NoBranch));
}

#[test]
fn a_commit_of_the_history_needs_no_git_not_even_a_source() {
    let (deployed, history) = (known("main", B), [known("main", A)]);
    let past = Past { deployed: Some(&deployed), history: &history };
    for digits in [A, &A[..7]] {
        for on in [None, Some("main")] {
            assert_eq!(exact(&manual(on, Some(digits)), past, None), history[0].release);
        }
    }
}

#[test]
fn a_commit_of_the_history_keeps_its_date_and_subject() {
    let history = [known("main", A)];
    let past = Past { deployed: None, history: &history };
    let answer = decide(&manual(None, Some(A)), past, None).unwrap();
    assert_eq!(answer, Answer::Exact(history[0].clone()));
}

#[test]
fn a_commit_of_the_history_on_another_branch_than_the_named_one_is_asked_for() {
    let history = [known("hotfix", A)];
    let past = Past { deployed: None, history: &history };
    assert_eq!(asked_of_git(&manual(Some("main"), Some(A)), past, &source(None)).0, "main");
}

#[test]
fn a_commit_deployed_from_two_branches_is_rather_the_usual_ones() {
    let (deployed, history) = (known("main", B), [known("hotfix", A), known("main", A)]);
    let past = Past { deployed: Some(&deployed), history: &history };
    assert_eq!(exact(&manual(None, Some(A)), past, None).branch, Some(branch("main")));
    let deployed = known("other", B);
    let past = Past { deployed: Some(&deployed), history: &history };
    assert_eq!(exact(&manual(None, Some(A)), past, None).branch, Some(branch("hotfix")));
}

#[test]
fn digits_that_two_commits_of_the_history_begin_with_are_ambiguous() {
    let history = [known("main", A), known("main", A2), known("main", A)];
    let past = Past { deployed: None, history: &history };
    let error = decide(&manual(None, Some("aaaaaaa")), past, Some(&source(None))).unwrap_err();
    assert_eq!(
        error.to_string(),
        "commit aaaaaaa is ambiguous, aaaaaaa11111, aaaaaaa22222 begin with these digits: write more of them"
    );
}

#[test]
fn a_release_of_the_history_gets_the_overlay_that_is_asked_for_now() {
    let mut with_overlay = known("main", A);
    with_overlay.release.image = Some("ami-0abc".parse().unwrap());
    let history = [with_overlay];
    let past = Past { deployed: None, history: &history };
    assert_eq!(exact(&manual(None, Some(A)), past, None).image, None);
}

#[test]
fn an_image_alone_needs_no_git() {
    let image = "ami-0abc".parse().ok();
    let asked = Asked::Manual(ReleaseRequest { image: image.clone(), ..ReleaseRequest::default() });
    assert_eq!(exact(&asked, NEW, None), Release { image, ..Release::default() });
}

#[test]
fn a_branch_or_a_commit_without_a_source_says_so() {
    assert_eq!(decide(&manual(Some("main"), None), NEW, None), Err(ResolveError::NoSource));
    assert_eq!(decide(&manual(None, Some(A)), NEW, None), Err(ResolveError::NoSource));
}

#[test]
fn auto_applies_exactly_what_is_recorded() {
    let mut deployed = known("main", A);
    deployed.release.image = Some("ami-0abc".parse().unwrap());
    let history = [known("main", B)];
    let past = Past { deployed: Some(&deployed), history: &history };
    assert_eq!(
        decide(&Asked::Auto, past, Some(&source(Some("trunk")))).unwrap(),
        Answer::Exact(deployed.clone())
    );
}

#[test]
fn auto_with_nothing_recorded_waits() {
    let history = [known("main", B)];
    let past = Past { deployed: None, history: &history };
    assert_eq!(decide(&Asked::Auto, past, Some(&source(Some("main")))).unwrap(), Answer::NothingRecorded);
}
