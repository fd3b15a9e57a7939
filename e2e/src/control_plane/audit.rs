//! What the API server was asked, by whom.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{BufRead as _, BufReader, Seek as _, SeekFrom},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use serde::Deserialize;

/// The API server's log of answered requests.
#[derive(Debug, Clone)]
pub struct AuditLog {
    path: PathBuf,
    from: u64,
}

/// One answered request.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Request {
    /// get, list, watch, create, update, patch, delete, deletecollection.
    pub verb: String,
    /// Path and query.
    #[serde(rename = "requestURI")]
    pub uri: String,
    /// The program that asked, as it calls itself.
    #[serde(default)]
    pub user_agent: String,
    /// Who asked.
    pub user: User,
    /// In whose name it was asked, if not in the own.
    #[serde(default)]
    pub impersonated_user: Option<User>,
    /// What it was about; absent for `/readyz` and the like.
    #[serde(default)]
    pub object_ref: Option<ObjectRef>,
    /// How it was answered.
    #[serde(default)]
    pub response_status: Option<ResponseStatus>,
}

/// A user of the API server.
#[derive(Debug, Clone, Deserialize)]
pub struct User {
    /// The full name, such as `system:serviceaccount:apps:default`.
    #[serde(default)]
    pub username: String,
}

/// The object, or kind of objects, that a request was about.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ObjectRef {
    /// API group, empty for core.
    pub api_group: String,
    /// The plural, such as `configmaps`.
    pub resource: String,
    /// For example `status`; empty for the object itself.
    pub subresource: String,
    /// Empty for kinds without namespace and requests across namespaces.
    pub namespace: String,
    /// Empty for lists.
    pub name: String,
}

/// The answer to a request.
#[derive(Debug, Clone, Deserialize)]
pub struct ResponseStatus {
    /// The HTTP status.
    #[serde(default)]
    pub code: u16,
}

impl Request {
    /// Whether it was a dry run.
    pub fn is_dry_run(&self) -> bool {
        self.uri.contains("dryRun=All")
    }

    /// Whether it can have changed something.
    pub fn is_write(&self) -> bool {
        !self.is_dry_run()
            && ["create", "update", "patch", "delete", "deletecollection"]
                .contains(&self.verb.as_str())
    }
}

impl AuditLog {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path, from: 0 }
    }

    /// The file, one JSON object a line.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the log from this moment on.
    ///
    /// A request is in the log before its client has the answer.
    #[must_use]
    pub fn from_now(&self) -> Self {
        let from = std::fs::metadata(&self.path).map_or(0, |metadata| metadata.len());
        Self {
            path: self.path.clone(),
            from,
        }
    }

    /// Returns the requests since the log's beginning, or since [`Self::from_now`].
    pub fn requests(&self) -> Result<Vec<Request>> {
        let mut file =
            File::open(&self.path).with_context(|| format!("open {}", self.path.display()))?;
        file.seek(SeekFrom::Start(self.from))
            .context("skip what was before")?;
        let mut requests = Vec::new();
        for line in BufReader::new(file).lines() {
            let line = line.context("read the audit log")?;
            // The last line may be half written while the server goes on.
            requests.extend(serde_json::from_str::<Request>(&line));
        }
        Ok(requests)
    }

    /// Counts requests by verb, dry runs apart; only those of programs whose name starts with `user_agent`.
    pub fn count_by_verb(&self, user_agent: &str) -> Result<BTreeMap<String, usize>> {
        let mut counts = BTreeMap::new();
        for request in self.requests()? {
            if request.user_agent.starts_with(user_agent) {
                let dry = if request.is_dry_run() {
                    " (dry run)"
                } else {
                    ""
                };
                *counts.entry(format!("{}{dry}", request.verb)).or_default() += 1;
            }
        }
        Ok(counts)
    }
}
