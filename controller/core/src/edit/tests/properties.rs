use flux_kustomize::{Content, Outline, Style, parse_yaml};
use proptest::prelude::*;

use super::super::apply;
use super::super::source::Source;
use super::*;

/// Text of YAML's characters, some of which is YAML.
fn any_text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        "[a-z]{1,3}",
        "[0-9.]{1,4}",
        Just(": ".to_owned()),
        Just("\n".to_owned()),
        Just("\r\n".to_owned()),
        Just("- ".to_owned()),
        Just("  ".to_owned()),
        Just(" # c".to_owned()),
        Just("&a ".to_owned()),
        Just("*a".to_owned()),
        Just("{".to_owned()),
        Just("}".to_owned()),
        Just("[".to_owned()),
        Just("]".to_owned()),
        Just(", ".to_owned()),
        Just("'x'".to_owned()),
        Just("\"ö\"".to_owned()),
        Just("|\n".to_owned()),
        Just("\n---\n".to_owned()),
        Just("<<: ".to_owned()),
        Just("\u{feff}".to_owned()),
    ];
    proptest::collection::vec(piece, 0..30).prop_map(|pieces| pieces.concat())
}

/// A mapping of fields in every style, with comments and line ends; each value has a name of its own.
fn any_document() -> impl Strategy<Value = String> {
    let value = prop_oneof![
        "[a-z][a-z0-9.:/]{0,8}[a-z0-9]",
        "'[a-z #:]{0,8}'",
        "\"[a-z ö#:]{0,8}\"",
        "[0-9]\\.[0-9]{1,2}",
        "\\{p: [a-z]{1,3}, q: '[a-z]{1,3}'\\}",
        "\\[[a-z]{1,3}, \"[a-z]{1,3}\"\\]",
        "&x[0-9] [a-z]{1,4}",
    ];
    let field = (value, prop_oneof![Just(""), Just(" # note"), Just("\t# ü")]);
    let fields = proptest::collection::vec(field, 1..8);
    let end = prop_oneof![Just("\n"), Just("\r\n")];
    (fields, end, any::<bool>()).prop_map(|(fields, end, is_nested)| {
        let indent = if is_nested { "    " } else { "" };
        let head = if is_nested {
            format!("top:{end}")
        } else {
            String::new()
        };
        let lines = fields
            .iter()
            .enumerate()
            .map(|(at, (value, comment))| format!("{indent}key{at}: {value}{comment}{end}"));
        head + &lines.collect::<String>()
    })
}

/// Holds what the outline says of each scalar against the value that the text is read as.
fn every_value_is_found(text: &str) -> Result<(), TestCaseError> {
    let Ok(source) = Source::read("x.yaml", text.as_bytes()) else {
        return Ok(());
    };
    prop_assert_eq!(source.roots.len(), source.documents.len());
    for (node, places) in source.places() {
        let node = source.outline.node(node);
        let Content::Scalar {
            text: written,
            style,
        } = &node.content
        else {
            continue;
        };
        for place in places {
            let value = source.value(&place);
            prop_assert!(value.is_some(), "{} of {:?}", place.path, text);
            if *style != Style::Plain && !node.is_tagged {
                prop_assert_eq!(
                    value.and_then(|value| value.as_str()),
                    Some(written.as_str())
                );
            }
        }
    }
    Ok(())
}

#[rstest::rstest]
#[case("a\n---\n|\n # c")]
#[case("a: |\n  b\n  ")]
#[case("a: |+\n  b\n\n ")]
#[case("a: >-\n  b")]
fn a_block_that_the_end_of_the_file_cuts_off_is_found(#[case] text: &str) {
    every_value_is_found(text).unwrap();
}

proptest! {
    #[test]
    fn an_edit_of_nothing_changes_nothing(text in any_text()) {
        if let Ok(source) = Source::read("x.yaml", text.as_bytes()) {
            let edited = apply::apply(&source, Found::default()).unwrap();
            prop_assert_eq!(edited, Edited::default());
        }
    }

    #[test]
    fn every_value_is_found_where_it_stands(text in any_text()) {
        every_value_is_found(&text)?;
    }

    #[test]
    fn an_edit_changes_the_bytes_of_one_scalar(text in any_document(), pick in any::<prop::sample::Index>(), new in "[a-z0-9][a-z0-9.:/@_ #'\"-]{0,12}[a-z0-9]") {
        let Ok(source) = Source::read("x.yaml", text.as_bytes()) else { return Ok(()) };
        let places: Vec<_> = source.places().into_iter().collect();
        let (node, uses) = places[pick.index(places.len())].clone();
        let target = target(UpdateStrategy::Markers);
        let intent = apply::Intent::new(&target, uses[0].clone(), Ok(new.clone()));
        let found = Found { intents: vec![intent], skipped: Vec::new() };
        let edited = apply::apply(&source, found).unwrap();
        let Some(after) = text_of(&edited) else { return Ok(()) };
        let range = source.outline.node(node).range.clone();
        prop_assert!(after.starts_with(&text[..range.start]));
        prop_assert!(after.ends_with(&text[range.end..]));
        let read = parse_yaml(after.as_bytes(), "x.yaml").unwrap();
        prop_assert_eq!(uses[0].path.get(&read[0].value).and_then(|v| v.as_str()), Some(new.as_str()));
        prop_assert_eq!(
            Outline::new(after, "x.yaml").unwrap().comments().len(),
            source.outline.comments().len()
        );
    }
}
