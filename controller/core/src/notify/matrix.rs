//! A room of Matrix.

use serde_json::json;

use super::body::Body;
use super::{Error, Method, Notice, Request, Sink, text};

/// Characters of a text; an event of Matrix has at most 64 KiB, which holds the text twice.
const TEXT: usize = 6000;

/// A notice, which bots do not answer. The same notice has the same transaction, so that a retry shows nothing twice.
pub(super) fn request(sink: &Sink, notice: &Notice) -> Result<Request, Error> {
    let body = Body::of(notice, sink)?;
    let (title, text) = (text::cut(&body.title, TEXT), text::cut(&body.text, TEXT));
    let title_html = match &body.link {
        Some(link) => format!(
            "<a href=\"{}\">{}</a>",
            text::html(link),
            text::html(&title)
        ),
        None => text::html(&title),
    };
    let text_html = text::html(&text).replace('\n', "<br>");
    let message = json!({
        "msgtype": "m.notice",
        "body": format!("{title}\n{text}").trim_end(),
        "format": "org.matrix.custom.html",
        "formatted_body": format!("<strong>{title_html}</strong><br>{text_html}"),
        "m.mentions": {},
    });
    let url = format!(
        "{}/_matrix/client/v3/rooms/{}/send/m.room.message/{}",
        sink.url()?,
        text::path_part(sink.channel()?),
        notice.key()
    );
    let token = format!("Bearer {}", sink.token()?);
    let request = Request::post(url, &message).with("authorization", token);
    Ok(Request {
        method: Method::Put,
        ..request
    })
}
