//! What can go wrong, what to do about it, and how the process ends.

use std::{io, path::PathBuf};

use flux_core::redact::scrub;
use kube::core::Status;

use crate::kind::Kind;

/// A failed command.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The words on the command line make no sense together.
    #[error("{message}")]
    Usage { message: String, hint: String },
    /// The kubeconfig cannot be read.
    #[error("cannot read the kubeconfig")]
    Kubeconfig(#[source] kube::config::KubeconfigError),
    /// There is neither a kubeconfig nor a cluster around us.
    #[error("there is no cluster to talk to")]
    NoCluster(#[source] kube::config::InferConfigError),
    /// The client cannot be made.
    #[error("cannot set up the connection to the cluster")]
    Connect(#[source] kube::Error),
    /// The API server could not be reached or said no.
    #[error("cannot {action}")]
    Api {
        action: String,
        #[source]
        source: kube::Error,
    },
    /// A watch failed.
    #[error("cannot watch {what}")]
    Watch {
        what: String,
        #[source]
        source: kube::runtime::watcher::Error,
    },
    /// The object does not exist.
    #[error("there is no {kind} \"{name}\" in the namespace \"{namespace}\"")]
    NotFound {
        kind: Kind,
        name: String,
        namespace: String,
    },
    /// An object of the API server is not what it should be.
    #[error("cannot read {object}")]
    Decode {
        object: String,
        #[source]
        source: serde_json::Error,
    },
    /// A file cannot be read.
    #[error("cannot read {}", path.display())]
    File {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    /// The files do not build.
    #[error("{count} {} in {path}", if *count == 1 { "error" } else { "errors" })]
    Build {
        path: String,
        count: usize,
        details: Vec<String>,
    },
    /// The API server or the controller would not take these objects.
    #[error("{count} {} cannot be applied", if *count == 1 { "object" } else { "objects" })]
    Refused { count: usize, details: Vec<String> },
    /// The repository has no `write`.
    #[error("the GitRepository {namespace}/{name} is read-only")]
    ReadOnly { namespace: String, name: String },
    /// The controller's own requests failed.
    #[error("cannot {action}")]
    Engine {
        action: String,
        #[source]
        source: flux_engine::cluster::Error,
    },
    /// What a Sync builds with could not be read.
    #[error("cannot read what the sync builds with")]
    Inputs(#[source] flux_engine::inputs::Error),
    /// Something did not end well; what it was has been told already.
    #[error("{0}")]
    Failed(String),
    /// Something did not end in time.
    #[error("{what} took longer than {limit}")]
    TimedOut { what: String, limit: String },
    /// Something did not get ready in time.
    #[error("{what} was not ready within {limit}")]
    NotReady {
        what: String,
        limit: String,
        hint: String,
    },
    /// A person stopped the object.
    #[error("{what} is suspended")]
    Suspended { what: String, hint: String },
    /// The threads that requests need cannot be started.
    #[error("cannot start to work")]
    Runtime(#[source] io::Error),
    /// stdout or stdin is gone.
    #[error("cannot print")]
    Output(#[source] io::Error),
}

impl Error {
    /// Returns an error in the use of the command line.
    pub(crate) fn usage(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::Usage {
            message: message.into(),
            hint: hint.into(),
        }
    }

    /// Returns a function that says what was asked of the API server.
    pub(crate) fn api(action: impl Into<String>) -> impl FnOnce(kube::Error) -> Self {
        let action = action.into();
        move |source| Self::Api { action, source }
    }

    /// Returns whether the reader of our output went away, which is no failure of ours.
    pub(crate) fn is_closed_pipe(&self) -> bool {
        matches!(self, Self::Output(source) if source.kind() == io::ErrorKind::BrokenPipe)
    }

    /// Returns how the process ends.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::Usage { .. } => 2,
            _ => 1,
        }
    }

    /// Returns every further line that a person needs.
    pub(crate) fn details(&self) -> &[String] {
        match self {
            Self::Build { details, .. } | Self::Refused { details, .. } => details,
            _ => &[],
        }
    }

    /// Takes secret values out of every further line: the API server repeats what it refuses.
    pub(crate) fn without(mut self, secrets: &[String]) -> Self {
        if let Self::Build { details, .. } | Self::Refused { details, .. } = &mut self {
            for detail in details {
                *detail = scrub(detail, secrets);
            }
        }
        self
    }

    /// Returns what to do next.
    pub(crate) fn hint(&self) -> Option<String> {
        match self {
            Self::Usage { hint, .. }
            | Self::Suspended { hint, .. }
            | Self::NotReady { hint, .. } => Some(hint.clone()),
            Self::Kubeconfig(_) | Self::NoCluster(_) => {
                Some("name a kubeconfig with --kubeconfig, or a context with --context".into())
            }
            Self::Api { source, .. }
            | Self::Inputs(flux_engine::inputs::Error::Read { source, .. }) => api_hint(source),
            Self::NotFound { kind, .. } => Some(format!(
                "see what there is: kubectl flux get {} -A",
                kind.word()
            )),
            Self::TimedOut { .. } => {
                Some("see whether the controller runs: kubectl flux check; or give it more time with --timeout".into())
            }
            Self::ReadOnly { name, .. } => Some(format!(
                "say which branch to write to: kubectl flux create git {name} --write-branch main …"
            )),
            Self::Connect(_)
            | Self::Watch { .. }
            | Self::Decode { .. }
            | Self::File { .. }
            | Self::Build { .. }
            | Self::Refused { .. }
            | Self::Engine { .. }
            | Self::Inputs(_)
            | Self::Failed(_)
            | Self::Runtime(_)
            | Self::Output(_) => None,
        }
    }

    /// Returns the error and its causes as one line.
    pub(crate) fn chain(&self) -> String {
        chain(self)
    }
}

/// Returns an error and its causes as one line.
pub(crate) fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        let known = error.downcast_ref::<kube::Error>();
        let part = known.map_or_else(|| error.to_string(), said_by_server);
        // Many libraries repeat the cause in their own text.
        if !text.contains(&part) {
            text = format!("{text}: {part}");
        }
        if matches!(known, Some(kube::Error::Api(_))) {
            break;
        }
        source = error.source();
    }
    text
}

fn said_by_server(error: &kube::Error) -> String {
    match error {
        kube::Error::Api(status) => said(status),
        kube::Error::Service(source) => match root(source.as_ref()) {
            Some(root) => format!("the API server cannot be reached: {root}"),
            None => format!("the API server cannot be reached: {source}"),
        },
        other => other.to_string(),
    }
}

fn root(error: &(dyn std::error::Error + 'static)) -> Option<String> {
    let mut root = error.source()?;
    while let Some(source) = root.source() {
        root = source;
    }
    Some(root.to_string())
}

fn said(status: &Status) -> String {
    if status.message.is_empty() {
        format!("HTTP {} {}", status.code, status.reason)
    } else {
        status.message.clone()
    }
}

fn api_hint(error: &kube::Error) -> Option<String> {
    match error {
        kube::Error::Api(status) if status.code == 404 && is_unknown_kind(status) => Some(
            "the kinds of flux.rs are not in this cluster; install them: kubectl flux install"
                .into(),
        ),
        kube::Error::Api(status) if status.code == 401 => {
            Some("log in again; the cluster does not know you".into())
        }
        kube::Error::Api(status) if status.code == 403 => {
            Some("see what you may do: kubectl auth can-i --list".into())
        }
        kube::Error::Service(_) => Some("see whether it runs: kubectl cluster-info".into()),
        _ => None,
    }
}

/// A kind that is not there and an object that is not there are both 404; only the latter names what it looked for.
fn is_unknown_kind(status: &Status) -> bool {
    status
        .details
        .as_ref()
        .is_none_or(|details| details.name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(code: u16, message: &str) -> Error {
        let status = Status {
            code,
            message: message.into(),
            ..Status::default()
        };
        Error::api("list syncs")(kube::Error::Api(Box::new(status)))
    }

    #[test]
    fn the_words_of_the_api_server_are_shown_once() {
        let error = refused(403, "syncs.flux.rs is forbidden");
        assert_eq!(
            error.chain(),
            "cannot list syncs: syncs.flux.rs is forbidden"
        );
    }

    #[test]
    fn a_missing_kind_leads_to_install() {
        let hint = refused(404, "404 page not found").hint().expect("a hint");
        assert!(hint.contains("kubectl flux install"), "{hint}");
    }

    #[test]
    fn only_usage_ends_with_two() {
        assert_eq!(Error::usage("a", "b").exit_code(), 2);
        assert_eq!(refused(500, "boom").exit_code(), 1);
    }
}
