//! What this version of the controller does not do yet. A field is refused rather than ignored in silence.

use super::SyncSpec;

impl SyncSpec {
    /// Returns the fields that are set and that this version does not act on yet; the controller refuses them.
    pub fn unsupported(&self) -> Vec<&'static str> {
        [(!self.notify.is_empty(), "spec.notify")]
            .into_iter()
            .filter_map(|(is_set, field)| is_set.then_some(field))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_spec_is_supported() {
        assert_eq!(SyncSpec::default().unsupported(), Vec::<&str>::new());
    }
}
