//! The user's own words, in the syntax of Jinja.

use flux_crds::Reason;
use jiff::Timestamp;

use minijinja::{Environment, UndefinedBehavior};
use serde::Serialize;

use super::{Commit, Error, Kind, Notice, Subject, commit_status, text};
use crate::change::{Action, Change};
use crate::object::ObjectId;
use crate::rendered::rendered;

/// Steps that a template may take.
const FUEL: u64 = 50_000;
/// Longest text that may come out of one, in bytes.
const MAX_LENGTH: usize = 16 * 1024;

/// What a template can show.
#[derive(Serialize)]
struct Fields {
    event: &'static str,
    kind: &'static str,
    namespace: String,
    name: String,
    cluster: String,
    revision: String,
    commit: String,
    subject: String,
    author: String,
    url: String,
    reason: &'static str,
    message: String,
    changes: Vec<String>,
}

impl From<&Notice> for Fields {
    fn from(notice: &Notice) -> Self {
        let commit = notice.commit.clone().unwrap_or_default();
        Self {
            event: notice.kind.as_str(),
            kind: notice.object.kind,
            namespace: notice.object.namespace.clone(),
            name: notice.object.name.clone(),
            cluster: notice.cluster.clone(),
            revision: text::revision(notice).unwrap_or_default(),
            commit: notice.commit_id().unwrap_or_default(),
            subject: text::line(&commit.subject),
            author: text::line(&text::author(&commit.author)),
            url: commit_status::page(notice).unwrap_or_default(),
            reason: notice.reason.as_str(),
            message: notice.message.clone(),
            changes: notice.changes.iter().map(ToString::to_string).collect(),
        }
    }
}

/// Makes a text of a template.
pub(super) fn render(template: &str, notice: &Notice) -> Result<String, Error> {
    let mut environment = Environment::empty();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_fuel(Some(FUEL));
    let template = environment
        .template_from_str(template)
        .map_err(|error| failed(&error))?;
    let rendered =
        rendered(&template, Fields::from(notice), MAX_LENGTH).map_err(|error| failed(&error))?;
    Ok(rendered.trim().to_owned())
}

/// Checks a template, by an example.
pub fn check(template: &str) -> Result<(), Error> {
    let change = Change {
        id: ObjectId {
            group: "apps".to_owned(),
            kind: "Deployment".to_owned(),
            namespace: "shop".to_owned(),
            name: "web".to_owned(),
        },
        action: Action::Configured,
    };
    let commit = Commit {
        author: "Ada <ada@example.com>".to_owned(),
        subject: "a change".to_owned(),
    };
    let example = Notice {
        kind: Kind::Applied,
        object: Subject {
            kind: "Sync",
            namespace: "shop".to_owned(),
            name: "web".to_owned(),
            uid: String::new(),
        },
        cluster: "production".to_owned(),
        revision: Some(format!("main@sha1:{}", "0123456789".repeat(4))),
        reason: Reason::Applied,
        message: "applied".to_owned(),
        time: Timestamp::UNIX_EPOCH,
        changes: vec![change],
        changed: 1,
        images: Vec::new(),
        failures: Vec::new(),
        commit: Some(commit),
        repository: None,
        is_first: false,
    };
    render(template, &example).map(|_| ())
}

fn failed(error: &minijinja::Error) -> Error {
    let reason = match error.kind() {
        minijinja::ErrorKind::WriteFailure => format!("it gives more than {MAX_LENGTH} bytes"),
        minijinja::ErrorKind::OutOfFuel => "it takes too many steps".to_owned(),
        minijinja::ErrorKind::UndefinedError => {
            "it names a field that there is not: known are event, kind, namespace, name, cluster, revision, commit, subject, \
             author, url, reason, message and changes"
                .to_owned()
        }
        kind => match error.detail() {
            Some(detail) => text::line(detail),
            None => kind.to_string(),
        },
    };
    Error::Template {
        line: error.line().unwrap_or(1),
        reason,
    }
}
