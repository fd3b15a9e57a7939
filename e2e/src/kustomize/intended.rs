//! What differs from kustomize on purpose, as far as random trees run into it.
//!
//! The list in the documentation of `flux-kustomize` says the same for people.

use serde_json::Value;

use super::{Difference, Sort, Tree};

/// Names the deliberate deviation that a difference comes from.
pub fn intended(tree: &Tree, difference: &Difference) -> Option<&'static str> {
    let text = difference.text.as_str();
    if text.contains("internal.config.kubernetes.io") {
        return Some("kustomize's own notes in annotations are never seen");
    }
    match difference.sort {
        Sort::Objects => other_objects(tree, text),
        Sort::WeAccept => accepted(tree, text),
        Sort::WeRefuse => refused(tree, text),
        Sort::WeFail => None,
    }
}

fn other_objects(tree: &Tree, text: &str) -> Option<&'static str> {
    let reasons = [
        (
            text.contains(".ports")
                && any(tree, &|value| lacks_port_key(value) || changes_port(value)),
            "merging lists with two keys loses nothing where the second key is missing",
        ),
        (
            (is_longer(text) || is_in_item(text)) && any(tree, &changes_name_of_item),
            "an item without its name costs no other item of its list",
        ),
        (
            text.contains(".volumeMounts") && any(tree, &mounts_nowhere),
            "an item without its name costs no other item of its list",
        ),
        (
            text.contains("[{\"$patch\":\"delete\"}] expected")
                || text.contains(".$patch: missing, "),
            "a directive never stays in an object",
        ),
        (
            text.ends_with(": unexpected null"),
            "a field without a value stays, also where a patch meets the object",
        ),
        (
            text.contains(".metadata.annotations")
                && text.contains(": missing, ")
                && any(tree, &annotates),
            "kustomize's own notes in annotations are never seen",
        ),
    ];
    first(&reasons).or_else(|| other_values(tree, text))
}

fn other_values(tree: &Tree, text: &str) -> Option<&'static str> {
    let has = |field: &str| any(tree, &|value| value.get(field).is_some());
    let reasons = [
        (
            sides(text).is_some_and(|(a, b)| a.contains('~') && a.replace('~', "null") == b),
            "a null in a text is written null, however its source writes it",
        ),
        (
            (text.contains("config.kubernetes.io/origin")
                || text.contains("alpha.config.kubernetes.io/transformations"))
                && any(tree, &changes_all_annotations),
            "kustomize's own notes in annotations are never seen",
        ),
        (
            text.contains(".apiVersion: missing, "),
            "an object without a version gets no empty one",
        ),
        (
            text.starts_with("object /")
                && any(tree, &|value| value.get("apiVersion") == Some(&Value::Null)),
            "a version that is null is none, also where the legacy order looks at it",
        ),
        (
            (has("vars") || has("replacements")) && is_requoted(text),
            "whether a made value is text does not hang on the style of what is around it",
        ),
        (
            has("vars") && is_other_notation(text),
            "a variable takes an annotation as it is written",
        ),
        (
            is_other_hash(text),
            "an object that is no ConfigMap or Secret any more has a hash of what is seen of it",
        ),
        (
            has("replacements") && is_marked(text),
            "what is no text in a text of YAML takes the type of a new value",
        ),
        (
            is_name_as_text(text)
                || text.contains(".name: ") && is_requoted(text)
                || text.contains(".metadata.name: ") && !text.contains(".metadata.name: \""),
            "a name is text, also if it reads as a number",
        ),
        (has_long_number(text), "large numbers keep all their digits"),
        (
            text.contains(".metadata.annotations.") && text.contains(": \"null\" expected"),
            "an annotation set to null is no text null",
        ),
    ];
    first(&reasons)
}

fn accepted(tree: &Tree, text: &str) -> Option<&'static str> {
    let reasons = [
        (
            text.starts_with("field specified in var")
                && any_text(tree, &|text| {
                    ["1_000", "0x1F", "0o17", "0b11"]
                        .iter()
                        .any(|number| text.contains(number))
                }),
            "a variable can be a number in any notation",
        ),
        (text.contains("!!timestamp"), "the type of a date is text"),
        (
            text.contains("expected ScalarNode but got MappingNode") && text.contains("\n'':"),
            "a patch may speak of a field whose name is empty",
        ),
        (
            text.contains(" as a !!null"),
            "a null that a replacement meets takes the type of the value",
        ),
        (
            text.starts_with("testing value ") && any_text(tree, &has_long_number),
            "large numbers keep all their digits",
        ),
        (
            text.contains("testing value ") && any(tree, &tests_marked_text),
            "a test of a text with `<`, `>` or `&` holds if the text is the same",
        ),
        (
            text.contains("number of previous names"),
            "kustomize's own notes in annotations are never seen",
        ),
        (
            text.contains("mismatch '' != 'null'"),
            "an object without a version can refer to others",
        ),
        (
            text.contains("unsupported type: map[interface"),
            "a field whose name reads as a number stays a field",
        ),
        (
            text.contains("invalid base64"),
            "what a replacement makes of binary data is text",
        ),
    ];
    first(&reasons)
}

fn refused(tree: &Tree, text: &str) -> Option<&'static str> {
    let says = |words: &[&str]| words.iter().any(|words| text.contains(words));
    let reasons = [
        (
            says(&[
                "path is missing",
                "op is missing",
                ": op must be",
                "stands twice",
            ]),
            "what is wrong with a patch is refused even if it meets no object",
        ),
        (
            says(&["kind: must be a string", "apiVersion: must be a string"]),
            "a kind is text, and so is a version",
        ),
        (
            says(&["there is nothing at ", "there is no name in it"])
                && any(tree, &changes_name_of_item),
            "an item without its name costs no other item of its list",
        ),
        (
            says(&["two objects end up as one"]),
            "no two objects of one name are built, even if one of them is only for tools",
        ),
        (
            says(&["is not a field that is known here"]),
            "what is not known is refused, also in a file that a kustomization names",
        ),
        (
            says(&["is not a string; put it in quotes"]),
            "a key is text, also in what nothing comes of",
        ),
        (
            says(&["no number of that sort", "neither true nor false"]),
            "a word in the place of a number is refused, even if something else takes it away later",
        ),
    ];
    first(&reasons)
}

/// Tells whether a value is a JSON patch's test of a text that kustomize writes down in two ways.
fn tests_marked_text(value: &Value) -> bool {
    let marked = |text: &str| text.contains(['<', '>', '&']);
    value["op"] == "test" && marked(&value["value"].to_string())
}

fn first(reasons: &[(bool, &'static str)]) -> Option<&'static str> {
    let mut reasons = reasons.iter();
    reasons.find(|(holds, _)| *holds).map(|(_, reason)| *reason)
}

fn any_text(tree: &Tree, is_such: &dyn Fn(&str) -> bool) -> bool {
    tree.files.values().any(|content| is_such(content))
}

/// Tells whether the one difference is the hash in the name of an object of a changed kind.
fn is_other_hash(text: &str) -> bool {
    let names = text
        .strip_prefix("object ")
        .and_then(|text| text.split_once(" expected, but it is "));
    let Some(((a, _), (b, _))) =
        names.and_then(|(a, b)| Some((a.rsplit_once('-')?, b.rsplit_once('-')?)))
    else {
        return false;
    };
    let is_of = |kind: &str| a.starts_with(kind) && a.matches('/').count() == 3;
    a == b && !is_of("v1/ConfigMap/") && !is_of("v1/Secret/")
}

/// Tells whether the one difference is that a name, or a part of it, was a number or boolean and has become the text of it.
fn is_name_as_text(text: &str) -> bool {
    let names = text
        .strip_prefix("object ")
        .and_then(|text| text.split_once(" expected, but it is "));
    let Some(((a, expected), (b, name))) =
        names.and_then(|(a, b)| Some((a.rsplit_once('/')?, b.rsplit_once('/')?)))
    else {
        return false;
    };
    // A prefix or the hash may stand beside it.
    let is_other_notation = name.replace("1_000", "1000") == expected;
    a == b && (reads_as(name, expected) || is_other_notation)
}

/// Tells whether a text without quotes is a value.
fn reads_as(text: &str, value: &str) -> bool {
    let documents = flux_kustomize::parse_yaml(text.as_bytes(), "").unwrap_or_default();
    let read = documents.first().map(|document| document.value.to_string());
    read.as_deref() == Some(value)
}

/// Tells whether a value is expected with quotes and comes without, or the other way round.
fn is_requoted(text: &str) -> bool {
    let Some((expected, found)) = sides(text) else {
        return false;
    };
    let empty = |side: &str| ["null", "\"\""].contains(&side);
    let text = found.trim_matches('"');
    expected.trim_matches('"') == text
        || (empty(expected) && empty(found))
        || (text != found && reads_as(text, expected))
        || (text == found && reads_as(expected.trim_matches('"'), found))
}

/// What is expected and what there is, of a difference in one value.
fn sides(text: &str) -> Option<(&str, &str)> {
    let (_, values) = text.split_once(": .")?;
    let (_, values) = values.split_once(": ")?;
    values.split_once(" expected, but ")
}

/// Tells whether a text is expected with the tags of types that the new values have not.
fn is_marked(text: &str) -> bool {
    const TAGS: [&str; 5] = ["!!int ", "!!float ", "!!bool ", "!!null ", "!!timestamp "];
    let without = |side: &str| {
        TAGS.iter()
            .fold(side.to_owned(), |side, tag| side.replace(tag, ""))
    };
    sides(text).is_some_and(|(a, b)| without(a) == b)
}

/// Tells whether a text has a number that a float cannot hold.
fn has_long_number(text: &str) -> bool {
    text.split(|c: char| !c.is_ascii_digit())
        .any(|digits| digits.len() >= 16)
}

/// Tells whether a list of ports has an item without one of the two fields that tell ports apart.
fn lacks_port_key(value: &Value) -> bool {
    let has = |item: &Value, field: &str| item.get(field).is_some();
    let lacks =
        |item: &Value| !has(item, "protocol") || !(has(item, "port") || has(item, "containerPort"));
    let items = value.get("ports").and_then(Value::as_array);
    items.is_some_and(|items| items.iter().any(lacks))
}

/// Tells whether a value is an operation of a JSON patch on a port.
fn changes_port(value: &Value) -> bool {
    let path = value["path"].as_str().unwrap_or_default();
    value.get("op").is_some() && path.contains("/ports/")
}

/// Tells whether a list has more items than expected.
fn is_longer(text: &str) -> bool {
    let lengths = text
        .rsplit_once(": ")
        .and_then(|(_, lengths)| lengths.split_once(" items expected, but "));
    let number = |text: &str| text.parse::<usize>().ok();
    lengths.is_some_and(|(expected, found)| number(expected) < number(found))
}

/// Tells whether a difference is in an item of a list.
fn is_in_item(text: &str) -> bool {
    let place = text
        .split_once(": .")
        .and_then(|(_, rest)| rest.split_once(": "));
    place.is_some_and(|(place, _)| place.contains("]."))
}

/// Tells whether a text is expected with a number or boolean in it in another notation, after variables.
fn is_other_notation(text: &str) -> bool {
    let plain = |side: &str| {
        let side = side.replace("0755", "755").replace("1.20", "1.2");
        side.to_lowercase()
    };
    sides(text).is_some_and(|(a, b)| plain(a) == plain(b))
}

/// Tells whether a value is an operation of a JSON patch on the field that tells the items of a list apart.
fn changes_name_of_item(value: &Value) -> bool {
    let mut path = value["path"].as_str().unwrap_or_default().rsplit('/');
    let key = path.next().unwrap_or_default();
    let of_item = path
        .next()
        .is_some_and(|index| index.parse::<usize>().is_ok());
    value.get("op").is_some() && of_item && ["name", "key", "mountPath", "ip"].contains(&key)
}

/// Tells whether a value is an operation of a JSON patch on all annotations, or more.
fn changes_all_annotations(value: &Value) -> bool {
    let path = value["path"].as_str().unwrap_or_default();
    value.get("op").is_some() && ["", "/", "/metadata", "/metadata/annotations"].contains(&path)
}

/// Tells whether an item of a list of mounts has no path, which is what tells mounts apart.
fn mounts_nowhere(value: &Value) -> bool {
    let items = value.get("volumeMounts").and_then(Value::as_array);
    items.is_some_and(|items| items.iter().any(|item| item.get("mountPath").is_none()))
}

/// Tells whether a value is a transformer that adds annotations where there are some.
fn annotates(value: &Value) -> bool {
    value["kind"] == "AnnotationsTransformer"
}

/// Tells whether anything in the files of a tree, or in the patches within them, is such.
fn any(tree: &Tree, is_such: &dyn Fn(&Value) -> bool) -> bool {
    let mut found = false;
    each(tree, &mut |value| found = found || is_such(value));
    found
}

/// Looks at every value in the files of a tree, and in the patches within them.
fn each(tree: &Tree, look: &mut dyn FnMut(&Value)) {
    for content in tree.files.values() {
        each_in_text(content, look);
    }
}

fn each_in_text(content: &str, look: &mut dyn FnMut(&Value)) {
    let documents = flux_kustomize::parse_yaml(content.as_bytes(), "").unwrap_or_default();
    for document in &documents {
        // A text without structure would be read as itself for ever.
        if document.value.is_object() || document.value.is_array() {
            each_in(&document.value, look);
        }
    }
}

fn each_in(value: &Value, look: &mut dyn FnMut(&Value)) {
    look(value);
    match value {
        Value::Object(fields) => fields.values().for_each(|value| each_in(value, look)),
        Value::Array(items) => items.iter().for_each(|item| each_in(item, look)),
        Value::String(text) if text.contains(['\n', '{', '[']) => each_in_text(text, look),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kustomize::Order;

    fn tree(content: &str) -> Tree {
        Tree {
            files: [("app/kustomization.yaml".to_owned(), content.to_owned())].into(),
            target: "app".to_owned(),
            order: Order::Fifo,
        }
    }

    fn objects(text: &str) -> Difference {
        Difference {
            sort: Sort::Objects,
            text: text.to_owned(),
        }
    }

    #[test]
    fn a_port_without_protocol_excuses_a_difference_in_ports_alone() {
        let without = tree("patches:\n- patch: |\n    spec:\n      ports:\n      - port: 80\n");
        assert!(intended(&without, &objects("v1/Service//a: .spec.ports: 1 items")).is_some());
        assert!(intended(&without, &objects("v1/Service//a: .spec.type: missing")).is_none());
        let with = tree("spec: {ports: [{port: 80, protocol: TCP}]}");
        assert!(intended(&with, &objects("v1/Service//a: .spec.ports: 1 items")).is_none());
    }
}
