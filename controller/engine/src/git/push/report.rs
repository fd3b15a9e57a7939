//! What a server answers to a push.

use gix_transport::packetline::{PacketLineRef, blocking_io::StreamingPeekableIter};

/// What a server says is shown, but not without end.
const MAX_TALK: usize = 1000;
const MAX_REPORT: usize = 64 << 10;

/// What came of a push.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Answer {
    /// The branch is where it shall be.
    Accepted,
    /// Someone else was faster.
    Rejected(String),
    /// The server does not want this commit, or not from us.
    Refused(String),
    /// The server does not say.
    Silent,
}

/// What the server says to people.
#[derive(Debug, Default)]
pub(crate) struct Talk {
    text: Vec<u8>,
    failure: Vec<u8>,
}

impl Talk {
    pub(crate) fn add(&mut self, bytes: &[u8]) {
        let room = MAX_TALK.saturating_sub(self.text.len());
        self.text.extend(bytes.iter().take(room));
    }

    pub(crate) fn fail(&mut self, bytes: &[u8]) {
        let room = MAX_TALK.saturating_sub(self.failure.len());
        self.failure.extend(bytes.iter().take(room));
    }

    /// Puts the reason of the report and what was said into one line.
    fn explain(&self, reason: &str) -> String {
        let said = clean(&self.text);
        if said.is_empty() {
            reason.to_owned()
        } else {
            format!("{reason} ({said})")
        }
    }
}

/// Makes one line of what a server says, without control characters and `remote:` decoration.
pub(crate) fn clean(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let text: String = text
        .chars()
        .take(MAX_TALK)
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

pub(crate) fn extend(report: &mut Vec<u8>, more: &[u8]) -> Result<(), &'static str> {
    if report.len() + more.len() > MAX_REPORT {
        return Err("the server's report is too long");
    }
    report.extend_from_slice(more);
    Ok(())
}

/// Reads `unpack ok`, then `ok <ref>` or `ng <ref> <reason>`.
pub(crate) fn read(data: &[u8], talk: &Talk, ref_name: &str) -> Result<Answer, String> {
    if !talk.failure.is_empty() {
        return Err(clean(&talk.failure));
    }
    let mut lines = StreamingPeekableIter::new(data, &[PacketLineRef::Flush], false);
    let mut answer = None;
    let mut unpacked = None;
    while let Some(line) = lines.read_line() {
        let line = line.map_err(|error| format!("the server's report breaks off: {error}"))?;
        let line = line.map_err(|error| format!("the server's report is malformed: {error}"))?;
        let line = clean(line.as_slice().unwrap_or_default());
        if let Some(outcome) = line.strip_prefix("unpack ") {
            unpacked = Some(outcome.to_owned());
        } else if let Some(name) = line.strip_prefix("ok ") {
            answer = (name == ref_name).then_some(Answer::Accepted).or(answer);
        } else if let Some(rest) = line.strip_prefix("ng ") {
            let (name, reason) = rest.split_once(' ').unwrap_or((rest, "no reason given"));
            if name == ref_name {
                answer = Some(classify(reason, talk));
            }
        }
    }
    match (unpacked.as_deref(), answer) {
        (Some("ok"), Some(answer)) => Ok(answer),
        (Some("ok") | None, None) | (None, Some(_)) => {
            Err("the server's report does not tell of the branch".to_owned())
        }
        (Some(problem), _) => Ok(Answer::Refused(talk.explain(&format!("unpack: {problem}")))),
    }
}

/// Servers say in these words that the branch is not where we named it.
const MOVED: [&str; 13] = [
    "atomic transaction failed",
    "fetch first",
    "non-fast-forward",
    "stale info",
    "failed to update ref",
    "failed to lock",
    "cannot lock",
    "unable to lock",
    "lock failure",
    "lock error",
    "incorrect old value",
    "already exists",
    "but expected",
];

fn classify(reason: &str, talk: &Talk) -> Answer {
    let lower = reason.to_ascii_lowercase();
    if MOVED.iter().any(|words| lower.contains(words)) {
        return Answer::Rejected(talk.explain(reason));
    }
    Answer::Refused(talk.explain(reason))
}

#[cfg(test)]
mod tests;
