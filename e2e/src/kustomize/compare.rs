//! What two builds of one tree made, and how it differs.

use std::fmt;

use serde_json::Value;

/// What came of a build.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// The objects, in order.
    Objects(Vec<Value>),
    /// It was refused, with this message.
    Error(String),
    /// The program crashed.
    Crash(String),
    /// It did not end.
    Hangs,
}

/// How two outcomes differ.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    /// The sort of it.
    pub sort: Sort,
    /// Where, and what; for people.
    pub text: String,
}

/// A sort of difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Sort {
    /// Both build, but not the same.
    Objects,
    /// We refuse what kustomize builds.
    WeRefuse,
    /// We build what kustomize refuses.
    WeAccept,
    /// We crash or do not end.
    WeFail,
}

impl Difference {
    /// What differences of one cause have in common: the text without names and numbers.
    pub fn signature(&self) -> String {
        let mut words = Vec::new();
        for word in self.text.split(|c: char| !c.is_ascii_alphabetic()) {
            if word.len() > 3 && words.last() != Some(&word) && words.len() < 8 {
                words.push(word);
            }
        }
        format!("{:?} {}", self.sort, words.join(" "))
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.sort, self.text)
    }
}

/// Returns how our outcome differs from the real one; a real one that crashed or hung asks nothing of us but an end.
pub fn compare(real: &Outcome, ours: &Outcome) -> Option<Difference> {
    let found = |sort, text: String| Some(Difference { sort, text });
    match (real, ours) {
        (_, Outcome::Crash(message)) => found(Sort::WeFail, message.clone()),
        (_, Outcome::Hangs) => found(Sort::WeFail, "it does not end".to_owned()),
        (Outcome::Objects(real), Outcome::Objects(ours)) => {
            objects(real, ours).and_then(|text| found(Sort::Objects, text))
        }
        (Outcome::Objects(_), Outcome::Error(message)) => found(Sort::WeRefuse, message.clone()),
        (Outcome::Error(message), Outcome::Objects(_)) => found(Sort::WeAccept, message.clone()),
        (Outcome::Error(_), Outcome::Error(_)) | (Outcome::Crash(_) | Outcome::Hangs, _) => None,
    }
}

fn objects(real: &[Value], ours: &[Value]) -> Option<String> {
    let mut pairs = real.iter().zip(ours);
    if let Some((a, b)) = pairs.find(|(a, b)| identity(a) != identity(b)) {
        return Some(what_is_hashed(a, b).unwrap_or_else(|| {
            format!("object {} expected, but it is {}", identity(a), identity(b))
        }));
    }
    if real.len() != ours.len() {
        let (a, b) = (real.len(), ours.len());
        return Some(format!("{a} objects expected, but there are {b}"));
    }
    let mut pairs = real.iter().zip(ours);
    pairs.find_map(|(a, b)| {
        let text = values(a, b, "")?;
        Some(format!("{}: {text}", identity(a)))
    })
}

/// Returns how the content differs of two objects whose names differ by nothing but the hash of it.
fn what_is_hashed(real: &Value, ours: &Value) -> Option<String> {
    let (a, b) = (identity(real), identity(ours));
    let (name, _) = a.rsplit_once('-')?;
    let (other, _) = b.rsplit_once('-')?;
    let text = values(real, ours, "").filter(|_| name == other)?;
    let is_content = ["data", "binaryData", "stringData"]
        .iter()
        .any(|field| text.starts_with(&format!(".{field}")));
    is_content.then(|| format!("{a}: {text}"))
}

/// Tells objects apart: version, kind, namespace and name.
pub(super) fn identity(object: &Value) -> String {
    let text = |value: &Value| match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    };
    let metadata = &object["metadata"];
    [
        &object["apiVersion"],
        &object["kind"],
        &metadata["namespace"],
        &metadata["name"],
    ]
    .map(text)
    .join("/")
}

/// Returns the first place in which two values differ. Where the builder names itself, its version is left out.
fn values(real: &Value, ours: &Value, path: &str) -> Option<String> {
    match (real, ours) {
        (Value::Object(a), Value::Object(b)) => {
            let mut keys: Vec<&String> = a.keys().chain(b.keys()).collect();
            keys.sort();
            keys.dedup();
            keys.into_iter().find_map(|key| {
                let path = format!("{path}.{key}");
                match (a.get(key), b.get(key)) {
                    (Some(a), Some(b)) if key == "app.kubernetes.io/managed-by" => {
                        (version(a) != version(b)).then(|| format!("{path}: {a} expected, is {b}"))
                    }
                    (Some(a), Some(b)) => values(a, b, &path),
                    (Some(a), None) => Some(format!("{path}: missing, {a} expected")),
                    (None, Some(b)) => Some(format!("{path}: unexpected {b}")),
                    (None, None) => None,
                }
            })
        }
        (Value::Array(a), Value::Array(b)) => {
            let mut pairs = a.iter().zip(b).enumerate();
            let inner = pairs.find_map(|(at, (a, b))| values(a, b, &format!("{path}[{at}]")));
            let length = (a.len() != b.len())
                .then(|| format!("{path}: {} items expected, but {}", a.len(), b.len()));
            inner.or(length)
        }
        (a, b) => (a != b).then(|| format!("{path}: {a} expected, but {b}")),
    }
}

fn version(value: &Value) -> &str {
    let text = value.as_str().unwrap_or_default();
    text.split_once("kustomize-").map_or(text, |_| "kustomize-")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn difference(real: &Value, ours: &Value) -> Option<String> {
        values(real, ours, "")
    }

    #[test]
    fn the_first_place_that_differs_is_told() {
        let real = json!({"a": 1, "b": [{"c": "x"}]});
        assert_eq!(difference(&real, &real), None);
        let ours = json!({"a": 1, "b": [{"c": "y"}]});
        let text = difference(&real, &ours).unwrap();
        assert_eq!(text, r#".b[0].c: "x" expected, but "y""#);
    }

    #[test]
    fn a_number_is_not_its_text_and_an_integer_no_float() {
        assert!(difference(&json!(1), &json!("1")).is_some());
        assert!(difference(&json!(1), &json!(1.0)).is_some());
    }

    #[test]
    fn what_makes_another_hash_is_told() {
        let object = |name: &str, text: &str| json!({"kind": "ConfigMap", "metadata": {"name": name}, "data": {"a": text}});
        let text = objects(&[object("m-abc", "x")], &[object("m-bcd", "y")]).unwrap();
        assert!(
            text.ends_with(r#".data.a: "x" expected, but "y""#),
            "{text}"
        );
        let text = objects(&[object("m-abc", "x")], &[object("n-abc", "y")]).unwrap();
        assert!(text.starts_with("object "), "{text}");
    }

    #[test]
    fn the_order_of_objects_counts() {
        let (a, b) = (json!({"kind": "A"}), json!({"kind": "B"}));
        let real = Outcome::Objects(vec![a.clone(), b.clone()]);
        let ours = Outcome::Objects(vec![b, a]);
        assert_eq!(compare(&real, &ours).unwrap().sort, Sort::Objects);
        assert_eq!(compare(&real, &real), None);
    }

    #[test]
    fn of_a_real_crash_nothing_is_asked_but_that_we_do_not() {
        let crash = Outcome::Crash("index out of range".to_owned());
        assert_eq!(compare(&crash, &Outcome::Error(String::new())), None);
        assert_eq!(compare(&crash, &crash).unwrap().sort, Sort::WeFail);
    }
}
