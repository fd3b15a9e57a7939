//! Folded texts when a patch meets them: kustomize keeps the style of the field that is there.
//!
//! What it writes in folded style is not quite what was read (see [`yaml::folded_again`]), and files are read as that. So
//! a folded text of a patch must be undone where the field is not folded, and any other text must be done where it is.

use serde_json::Value;

use super::Resource;
use crate::yaml::{self, Notation};

/// What a patch does to folded texts.
pub(crate) struct Folds {
    /// Texts that are not folded after all.
    undone: Vec<Notation>,
    /// Where texts become folded ones.
    done: Vec<String>,
    /// Folded texts where nothing was.
    new: Vec<Notation>,
}

impl Resource {
    /// Tells what merging a patch into this resource does to folded texts.
    pub(crate) fn folds(&self, patch: &Self) -> Folds {
        let is_there = |folded: &&Notation| {
            let there = self.value.pointer(&folded.pointer);
            there.is_some_and(|there| !there.is_null())
        };
        let (known, new): (Vec<&Notation>, Vec<&Notation>) =
            patch.folded.iter().partition(is_there);
        let undone = known
            .into_iter()
            .filter(|folded| !self.is_folded(&folded.pointer));
        let pointers = self.folded.iter().map(|folded| &folded.pointer);
        let is_done = |pointer: &&String| {
            patch.value.pointer(pointer).is_some_and(Value::is_string) && !patch.is_folded(pointer)
        };
        Folds {
            undone: undone.cloned().collect(),
            done: pointers.filter(is_done).cloned().collect(),
            new: new.into_iter().cloned().collect(),
        }
    }

    fn is_folded(&self, pointer: &str) -> bool {
        self.folded.iter().any(|folded| folded.pointer == pointer)
    }

    /// Does to folded texts what a patch does that was merged.
    pub(crate) fn fold(&mut self, folds: Folds) {
        for folded in folds.undone {
            if let Some(Value::String(text)) = self.value.pointer_mut(&folded.pointer) {
                *text = folded.text;
            }
        }
        for pointer in folds.done {
            if let Some(Value::String(text)) = self.value.pointer_mut(&pointer) {
                *text = yaml::folded_again(text);
            }
        }
        self.folded.extend(folds.new);
    }
}
