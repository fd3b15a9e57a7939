//! Texts that stand in several places of an object and are one.
//!
//! What one entry of a kustomization writes to several places, as labels to an object, its selector and its template, is
//! one text for kustomize as long as nothing takes the object through JSON: who changes it in one place later changes it
//! in all. Selectors stay equal to the labels of their templates so.

use serde_json::Value;

use super::Resource;

/// A text, and the places that share it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Shared {
    text: Value,
    /// JSON pointers.
    places: Vec<String>,
}

impl Resource {
    /// Notes that these places share a text now.
    pub(crate) fn share(&mut self, text: &str, places: Vec<String>) {
        if places.len() > 1 {
            let text = Value::from(text);
            self.shared.push(Shared { text, places });
        }
    }

    /// Brings a text that was changed in one place to the others.
    pub(crate) fn spread(&mut self) {
        for shared in &mut self.shared {
            shared.spread(&mut self.value, &|place| !is_in_list(place));
        }
    }

    /// Like [`Self::spread`] where no item has moved since [`Self::forget_moved`].
    pub(crate) fn spread_from_lists(&mut self) {
        for shared in &mut self.shared {
            shared.spread(&mut self.value, &|_| true);
        }
    }

    /// Forgets the annotations of the object itself: kustomize writes all of them anew with a note of what changed it.
    pub(crate) fn unshare_annotations(&mut self) {
        for Shared { places, .. } in &mut self.shared {
            places.retain(|place| !place.starts_with("/metadata/annotations/"));
        }
    }

    /// Forgets the places in lists that have another text by now: their items have moved.
    pub(crate) fn forget_moved(&mut self) {
        for Shared { text, places } in &mut self.shared {
            let is_there = |place: &str| self.value.pointer(place).is_some_and(|now| now == text);
            places.retain(|place| !is_in_list(place) || is_there(place));
        }
    }
}

impl Shared {
    /// The new text is that of a place that counts.
    fn spread(&mut self, value: &mut Value, counts: &dyn Fn(&str) -> bool) {
        self.places
            .retain(|place| value.pointer(place).is_some_and(is_plain));
        let changed = self.places.iter().rev().find_map(|place| {
            let now = value.pointer(place)?;
            (*now != self.text && counts(place)).then(|| now.clone())
        });
        let Some(new) = changed else {
            return;
        };
        for place in &self.places {
            if let Some(text) = value.pointer_mut(place)
                // The items of a list may have moved.
                && (!is_in_list(place) || *text == self.text)
            {
                text.clone_from(&new);
            }
        }
        self.text = new;
    }
}

/// Tells whether a value is what a patch can make of a text that people forget to quote.
fn is_plain(value: &Value) -> bool {
    value.is_string() || value.is_number() || value.is_boolean()
}

fn is_in_list(place: &str) -> bool {
    let is_index = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    // The key itself may be a number.
    let (list, _) = place.rsplit_once('/').unwrap_or_default();
    list.split('/').any(is_index)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_change_in_one_place_reaches_the_others() {
        let mut resource = Resource {
            value: json!({"a": {"k": "new"}, "b": {"k": "old"}, "c": [{"k": "old"}, {"k": "own"}]}),
            ..Resource::default()
        };
        let places = ["/a/k", "/b/k", "/c/0/k", "/c/1/k", "/gone/k"];
        resource.share("old", places.map(str::to_owned).to_vec());
        resource.spread();
        let expected =
            json!({"a": {"k": "new"}, "b": {"k": "new"}, "c": [{"k": "new"}, {"k": "own"}]});
        assert_eq!(resource.value, expected);
    }

    #[test]
    fn a_change_in_a_list_reaches_the_others_if_its_items_have_not_moved() {
        let mut resource = Resource {
            value: json!({"a": {"k": "old"}, "c": [{"k": "own"}, {"k": "old"}]}),
            ..Resource::default()
        };
        let places = ["/a/k", "/c/0/k", "/c/1/k"];
        resource.share("old", places.map(str::to_owned).to_vec());
        resource.forget_moved();
        resource.value["c"][1]["k"] = json!("new");
        resource.spread_from_lists();
        let expected = json!({"a": {"k": "new"}, "c": [{"k": "own"}, {"k": "new"}]});
        assert_eq!(resource.value, expected);
    }
}
