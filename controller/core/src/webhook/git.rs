//! What git servers say.

use flux_crds::git_repository::WebhookKind;
use serde::Deserialize;

use super::{Call, Error, News};

/// What GitHub, GitLab, Gitea and simple senders say of a push.
#[derive(Deserialize)]
struct Push {
    #[serde(rename = "ref")]
    reference: Option<String>,
    #[serde(default)]
    object_kind: Option<String>,
}

/// Returns what a call of a git server is about.
pub(super) fn read(kind: WebhookKind, call: &Call<'_>) -> Result<News, Error> {
    match kind {
        WebhookKind::GitHub => pushed(call, call.header("X-GitHub-Event") == Some("push")),
        WebhookKind::GitLab => gitlab(call),
        WebhookKind::Gitea => {
            let event = ["X-Gitea-Event", "X-Forgejo-Event", "X-Gogs-Event"]
                .iter()
                .find_map(|header| call.header(header));
            pushed(call, event == Some("push"))
        }
        WebhookKind::Bitbucket => bitbucket(call),
        WebhookKind::Generic => Ok(generic(call)),
    }
}

fn pushed(call: &Call<'_>, is_push: bool) -> Result<News, Error> {
    if !is_push {
        return Ok(News::Nothing);
    }
    let push: Push = serde_json::from_slice(call.body).map_err(|_| Error::Body)?;
    push.reference
        .map(|reference| News::Refs(vec![reference]))
        .ok_or(Error::Body)
}

/// GitLab names the event in the header, but for system hooks only in the body.
fn gitlab(call: &Call<'_>) -> Result<News, Error> {
    match call.header("X-Gitlab-Event") {
        Some("Push Hook" | "Tag Push Hook") => pushed(call, true),
        Some("System Hook") => {
            let push: Push = serde_json::from_slice(call.body).map_err(|_| Error::Body)?;
            pushed(
                call,
                matches!(push.object_kind.as_deref(), Some("push" | "tag_push")),
            )
        }
        _ => Ok(News::Nothing),
    }
}

/// What Bitbucket's cloud (`push.changes`) and its server (`changes`) say.
#[derive(Deserialize)]
struct Bitbucket {
    #[serde(default)]
    push: Cloud,
    #[serde(default)]
    changes: Vec<ServerChange>,
}

#[derive(Default, Deserialize)]
struct Cloud {
    #[serde(default)]
    changes: Vec<CloudChange>,
}

#[derive(Deserialize)]
struct CloudChange {
    new: Option<Head>,
    old: Option<Head>,
}

#[derive(Deserialize)]
struct Head {
    name: String,
    #[serde(rename = "type", default)]
    kind: String,
}

impl Head {
    fn reference(&self) -> String {
        match self.kind.as_str() {
            "tag" | "annotated_tag" => format!("refs/tags/{}", self.name),
            _ => format!("refs/heads/{}", self.name),
        }
    }
}

#[derive(Deserialize)]
struct ServerChange {
    #[serde(rename = "refId", default)]
    id: Option<String>,
}

fn bitbucket(call: &Call<'_>) -> Result<News, Error> {
    if !matches!(
        call.header("X-Event-Key"),
        Some("repo:push" | "repo:refs_changed")
    ) {
        return Ok(News::Nothing);
    }
    let said: Bitbucket = serde_json::from_slice(call.body).map_err(|_| Error::Body)?;
    let cloud = said.push.changes.iter();
    let heads = cloud.filter_map(|change| change.new.as_ref().or(change.old.as_ref()));
    let server = said.changes.into_iter().filter_map(|change| change.id);
    Ok(News::Refs(
        heads.map(Head::reference).chain(server).collect(),
    ))
}

/// A body that names no reference is about all of them.
fn generic(call: &Call<'_>) -> News {
    let push: Option<Push> = serde_json::from_slice(call.body).ok();
    News::Refs(push.and_then(|push| push.reference).into_iter().collect())
}
