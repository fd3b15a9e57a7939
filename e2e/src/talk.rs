//! What a person reads while `flux-e2e` works.

use std::{
    io::Write as _,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};

/// Prints text as it is.
pub(crate) fn say(text: &str) -> Result<()> {
    let mut out = std::io::stdout();
    out.write_all(text.as_bytes())
        .and_then(|()| out.flush())
        .context("print")
}

/// Prints what is done, does it, and prints how long it took.
pub(crate) async fn timed<T>(what: &str, work: impl Future<Output = Result<T>>) -> Result<T> {
    let started = Instant::now();
    let result = work.await.with_context(|| what.to_owned());
    if result.is_ok() {
        say(&format!("  {what:<62} {}\n", seconds(started.elapsed())))?;
    }
    result
}

/// Returns a duration as a person reads it.
pub(crate) fn seconds(duration: Duration) -> String {
    if duration < Duration::from_secs(1) {
        format!("{:>6} ms", duration.as_millis())
    } else {
        format!("{:>6.1} s", duration.as_secs_f64())
    }
}
