//! Which item of a list is which item of another.

use std::collections::BTreeMap;

use serde_json::Value;

/// What names an item of a list, in the order of preference; each is one field or several.
const KEYS: [&[&str]; 12] = [
    &["name"],
    &["/metadata/name"],
    &["key"],
    &["containerPort", "protocol"],
    &["port", "protocol"],
    &["mountPath"],
    &["devicePath"],
    &["topologyKey", "whenUnsatisfiable"],
    &["type"],
    &["host"],
    &["path"],
    &["ip"],
];

/// The items of a list by their keys, such as `name=app`.
pub(super) struct Keyed<'a> {
    pub(super) items: Vec<(String, &'a Value)>,
    places: BTreeMap<String, usize>,
}

impl<'a> Keyed<'a> {
    fn by(list: &'a [Value], fields: &[&str]) -> Option<Self> {
        let mut items = Vec::with_capacity(list.len());
        let mut places = BTreeMap::new();
        for (place, item) in list.iter().enumerate() {
            let key = key_of(item, fields)?;
            if places.insert(key.clone(), place).is_some() {
                return None;
            }
            items.push((key, item));
        }
        Some(Self { items, places })
    }

    pub(super) fn get(&self, key: &str) -> Option<&'a Value> {
        let place = self.places.get(key)?;
        self.items.get(*place).map(|(_, item)| *item)
    }
}

/// Returns both lists by the first key that names every item of both without repetition.
pub(super) fn keyed<'a>(before: &'a [Value], after: &'a [Value]) -> Option<(Keyed<'a>, Keyed<'a>)> {
    if before.is_empty() && after.is_empty() {
        return None;
    }
    KEYS.iter()
        .find_map(|fields| Some((Keyed::by(before, fields)?, Keyed::by(after, fields)?)))
}

/// Returns `name=app`; the first field must be there, further ones need not.
fn key_of(item: &Value, fields: &[&str]) -> Option<String> {
    let mut parts = Vec::with_capacity(fields.len());
    for (place, field) in fields.iter().enumerate() {
        let (label, value) = match field.strip_prefix('/') {
            Some(pointer) => (pointer.replace('/', "."), item.pointer(field)),
            None => ((*field).to_owned(), item.get(field)),
        };
        match value {
            Some(Value::String(text)) => parts.push(format!("{label}={text}")),
            Some(Value::Number(number)) => parts.push(format!("{label}={number}")),
            _ if place > 0 => {}
            _ => return None,
        }
    }
    Some(parts.join(","))
}

/// Returns how many items are equal at the start and, of the rest, at the end.
pub(super) fn common_ends(before: &[Value], after: &[Value]) -> (usize, usize) {
    let equal = |(one, two): &(&Value, &Value)| one == two;
    let start = before.iter().zip(after).take_while(equal).count();
    let rest = before.len().min(after.len()) - start;
    let ends = before.iter().rev().zip(after.iter().rev());
    (start, ends.take(rest).take_while(equal).count())
}
