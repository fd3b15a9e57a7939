//! Where to tell people and systems what happened.

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::SecretReference;

/// One receiver of notifications. They are sent beside the work and never hold it up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("has(self.url) != has(self.secretRef)").message("set exactly one of url and secretRef"))]
pub struct Notification {
    /// What kind of receiver it is: `Slack`, `MSTeams`, `Discord`, `Matrix`, `Webhook`, `GitHubStatus`, `GitLabStatus`,
    /// `GiteaStatus`, `Alertmanager` or `FluxV1`.
    pub kind: NotificationKind,
    /// Where to send to, when the URL itself is no secret. Example: `https://hooks.example.com/deployments`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 2048))]
    pub url: Option<String>,
    /// A Secret of this namespace with `url` and, as the kind needs them, `token`, `channel`, `ca.crt`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_ref: Option<SecretReference>,
    /// What to tell of. Default: everything that the kind of object reports. Example: `[Failed, RolledBack]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 5))]
    pub on: Vec<NotificationEvent>,
}

/// The kinds of receivers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
// The field says it all; a description here would take the place of the field's.
#[schemars(description = "")]
pub enum NotificationKind {
    /// A Slack incoming webhook or channel.
    Slack,
    /// A Microsoft Teams webhook.
    #[serde(rename = "MSTeams")]
    MsTeams,
    /// A Discord webhook.
    Discord,
    /// A Matrix room.
    Matrix,
    /// Any HTTP endpoint; the body is the event as JSON.
    Webhook,
    /// The commit status on GitHub.
    GitHubStatus,
    /// The commit status on GitLab.
    GitLabStatus,
    /// The commit status on Gitea or Forgejo.
    GiteaStatus,
    /// A Prometheus Alertmanager.
    Alertmanager,
    /// A receiver of Flux v1's events.
    FluxV1,
}

/// What can be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
// The field says it all; a description here would take the place of the field's.
#[schemars(description = "")]
pub enum NotificationEvent {
    /// A revision was applied.
    Applied,
    /// A reconcile failed.
    Failed,
    /// The last good revision was restored.
    RolledBack,
    /// The cluster was changed by hand.
    Drift,
    /// A newer image was committed.
    ImageUpdate,
}
