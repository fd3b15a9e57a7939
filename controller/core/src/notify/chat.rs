//! Slack, Microsoft Teams and Discord.

use serde_json::{Value, json};

use super::body::Body;
use super::{Error, Notice, Request, Severity, Sink, text};

/// Where Slack's bots post.
const SLACK_API: &str = "https://slack.com/api/chat.postMessage";
/// Characters of a Slack attachment, well below where Slack folds it.
const SLACK_TEXT: usize = 3000;
/// Characters of one text of a card; Teams takes 28 KiB in all.
const TEAMS_TEXT: usize = 6000;
/// Characters of an embed's title and of its text; Discord takes 256 and 4096.
const DISCORD: (usize, usize) = (256, 4096);

/// A message with one attachment, which Slack does not format: text of others can make no link and no mention.
pub(super) fn slack(sink: &Sink, notice: &Notice) -> Result<Request, Error> {
    let body = Body::of(notice, sink)?;
    let color = match notice.kind.severity() {
        Severity::Info => "good",
        Severity::Warning => "warning",
        Severity::Error => "danger",
    };
    let title = text::slack(&body.title);
    let mut attachment = json!({
        "color": color,
        "fallback": title,
        "title": title,
        "text": text::slack(&text::cut(&body.text, SLACK_TEXT)),
        "mrkdwn_in": [],
        "ts": notice.time.as_second(),
    });
    if let (Some(attachment), Some(link)) = (attachment.as_object_mut(), body.link) {
        attachment.insert("title_link".to_owned(), Value::String(link));
    }
    let mut message = json!({
        "attachments": [attachment], "link_names": false, "unfurl_links": false, "unfurl_media": false,
    });
    if let Some(url) = sink.address()? {
        return Ok(Request::post(url, &message));
    }
    let token = format!("Bearer {}", sink.token()?);
    if let Some(message) = message.as_object_mut() {
        message.insert("channel".to_owned(), json!(sink.channel()?));
    }
    Ok(Request::post(SLACK_API, &message).with("authorization", token))
}

/// An adaptive card of runs of text, which Teams does not format.
pub(super) fn teams(sink: &Sink, notice: &Notice) -> Result<Request, Error> {
    let body = Body::of(notice, sink)?;
    let color = match notice.kind.severity() {
        Severity::Info => "Good",
        Severity::Warning => "Warning",
        Severity::Error => "Attention",
    };
    let run = |text: &str| json!({"type": "TextRun", "text": text::cut(text, TEAMS_TEXT)});
    let mut blocks = vec![json!({
        "type": "RichTextBlock",
        "inlines": [{"type": "TextRun", "text": text::cut(&body.title, TEAMS_TEXT), "weight": "Bolder", "color": color}],
    })];
    if !body.text.is_empty() {
        blocks.push(json!({"type": "RichTextBlock", "inlines": [run(&body.text)]}));
    }
    let actions: Vec<Value> = body
        .link
        .into_iter()
        .map(|link| json!({"type": "Action.OpenUrl", "title": "Commit", "url": link}))
        .collect();
    let card = json!({
        "type": "message",
        "attachments": [{
            "contentType": "application/vnd.microsoft.card.adaptive",
            "content": {
                "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
                "type": "AdaptiveCard",
                "version": "1.4",
                "msteams": {"width": "Full"},
                "body": blocks,
                "actions": actions,
            },
        }],
    });
    Ok(Request::post(sink.url()?, &card))
}

/// An embed in which Markdown is escaped, and nobody may be mentioned.
pub(super) fn discord(sink: &Sink, notice: &Notice) -> Result<Request, Error> {
    let body = Body::of(notice, sink)?;
    let color = match notice.kind.severity() {
        Severity::Info => 0x002e_b67d,
        Severity::Warning => 0x00ec_b22e,
        Severity::Error => 0x00e0_1e5a,
    };
    let (title, text) = DISCORD;
    let mut embed = json!({
        "title": escaped(&body.title, title),
        "description": escaped(&body.text, text),
        "color": color,
        "timestamp": notice.time.to_string(),
    });
    if let (Some(embed), Some(link)) = (embed.as_object_mut(), body.link) {
        embed.insert("url".to_owned(), Value::String(link));
    }
    let message = json!({"embeds": [embed], "allowed_mentions": {"parse": []}});
    Ok(Request::post(sink.url()?, &message))
}

/// Escapes as much of a text as fits when it is escaped; half an escape would escape what follows.
fn escaped(plain: &str, limit: usize) -> String {
    let whole = text::markdown(plain);
    let too_long = whole.encode_utf16().count().saturating_sub(limit);
    if too_long == 0 {
        return whole;
    }
    let mut room = limit.saturating_sub(1);
    let mut short = String::new();
    for c in plain.chars() {
        let next = text::markdown(&c.to_string());
        let units = next.encode_utf16().count();
        if units > room {
            break;
        }
        room -= units;
        short.push_str(&next);
    }
    short.push('…');
    short
}
