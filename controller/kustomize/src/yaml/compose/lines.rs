//! Where the fields of a document stand.

use std::collections::BTreeMap;

/// The line of each field of a document, by its path (`images[0].name`).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Lines(pub(super) BTreeMap<String, usize>);

impl Lines {
    /// Returns the line of a field, or else of the nearest field around it.
    pub(crate) fn of(&self, field: &str) -> Option<usize> {
        let mut field = field;
        loop {
            if let Some(line) = self.0.get(field) {
                return Some(*line);
            }
            field = &field[..field.rfind(['.', '['])?];
        }
    }
}
