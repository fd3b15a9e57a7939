//! The way through an object, or through a text of YAML in it, to the fields at a path.

use regex::Regex;
use serde_json::{Map, Value};

use super::{Leaf, Part, text_of};
use crate::structured;
use crate::yaml::TextNode;

/// A field that was found.
pub(crate) enum Field<'f> {
    /// In an object, or in a text of JSON.
    Value(&'f mut Value),
    /// In a text of YAML, which keeps its form.
    InText(&'f mut TextNode),
}

/// What is done with each field that is found.
pub(crate) type Visitor<'v> = dyn FnMut(Field<'_>) -> Result<(), String> + 'v;

/// What a path leads through.
pub(crate) trait Tree: Sized {
    /// What is made where nothing is: an empty collection, or a null.
    fn empty(leaf: Leaf) -> Self;
    /// A scalar that is made.
    fn scalar(text: &str) -> Self;
    fn is_mapping(&self) -> bool;
    fn is_null(&self) -> bool;
    /// The text of a plain value.
    fn text(&self) -> String;
    fn get(&self, name: &str) -> Option<&Self>;
    fn get_mut(&mut self, name: &str) -> Option<&mut Self>;
    /// Adds a field to a mapping.
    fn add(&mut self, name: &str, value: Self);
    fn items_mut(&mut self) -> Option<&mut Vec<Self>>;
    /// A text that the path may go on in.
    fn structured(&mut self) -> Option<&mut String>;
    fn field(&mut self) -> Field<'_>;
}

impl Tree for Value {
    fn empty(leaf: Leaf) -> Self {
        match leaf {
            Leaf::Mapping => Self::Object(Map::new()),
            Leaf::List => Self::Array(Vec::new()),
            Leaf::Nothing | Leaf::Text => Self::Null,
        }
    }

    fn scalar(text: &str) -> Self {
        Self::from(text)
    }

    fn is_mapping(&self) -> bool {
        self.is_object()
    }

    fn is_null(&self) -> bool {
        Self::is_null(self)
    }

    fn text(&self) -> String {
        text_of(self)
    }

    fn get(&self, name: &str) -> Option<&Self> {
        Self::get(self, name)
    }

    fn get_mut(&mut self, name: &str) -> Option<&mut Self> {
        Self::get_mut(self, name)
    }

    fn add(&mut self, name: &str, value: Self) {
        if let Self::Object(fields) = self {
            fields.insert(name.to_owned(), value);
        }
    }

    fn items_mut(&mut self) -> Option<&mut Vec<Self>> {
        self.as_array_mut()
    }

    fn structured(&mut self) -> Option<&mut String> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    fn field(&mut self) -> Field<'_> {
        Field::Value(self)
    }
}

impl Tree for TextNode {
    fn empty(leaf: Leaf) -> Self {
        match leaf {
            Leaf::Mapping => Self::mapping(),
            Leaf::List => Self::list(),
            Leaf::Nothing | Leaf::Text => Self::default(),
        }
    }

    fn scalar(text: &str) -> Self {
        Self::plain(text)
    }

    fn is_mapping(&self) -> bool {
        Self::is_mapping(self)
    }

    fn is_null(&self) -> bool {
        Self::is_null(self)
    }

    fn text(&self) -> String {
        Self::text(self).unwrap_or_default().to_owned()
    }

    fn get(&self, name: &str) -> Option<&Self> {
        Self::field(self, name)
    }

    fn get_mut(&mut self, name: &str) -> Option<&mut Self> {
        self.field_mut(name)
    }

    fn add(&mut self, name: &str, value: Self) {
        self.add_field(name, value);
    }

    fn items_mut(&mut self) -> Option<&mut Vec<Self>> {
        Self::items_mut(self)
    }

    /// kustomize does not write back what it changes in a text in a text.
    fn structured(&mut self) -> Option<&mut String> {
        None
    }

    fn field(&mut self) -> Field<'_> {
        Field::InText(self)
    }
}

/// A way through an object to the fields at a path.
pub(crate) struct Walk<'w, 'v> {
    pub(super) leaf: Leaf,
    pub(super) visitor: &'w mut Visitor<'v>,
}

impl Walk<'_, '_> {
    /// Goes on from a value; returns how many fields were found.
    pub(crate) fn walk<T: Tree>(&mut self, value: &mut T, parts: &[Part]) -> Result<usize, String> {
        let Some((part, rest)) = parts.split_first() else {
            return (self.visitor)(value.field()).map(|()| 1);
        };
        if let Some(text) = value.structured() {
            return structured::change(text, self, parts);
        }
        match part {
            Part::Field(name) => self.named(value, name, rest),
            Part::Index(at) => self.index(value, *at, rest),
            Part::Every => {
                let items = value.items_mut().ok_or("`*` needs a list")?;
                items
                    .iter_mut()
                    .try_fold(0, |found, item| Ok(found + self.walk(item, rest)?))
            }
            Part::Wrong(text) => Err(format!("{text} must be [field=value], or a name with dots")),
            Part::Match(name, pattern, exact) => {
                let found = self.matching(value, (name, pattern), rest)?;
                if found > 0 || self.leaf == Leaf::Nothing {
                    return Ok(found);
                }
                let mut item = T::scalar(exact);
                if !name.is_empty() {
                    let value = std::mem::replace(&mut item, T::empty(Leaf::Mapping));
                    item.add(name, value);
                }
                value
                    .items_mut()
                    .ok_or("a condition needs a list")?
                    .push(item);
                self.matching(value, (name, pattern), rest)
            }
        }
    }

    fn named<T: Tree>(
        &mut self,
        value: &mut T,
        name: &str,
        rest: &[Part],
    ) -> Result<usize, String> {
        if !value.is_mapping() {
            if value.is_null() && self.leaf == Leaf::Nothing {
                return Ok(0);
            }
            return Err(format!("{name} needs a mapping around it"));
        }
        if name.is_empty() {
            return Err("a part of the path is empty".to_owned());
        }
        if self.leaf != Leaf::Nothing && value.get(name).is_none() {
            value.add(name, T::empty(empty(rest, self.leaf)));
        }
        value
            .get_mut(name)
            .map_or(Ok(0), |field| self.walk(field, rest))
    }

    fn index<T: Tree>(&mut self, value: &mut T, at: usize, rest: &[Part]) -> Result<usize, String> {
        // A number can be the name of a field too.
        if value.is_mapping() {
            return self.named(value, &at.to_string(), rest);
        }
        let items = value
            .items_mut()
            .ok_or_else(|| format!("{at} needs a list"))?;
        if items.len() == at && self.leaf != Leaf::Nothing {
            items.push(T::empty(empty(rest, self.leaf)));
        }
        let length = items.len();
        match items.get_mut(at) {
            Some(item) => self.walk(item, rest),
            None => Err(format!("there is no item {at} in a list of {length}")),
        }
    }

    fn matching<T: Tree>(
        &mut self,
        value: &mut T,
        (name, pattern): (&str, &Regex),
        rest: &[Part],
    ) -> Result<usize, String> {
        let items = value.items_mut().ok_or("a condition needs a list")?;
        let mut found = 0;
        for item in items {
            let known = if name.is_empty() {
                Some(&*item)
            } else {
                item.get(name)
            };
            if known.is_some_and(|known| pattern.is_match(&known.text())) {
                // A plain item is the end, whatever the path says.
                let rest = if name.is_empty() { &[] } else { rest };
                found += self.walk(item, rest)?;
            }
        }
        Ok(found)
    }
}

/// What is made for a field whose path goes on with `rest`.
fn empty(rest: &[Part], leaf: Leaf) -> Leaf {
    match (rest.first(), leaf) {
        (Some(Part::Field(_) | Part::Every), _) | (None, Leaf::Mapping) => Leaf::Mapping,
        (Some(_), _) | (None, Leaf::List) => Leaf::List,
        (None, Leaf::Nothing | Leaf::Text) => Leaf::Text,
    }
}
