//! Whatever the bytes: values that are written and read back the same, or an error.
//!
//! `cargo +nightly fuzz run yaml -- -timeout=5 -rss_limit_mb=1024`, in the directory above.
#![no_main]

use flux_kustomize::{parse_yaml, to_yaml};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(documents) = parse_yaml(bytes, "fuzz.yaml") else {
        return;
    };
    for document in documents {
        let text = to_yaml(&document.value);
        let again = parse_yaml(text.as_bytes(), "again.yaml").expect("what we write can be read");
        let again = again.first().map(|document| &document.value);
        // A document that is null is none.
        assert_eq!(
            again,
            Some(&document.value).filter(|value| !value.is_null()),
            "{text}"
        );
    }
});
