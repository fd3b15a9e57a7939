use rstest::rstest;

use super::*;

fn edited(text: &str) -> Edited {
    file(
        "x.yaml",
        text.as_bytes(),
        &[target(UpdateStrategy::Markers)],
    )
    .unwrap()
}

#[rstest]
#[case::plain("image: ghcr.io/org/app:1.4.0 # {\"$imagepolicy\": \"apps:app\"}\n")]
#[case::double("image: \"ghcr.io/org/app:1.4.0\"   #{\"$imagepolicy\":\"apps:app\"}")]
#[case::single(
    "image: 'ghcr.io/org/app:1.4.0' # { \"$imagepolicy\" : \" apps : app \" }\r\nb: 1\r\n"
)]
#[case::list("images:\n- ghcr.io/org/app:1.4.0 # {\"$imagepolicy\": \"apps:app\"}\n- other:1\n")]
#[case::flow("c: {name: app, image: ghcr.io/org/app:1.4.0} # {\"$imagepolicy\": \"apps:app\"}\n")]
#[case::flow_list("c: [ghcr.io/org/app:1.4.0, other] # {\"$imagepolicy\": \"apps:app\"}\n")]
#[case::flow_lines(
    "c: {\n  image: ghcr.io/org/app:1.4.0, # {\"$imagepolicy\": \"apps:app\"}\n  name: x\n}\n"
)]
#[case::byte_order_mark(
    "\u{feff}image: ghcr.io/org/app:1.4.0 # {\"$imagepolicy\": \"apps:app\"}\n"
)]
#[case::umlauts(
    "ä: \"öü\" # ß\nimage: ghcr.io/org/app:1.4.0 # {\"$imagepolicy\": \"apps:app\"} ß\n"
)]
#[case::tab("image: ghcr.io/org/app:1.4.0\t# {\"$imagepolicy\": \"apps:app\"}\nb: \"\t\"\n")]
#[case::more(
    "image: ghcr.io/org/app:1.4.0 # keep {\"$imagepolicy\": \"apps:app\", \"$openapi\": \"x\"} this\n"
)]
#[case::documents(
    "a: 1\n---\n# none\n---\nimage: ghcr.io/org/app:1.4.0 # {\"$imagepolicy\": \"apps:app\"}\n...\n"
)]
#[case::tag("tag: 1.4.0 # {\"$imagepolicy\": \"apps:app:tag\"}\n")]
#[case::anchored("image: &image ghcr.io/org/app:1.4.0 # {\"$imagepolicy\": \"apps:app\"}\n")]
#[case::alias_under_the_same_key(
    "a: {image: &i ghcr.io/org/app:1.4.0} # {\"$imagepolicy\": \"apps:app\"}\nb: {image: *i}\nc: &c {x: 1, <<: {image: *i}}\nd: *c\n"
)]
#[case::merged(
    "a: &a\n  image: ghcr.io/org/app:1.4.0 # {\"$imagepolicy\": \"apps:app\"}\nb:\n  <<: *a\n  x: 1\n"
)]
fn a_marked_image_changes_and_nothing_else(#[case] text: &str) {
    let edited = edited(text);
    assert_eq!(edited.skipped, []);
    assert_eq!(
        text_of(&edited),
        Some(text.replace("1.4.0", "1.5.0").as_str())
    );
    assert_eq!(edited.places, BTreeMap::from([(policy("apps:app"), 1)]));
    assert_eq!(edited.changes.len(), 1);
}

#[rstest]
#[case::other_policy(
    "image: ghcr.io/org/app:1.4.0 # {\"$imagepolicy\": \"apps:other\"}\n",
    0
)]
#[case::other_namespace(
    "image: ghcr.io/org/app:1.4.0 # {\"$imagepolicy\": \"other:app\"}\n",
    0
)]
#[case::in_a_block(
    "a: |\n  image: ghcr.io/org/app:1.4.0 # {\"$imagepolicy\": \"apps:app\"}\n",
    0
)]
#[case::in_a_string("a: 'ghcr.io/org/app:1.4.0 # {\"$imagepolicy\": \"apps:app\"}'\n", 0)]
#[case::written_already("image: ghcr.io/org/app:1.5.0 # {\"$imagepolicy\": \"apps:app\"}\n", 1)]
#[case::advice(
    "# DO NOT EDIT tags by hand\nimage: ghcr.io/org/app:1.5.0 # {\"$imagepolicy\": \"apps:app\"}\n",
    1
)]
#[case::no_marker("image: ghcr.io/org/app:1.4.0 # {}\n", 0)]
fn what_nobody_asked_for_stays(#[case] text: &str, #[case] places: usize) {
    let edited = edited(text);
    assert_eq!(
        (edited.bytes, edited.changes, edited.skipped),
        (None, vec![], vec![])
    );
    assert_eq!(edited.places.values().sum::<usize>(), places);
}

/// Old value, marker, mode and new value.
#[rstest]
#[case::number("1.40", ":tag", DigestMode::Never, "1.5.0")]
#[case::null_tag("latest", ":tag", DigestMode::Never, "1.5.0")]
#[case::name("old/app", ":name", DigestMode::Never, "ghcr.io/org/app")]
#[case::same_name("GHCR.IO/org/app", ":name", DigestMode::Never, "GHCR.IO/org/app")]
#[case::other_image(
    "docker.io/old/app:1",
    "",
    DigestMode::IfPinned,
    "ghcr.io/org/app:1.5.0"
)]
#[case::placeholder("IMAGE", "", DigestMode::IfPinned, "ghcr.io/org/app:1.5.0")]
#[case::no_tag("ghcr.io/org/app", "", DigestMode::IfPinned, "ghcr.io/org/app:1.5.0")]
#[case::always(
    "ghcr.io/org/app:1.4.0",
    "",
    DigestMode::Always,
    "ghcr.io/org/app:1.5.0@DIGEST"
)]
#[case::pinned(
    "ghcr.io/org/app:1.4.0@OTHER",
    "",
    DigestMode::IfPinned,
    "ghcr.io/org/app:1.5.0@DIGEST"
)]
#[case::never(
    "ghcr.io/org/app:1.4.0@OTHER",
    "",
    DigestMode::Never,
    "ghcr.io/org/app:1.5.0"
)]
#[case::same_tag_new_digest(
    "ghcr.io/org/app:1.5.0@OTHER",
    "",
    DigestMode::IfPinned,
    "ghcr.io/org/app:1.5.0@DIGEST"
)]
#[case::digest("OTHER", ":digest", DigestMode::IfPinned, "DIGEST")]
#[case::pinned_tag("1.4.0@OTHER", ":tag", DigestMode::IfPinned, "1.5.0@DIGEST")]
#[case::tag_without_digest("1.4.0", ":tag", DigestMode::Always, "1.5.0")]
fn each_part_of_an_image_is_written(
    #[case] old: &str,
    #[case] part: &str,
    #[case] mode: DigestMode,
    #[case] new: &str,
) {
    let other = format!("sha256:{}", "b".repeat(64));
    let line = |value: &str| {
        let value = value.replace("DIGEST", &digest()).replace("OTHER", &other);
        format!("x: {value} # {{\"$imagepolicy\": \"apps:app{part}\"}}\n")
    };
    let target = Target {
        mode,
        ..target(UpdateStrategy::Markers)
    };
    let edited = file("x.yaml", line(old).as_bytes(), &[target]).unwrap();
    assert_eq!(edited.skipped, []);
    assert_eq!(text_of(&edited).unwrap_or(&line(old)), line(new));
}

#[rstest]
#[case("1.10", "\"1.10\"")]
#[case("20240131", "\"20240131\"")]
#[case("1e5", "\"1e5\"")]
#[case("0x12", "\"0x12\"")]
#[case("v1.10", "v1.10")]
#[case("1.10.0", "1.10.0")]
#[case("main-1234567-1700000000", "main-1234567-1700000000")]
fn a_tag_that_would_be_a_number_is_quoted(#[case] tag: &str, #[case] written: &str) {
    let text = "tag: 1.4.0 # {\"$imagepolicy\": \"apps:app:tag\"}\n";
    let target = Target {
        tag: tag.to_owned(),
        ..target(UpdateStrategy::Markers)
    };
    let edited = file("x.yaml", text.as_bytes(), &[target]).unwrap();
    assert_eq!(
        text_of(&edited),
        Some(text.replace("1.4.0", written).as_str())
    );
}

#[rstest]
#[case::broken("a: b # {\"$imagepolicy\": \"apps:app}\n", "is no JSON")]
#[case::no_braces("a: b # $imagepolicy: apps:app\n", "no braces")]
#[case::no_text("a: b # {\"$imagepolicy\": 1}\n", "is no text")]
#[case::no_name("a: b # {\"$imagepolicy\": \"app\"}\n", "no namespace and name")]
#[case::no_part(
    "a: b # {\"$imagepolicy\": \"apps:app:version\"}\n",
    "none of tag, name and digest"
)]
#[case::alone(
    "a:\n  # {\"$imagepolicy\": \"apps:app\"}\n  b: c\n",
    "no value stands"
)]
#[case::behind_a_key("a: # {\"$imagepolicy\": \"apps:app\"}\n  b: c\n", "no value stands")]
#[case::behind_a_block("a: >- # {\"$imagepolicy\": \"apps:app\"}\n  b\n", "no value stands")]
#[case::several(
    "a: {b: c, d: e} # {\"$imagepolicy\": \"apps:app\"}\n",
    "several values"
)]
#[case::lines("a: b\n  c # {\"$imagepolicy\": \"apps:app\"}\n", "several lines")]
#[case::quoted_lines("a: \"b\n  c\" # {\"$imagepolicy\": \"apps:app\"}\n", "several lines")]
#[case::tagged("a: !!str b # {\"$imagepolicy\": \"apps:app\"}\n", "YAML tag")]
#[case::variable(
    "a: ${registry}/app:1 # {\"$imagepolicy\": \"apps:app\"}\n",
    "variable"
)]
#[case::shared(
    "image: &a app:1 # {\"$imagepolicy\": \"apps:app\"}\nlabel: *a\n",
    "also that of label (line 2)"
)]
#[case::shared_part(
    "tag: &a app:1 # {\"$imagepolicy\": \"apps:app:tag\"}\nx: {y: *a}\n",
    "also that of x.y (line 2)"
)]
fn what_cannot_be_edited_says_why(#[case] text: &str, #[case] expected: &str) {
    let edited = edited(text);
    assert_eq!(edited.bytes, None, "{:?}", text_of(&edited));
    let reasons: Vec<String> = edited.skipped.iter().map(ToString::to_string).collect();
    assert!(
        reasons.iter().any(|reason| reason.contains(expected)),
        "{reasons:?}"
    );
}

#[test]
fn a_digest_that_is_not_known_is_not_left_out() {
    let text = format!(
        "a: app:1@{} # {{\"$imagepolicy\": \"apps:app\"}}\n",
        digest()
    );
    let target = Target {
        digest: None,
        ..target(UpdateStrategy::Markers)
    };
    let edited = file("x.yaml", text.as_bytes(), &[target]).unwrap();
    assert_eq!(edited.bytes, None);
    assert_eq!(
        edited.skipped[0].reason,
        Reason::NoDigest {
            tag: "1.5.0".to_owned()
        }
    );
}

#[test]
fn policies_that_disagree_change_nothing() {
    let text = "i: &i app:1 # {\"$imagepolicy\": \"apps:app\"}\nj: *i # {\"$imagepolicy\": \"apps:web\"}\n";
    let web = Target {
        policy: policy("apps:web"),
        tag: "2.0.0".to_owned(),
        ..target(UpdateStrategy::Markers)
    };
    let edited = file(
        "x.yaml",
        text.as_bytes(),
        &[target(UpdateStrategy::Markers), web],
    )
    .unwrap();
    assert_eq!(edited.bytes, None);
    assert_eq!(edited.skipped.len(), 2);
    assert!(matches!(edited.skipped[0].reason, Reason::Conflict { .. }));
}

#[test]
fn several_policies_write_into_one_file() {
    let text = "a: ghcr.io/org/app:1.4.0 # {\"$imagepolicy\": \"apps:app\"}\nb: redis:6 # {\"$imagepolicy\": \"apps:redis\"}\n";
    let redis = Target {
        policy: policy("apps:redis"),
        name: "docker.io/library/redis".parse().unwrap(),
        tag: "7".to_owned(),
        ..target(UpdateStrategy::Markers)
    };
    let edited = file(
        "x.yaml",
        text.as_bytes(),
        &[target(UpdateStrategy::Markers), redis],
    )
    .unwrap();
    insta::assert_snapshot!(shown(text, &edited));
}

#[rstest]
#[case::go(
    "# Code generated by make. DO NOT EDIT.\n",
    "the file says that it is generated"
)]
#[case::flux(
    "---\n# This manifest was generated by flux. DO NOT EDIT.\n",
    "the file says that it is generated"
)]
#[case::at("# @generated\n", "the file says that it is generated")]
#[case::sops("sops:\n  mac: ENC[x]\n", "encrypted with SOPS")]
#[case::template("{{- if .Values.x }}\n", "a template")]
#[case::template_value("a: {{ .Values.x }}\n", "a template")]
fn a_file_that_is_not_ours_is_left_alone(#[case] head: &str, #[case] expected: &str) {
    let text = format!("{head}image: ghcr.io/org/app:1.4.0 # {{\"$imagepolicy\": \"apps:app\"}}\n");
    let edited = edited(&text);
    assert_eq!(edited.bytes, None);
    let [skip] = edited.skipped.as_slice() else {
        panic!("{edited:?}")
    };
    assert!(skip.to_string().contains(expected), "{skip}");
}

#[test]
fn a_file_that_is_no_yaml_is_an_error_with_its_line() {
    let text = "a: 1\n  b: [\n";
    let error = file(
        "x.yaml",
        text.as_bytes(),
        &[target(UpdateStrategy::Markers)],
    )
    .unwrap_err();
    assert!(error.to_string().starts_with("x.yaml:2: "), "{error}");
}

#[test]
fn an_edit_in_a_deployment_names_object_and_container() {
    let text = include_str!("files/podinfo.yaml");
    let edited = edited(text);
    insta::assert_snapshot!(shown(text, &edited));
}

#[test]
fn a_helm_release_is_edited_by_parts() {
    let text = include_str!("files/helm-release-v2.yaml");
    let target = Target {
        mode: DigestMode::Always,
        ..target(UpdateStrategy::Markers)
    };
    let edited = file("x.yaml", text.as_bytes(), &[target]).unwrap();
    insta::assert_snapshot!(shown(text, &edited));
}
