//! Places in objects.

use serde_json::Value;

use crate::kustomize::chance::Chance;

/// One step into a value.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Step {
    Key(String),
    At(usize),
}

/// Chooses a place in an object; mostly a deep one, and seldom what tells it from others.
pub(super) fn place(chance: &mut Chance, object: &Value) -> Vec<Step> {
    find(chance, object, 8)
}

/// Chooses a plain value in an object.
pub(super) fn leaf(chance: &mut Chance, object: &Value) -> Vec<Step> {
    find(chance, object, usize::MAX)
}

/// Looks for a place; on the way to it, it rests once in `rest` times.
fn find(chance: &mut Chance, object: &Value, rest: usize) -> Vec<Step> {
    let fits = |steps: &[Step]| {
        let plain = !at(object, steps).is_object() && !at(object, steps).is_array();
        !is_whole(steps) && !steps.is_empty() && (plain || rest != usize::MAX)
    };
    let mut tries = (0..20).map(|_| walk(chance, object, rest));
    tries.find(|steps| fits(steps)).unwrap_or_default()
}

fn walk(chance: &mut Chance, object: &Value, rest: usize) -> Vec<Step> {
    let usual = !chance.one_in(40);
    let mut steps = Vec::new();
    let mut value = object;
    loop {
        let enough = !steps.is_empty() && rest != usize::MAX && chance.one_in(rest);
        let next = match value {
            Value::Object(fields) if !enough => {
                let wanted = |key: &&String| !usual || is_usual(&steps, key);
                let keys: Vec<&String> = fields.keys().filter(wanted).collect();
                chance.choose(&keys).map(|key| Step::Key((*key).clone()))
            }
            Value::Array(items) if !enough && !items.is_empty() => {
                Some(Step::At(chance.below(items.len())))
            }
            _ => None,
        };
        let Some(step) = next else { return steps };
        value = match &step {
            Step::Key(key) => &value[key],
            Step::At(at) => &value[*at],
        };
        steps.push(step);
    }
}

/// Metadata, labels and annotations as a whole: in annotations kustomize keeps notes of its own.
fn is_whole(steps: &[Step]) -> bool {
    let first = |step: &Step| matches!(step, Step::Key(key) if key == "metadata");
    steps.len() < 3 && steps.first().is_some_and(first) && steps.len() != 2
        || matches!(steps, [Step::Key(_), Step::Key(second)] if ["labels", "annotations"].contains(&second.as_str()))
}

fn is_usual(above: &[Step], key: &str) -> bool {
    match above {
        [] => !["apiVersion", "kind"].contains(&key),
        [Step::Key(first)] if first == "metadata" => !["name", "namespace"].contains(&key),
        [Step::Key(_), Step::Key(second)] if second == "annotations" => {
            !key.contains("kubernetes.io")
        }
        _ => true,
    }
}

/// Returns what stands at a place.
pub(super) fn at<'a>(value: &'a Value, steps: &[Step]) -> &'a Value {
    steps.iter().fold(value, |value, step| match step {
        Step::Key(key) => &value[key],
        Step::At(at) => &value[*at],
    })
}

/// Writes a place as a JSON pointer.
pub(super) fn pointer(steps: &[Step]) -> String {
    steps.iter().fold(String::new(), |all, step| match step {
        Step::Key(key) => format!("{all}/{}", key.replace('~', "~0").replace('/', "~1")),
        Step::At(at) => format!("{all}/{at}"),
    })
}

/// Writes a place as a field path of a replacement: items by number, by `*`, or by one of their fields.
pub(super) fn dotted(chance: &mut Chance, root: &Value, steps: &[Step], wildcards: bool) -> String {
    let mut parts = Vec::new();
    for (depth, step) in steps.iter().enumerate() {
        let part = match step {
            Step::Key(key) if key.contains('.') && chance.one_in(2) => format!("[{key}]"),
            Step::Key(key) => key.replace('.', "\\."),
            Step::At(index) => {
                let item = at(root, &steps[..=depth]);
                let name = item["name"].as_str();
                match (name, chance.below(if wildcards { 4 } else { 3 })) {
                    (Some(name), 0..=2) => format!("[name={name}]"),
                    (_, 3) => "*".to_owned(),
                    _ => index.to_string(),
                }
            }
        };
        parts.push(part);
    }
    parts.join(".")
}
