//! What an answer means.

use flux_crds::notification::NotificationKind;

use super::Sink;

/// What an answer means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It was taken.
    Delivered,
    /// It may be taken later.
    Later(String),
    /// It will never be taken as it is.
    Refused(String),
}

/// Judges an answer by its status and, where the status does not say it, by its body. The body itself is repeated nowhere: a
/// receiver is an address of the user's choice, and what it answers is not theirs to read.
pub fn judge(sink: &Sink, status: u16, body: &[u8]) -> Verdict {
    match status {
        200..=299 if sink.kind == NotificationKind::Slack => slack(body),
        200..=299 => Verdict::Delivered,
        300..=399 => Verdict::Refused(format!(
            "the receiver answered {status}, which sends elsewhere; put the final address into url"
        )),
        // GitLab says so to a status that the commit has already.
        400 if sink.kind == NotificationKind::GitLabStatus && has(body, "Cannot transition") => {
            Verdict::Delivered
        }
        401 | 403 => Verdict::Refused(format!(
            "the receiver answered {status}: it does not accept the token"
        )),
        404 | 410 => Verdict::Refused(format!(
            "the receiver answered {status}: there is nothing at this address"
        )),
        408 | 425 | 429 | 500.. => Verdict::Later(format!("the receiver answered {status}")),
        _ => Verdict::Refused(format!("the receiver answered {status}")),
    }
}

/// Slack's API answers 200 whatever happens; its webhooks answer `ok`.
fn slack(body: &[u8]) -> Verdict {
    let Ok(answer) = serde_json::from_slice::<serde_json::Value>(body) else {
        return Verdict::Delivered;
    };
    if answer["ok"] != false {
        return Verdict::Delivered;
    }
    match answer["error"].as_str() {
        Some(
            "ratelimited"
            | "rate_limited"
            | "fatal_error"
            | "internal_error"
            | "service_unavailable",
        ) => Verdict::Later("Slack is busy".to_owned()),
        Some("channel_not_found" | "not_in_channel" | "is_archived") => {
            Verdict::Refused("Slack cannot post to this channel".to_owned())
        }
        _ => {
            Verdict::Refused("Slack refused the message; see the bot's token and rights".to_owned())
        }
    }
}

fn has(body: &[u8], words: &str) -> bool {
    String::from_utf8_lossy(body).contains(words)
}
