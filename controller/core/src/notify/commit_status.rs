//! The status of a commit on GitHub, GitLab, Gitea and Forgejo.
//!
//! Each Sync of each cluster has a context of its own, so that none hides what another says about the same commit.

use serde_json::json;

use super::{Error, Kind, Notice, Request, Sink, text};
use crate::git::{RepositoryUrl, Scheme};

/// Characters of a description on GitHub, GitLab and Gitea.
const DESCRIPTION: (usize, usize, usize) = (140, 255, 255);
/// Characters of a context.
const CONTEXT: usize = 255;
/// Digits of a uid that tell objects of the same name in different clusters apart.
const UID: usize = 8;
/// Servers that give away no token to the owner of a repository.
const PUBLIC: [&str; 4] = ["github.com", "gitlab.com", "codeberg.org", "gitea.com"];

/// How a commit is doing.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Pending,
    Success,
    Failure,
}

/// Tells whether a notice says how a commit is doing: only Syncs apply commits.
pub(super) fn is_for(notice: &Notice) -> bool {
    notice.object.kind == "Sync" && state(notice.kind).is_some() && notice.commit_id().is_some()
}

fn state(kind: Kind) -> Option<State> {
    match kind {
        Kind::Progressing => Some(State::Pending),
        Kind::Applied | Kind::Recovered => Some(State::Success),
        Kind::Failed | Kind::RolledBack => Some(State::Failure),
        Kind::Drift | Kind::ImageUpdate => None,
    }
}

/// What is said about a commit.
struct Status<'a> {
    state: State,
    context: String,
    text: String,
    commit_id: String,
    repository: &'a RepositoryUrl,
}

impl<'a> Status<'a> {
    fn of(sink: &Sink, notice: &'a Notice) -> Result<Self, Error> {
        let repository = notice.repository.as_ref().ok_or(Error::Forge)?;
        let text = match notice.kind {
            Kind::Applied | Kind::Recovered => match notice.changed {
                0 => "applied, nothing had to change".to_owned(),
                1 => "applied, 1 object changed".to_owned(),
                count => format!("applied, {count} objects changed"),
            },
            Kind::Progressing => notice.message.clone(),
            _ => format!("{}: {}", notice.reason, notice.message),
        };
        Ok(Self {
            state: state(notice.kind).ok_or(Error::Forge)?,
            context: context(notice),
            text: text::line(&sink.scrub(&text)),
            commit_id: notice.commit_id().ok_or(Error::Forge)?,
            repository,
        })
    }

    /// Returns the base of the API: what the Secret says, or what follows from the repository's address.
    fn api(&self, sink: &Sink, of_host: impl Fn(&str) -> String) -> Result<String, Error> {
        if let Some(url) = sink.address()? {
            return Ok(url.to_owned());
        }
        let host = self.repository.host();
        let is_known = PUBLIC.iter().any(|known| known.eq_ignore_ascii_case(host));
        if host.is_empty() || !(is_known || sink.trusts_repository) {
            return Err(Error::Forge);
        }
        Ok(of_host(&web(self.repository)))
    }

    /// Returns the path of the repository, such as `org/app`.
    fn path(&self) -> &str {
        let path = self.repository.path().trim_matches('/');
        path.strip_suffix(".git").unwrap_or(path)
    }

    /// Returns the path with each of its parts escaped.
    fn parts(&self) -> String {
        let parts: Vec<String> = self.path().split('/').map(text::path_part).collect();
        parts.join("/")
    }

    /// Returns the request that GitHub, and Gitea after it, take at `api`, without the token.
    fn post(&self, api: &str, length: usize) -> Request {
        let state = match self.state {
            State::Pending => "pending",
            State::Success => "success",
            State::Failure => "failure",
        };
        let url = format!("{api}/repos/{}/statuses/{}", self.parts(), self.commit_id);
        let body = json!({
            "state": state,
            "context": self.context,
            "description": text::cut(&self.text, length),
        });
        Request::post(url, &body)
    }
}

/// Returns `flux/<namespace>/<name>` with what tells clusters apart.
fn context(notice: &Notice) -> String {
    let object = &notice.object;
    let cluster = match notice.cluster.as_str() {
        "" => object.uid.get(..UID).unwrap_or(&object.uid),
        cluster => cluster,
    };
    text::cut(
        &format!("flux/{}/{} ({cluster})", object.namespace, object.name),
        CONTEXT,
    )
}

/// GitHub, also on a server of its own.
pub(super) fn on_github(sink: &Sink, notice: &Notice) -> Result<Request, Error> {
    let status = Status::of(sink, notice)?;
    let api = status.api(sink, |web| match web {
        "https://github.com" => "https://api.github.com".to_owned(),
        web => format!("{web}/api/v3"),
    })?;
    Ok(status
        .post(&api, DESCRIPTION.0)
        .with("authorization", format!("Bearer {}", sink.token()?))
        .with("accept", "application/vnd.github+json".to_owned())
        .with("x-github-api-version", "2022-11-28".to_owned()))
}

/// GitLab, also on a server of its own.
pub(super) fn on_gitlab(sink: &Sink, notice: &Notice) -> Result<Request, Error> {
    let status = Status::of(sink, notice)?;
    let api = status.api(sink, |web| format!("{web}/api/v4"))?;
    let url = format!(
        "{api}/projects/{}/statuses/{}",
        text::path_part(status.path()),
        status.commit_id
    );
    let state = match status.state {
        State::Pending => "running",
        State::Success => "success",
        State::Failure => "failed",
    };
    let body = json!({
        "state": state,
        "name": status.context,
        "description": text::cut(&status.text, DESCRIPTION.1),
    });
    Ok(Request::post(url, &body).with("private-token", sink.token()?.to_owned()))
}

/// Gitea and Forgejo.
pub(super) fn on_gitea(sink: &Sink, notice: &Notice) -> Result<Request, Error> {
    let status = Status::of(sink, notice)?;
    let api = status.api(sink, |web| format!("{web}/api/v1"))?;
    let request = status.post(&api, DESCRIPTION.2);
    Ok(request.with("authorization", format!("token {}", sink.token()?)))
}

/// Returns where the web pages of a repository's server are. Over SSH it is the host with TLS.
fn web(repository: &RepositoryUrl) -> String {
    let host = repository.host().to_ascii_lowercase();
    let host = if host.contains(':') {
        format!("[{host}]")
    } else {
        host
    };
    match (repository.scheme(), repository.port()) {
        (Scheme::Https, 443) | (Scheme::Ssh | Scheme::File, _) => format!("https://{host}"),
        (Scheme::Http, 80) => format!("http://{host}"),
        (Scheme::Https, port) => format!("https://{host}:{port}"),
        (Scheme::Http, port) => format!("http://{host}:{port}"),
    }
}

/// Returns the page of the commit. What the server is can only be guessed, and most have the page in the same place.
pub(super) fn page(notice: &Notice) -> Option<String> {
    let repository = notice.repository.as_ref()?;
    let commit_id = notice.commit_id()?;
    if repository.host().is_empty() {
        return None;
    }
    let path = repository.path().trim_matches('/');
    let path = path.strip_suffix(".git").unwrap_or(path);
    let parts: Vec<String> = path.split('/').map(text::path_part).collect();
    let commit = match repository.host() {
        host if host.contains("gitlab") => "-/commit",
        host if host.contains("bitbucket") => "commits",
        _ => "commit",
    };
    let base = format!("{}/{}", web(repository), parts.join("/"));
    Some(format!("{base}/{commit}/{commit_id}"))
}
