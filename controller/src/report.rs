//! An error and its causes in one line: the one place that walks the chain.

use std::error::Error;

use flux_engine::cluster::Rejection;

/// Returns the error and everything behind it, joined by `: `; a cause whose text its parent ends with is not repeated.
pub(crate) fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = words(error);
    let mut cause = error.source();
    while let Some(error) = cause {
        let next = words(error);
        if !text.ends_with(&next) {
            text.push_str(": ");
            text.push_str(&next);
        }
        cause = error.source();
    }
    text
}

/// Returns what one error says by itself. `kube` prints an answer of the API server with all its fields; its message says it,
/// and what another server answered is not ours to repeat.
fn words(error: &(dyn Error + 'static)) -> String {
    match error.downcast_ref() {
        Some(kube::Error::Api(status)) => Rejection::of(status).message.trim().to_owned(),
        _ => error.to_string(),
    }
}
