use super::*;
use dryad_machine::release::Overlay;

const COMMIT: &str = "4f0c2d1a9b8e7d6c5b4a39281706f5e4d3c2b1a0";
const SHA256: &str = "4f0c2d1a9b8e7d6c5b4a39281706f5e4d3c2b1a04f0c2d1a9b8e7d6c5b4a3928";

fn whole() -> Release {
    Release {
        branch: Some("feature/x".parse().unwrap()),
        commit: Some(COMMIT.parse().unwrap()),
        overlay: Some(Overlay {
            url: "https://overlays.example.com/o.tgz".parse().unwrap(),
            sha256: SHA256.parse().unwrap(),
        }),
        image: Some("ami-0abc".parse().unwrap()),
    }
}

fn rendered(text: &str, release: &Release) -> Result<String, RenderError> {
    Template::parse(text).unwrap().render(release).map(|data| data.as_str().to_owned())
}

#[test]
fn every_known_name_is_filled_in() {
    let text = "{{ release.branch }}|{{release.commit}}|{{\trelease.image  }}|{{ release.overlay.url }}|{{ release.overlay.sha256 }}";
    let expected = format!("feature/x|{COMMIT}|ami-0abc|https://overlays.example.com/o.tgz|{SHA256}");
    assert_eq!(rendered(text, &whole()).unwrap(), expected);
}

#[test]
fn everybody_elses_templates_pass_through() {
    for text in [
        "",
        "#!/bin/sh\necho ${x} $(y) `z` \\{{ \\n",
        "{{ .Values.release.commit }} {{- if .Release }}",
        "{% if release.commit %}{# release.commit #}",
        "## template: jinja\n{{ ds.meta_data.instance_id }} {{ v1.region }}",
        "{{ env.HOME }} ${HOME} {{ file \"/etc/passwd\" }} {{ include \"x\" }} ${file:/etc/passwd}",
        "{{ releases.commit }} {{ release }} { { release.commit } }",
        "{{ \n release.commit }}",
        "{{",
        "}} {{ {{{ {",
        "{ release.commit }",
        "docker inspect -f '{{ .State }}' é🏠",
    ] {
        assert_eq!(rendered(text, &whole()).unwrap(), text);
    }
}

#[test]
fn what_stands_around_an_expression_stays() {
    let text = "é{{{ release.image }}}{{ release.image }}{{ release.image }}\r\n{{ x }}🏠";
    assert_eq!(rendered(text, &whole()).unwrap(), "é{ami-0abc}ami-0abcami-0abc\r\n{{ x }}🏠");
}

#[test]
fn an_unknown_name_is_refused_with_those_that_are_known() {
    let error = Template::parse("one\ntwo {{ release.comit }}").unwrap_err();
    assert_eq!(
        error.to_string(),
        "user data, line 2: `release.comit` is not known, only release.branch, release.commit, release.overlay.url, \
         release.overlay.sha256, release.image are"
    );
    for bad in [
        "{{ release. }}",
        "{{ release.overlay }}",
        "{{ release.Commit }}",
        "{{ release.commit | default('') }}",
        "{{ release.commit ?}}",
        "{{ release.commit?? }}",
        "{{ release.commit -}}",
        "{{ release.commit release.branch }}",
        "{{ release.branch {{ release.commit }}",
    ] {
        let error = Template::parse(bad).unwrap_err();
        assert!(matches!(error, TemplateError::UnknownName { line: 1, .. }), "{bad}: {error}");
    }
}

#[test]
fn an_expression_is_closed_on_its_line() {
    for bad in ["\n{{ release.commit", "\n{{ release.commit\n}}", "\n{{ release.commit } }\n{{ x }}"] {
        let error = Template::parse(bad).unwrap_err();
        assert_eq!(
            error.to_string(),
            "user data, line 2: `{{ release.` is not closed by `}}` on the same line"
        );
    }
}

#[test]
fn what_the_release_has_not_is_refused_unless_it_may_be_empty() {
    let bare = Release::default();
    let error = rendered("\n\nfetch {{ release.overlay.url }}", &bare).unwrap_err();
    assert_eq!(
        error.to_string(),
        "user data, line 3: this release has no `release.overlay.url`: name one in the release, or write \
         `{{ release.overlay.url? }}` to leave it empty"
    );
    for name in Name::ALL.map(Name::as_written) {
        assert!(rendered(&format!("{{{{ {name} }}}}"), &bare).is_err());
        assert_eq!(rendered(&format!("[{{{{ {name}? }}}}]"), &bare).unwrap(), "[]");
        assert_ne!(rendered(&format!("[{{{{ {name}? }}}}]"), &whole()).unwrap(), "[]");
    }
}

#[test]
fn the_limit_is_on_what_comes_out() {
    let place = "{{ release.commit }}";
    let room = UserData::LONGEST - COMMIT.len();
    assert!(rendered(&format!("{place}{}", "x".repeat(room)), &whole()).is_ok());
    let error = rendered(&format!("{place}{}", "x".repeat(room + 1)), &whole()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "user data is 16385 bytes long once the release is filled in, 16384 are allowed: fetch the larger part from \
         elsewhere when the instance starts"
    );
    let spaces = format!("{}{{{{ release.image{}}}}}", "x".repeat(16_000), " ".repeat(1_000));
    assert!(rendered(&spaces, &whole()).is_ok());
}

proptest::proptest! {
    #[test]
    fn a_text_without_our_word_is_never_changed(text in "[{} a-z.%#?é\n]{0,64}") {
        proptest::prop_assume!(!text.contains("release."));
        proptest::prop_assert_eq!(rendered(&text, &whole()).unwrap(), text);
    }

    #[test]
    fn no_text_makes_the_scanner_fall(text in "([{}]{0,3}|release\\.|commit|\\?|[ \t\n]|é){0,12}") {
        if let Ok(template) = Template::parse(&text) {
            let _ = template.render(&whole());
        }
    }
}
