//! Where to tell people and systems what happened.

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::SecretReference;

/// One receiver of notifications. They are sent beside the work and never hold it up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("has(self.url) != has(self.secretRef)").message("set exactly one of url and secretRef"),
    validation = Rule::new("!(self.kind in ['Matrix', 'GitHubStatus', 'GitLabStatus', 'GiteaStatus']) || has(self.secretRef)").message("this kind needs a token: put it into a Secret as token and name that in secretRef"),
    validation = Rule::new("self.kind == 'FluxV1' || !has(self.url) || self.url.startsWith('http')").message("url must be http://… or https://…")
)]
pub struct Notification {
    /// What kind of receiver it is: `Slack`, `MSTeams`, `Discord`, `Matrix`, `Webhook`, `GitHubStatus`, `GitLabStatus`,
    /// `GiteaStatus`, `Alertmanager` or `FluxV1`. The status of a commit is for Syncs only: nothing else applies commits. It is pending
    /// from the first change of a new revision on, if `on` leaves out none of `Applied`, `Failed` and `RolledBack`.
    pub kind: NotificationKind,
    /// Where to send to, when the URL itself is no secret; the webhooks of Slack, Microsoft Teams and Discord are secrets.
    /// Of `Alertmanager` and `FluxV1` it is the address of the server. Example: `http://fluxcloud.monitoring:3031`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 2048))]
    #[x_kube(
        validation = Rule::new("self.matches('^(https?|wss?)://[^\\\\s/@]+([/?][^\\\\s]*)?$')").message("must be http://… or https://… and hold no password; what is secret belongs into the Secret that secretRef names")
    )]
    pub url: Option<String>,
    /// A Secret of this namespace, which the account of a Sync must be allowed to read, with `url`, or what the kind has instead, and `ca.crt` where a server has a certificate
    /// of its own. `token` is: of `Slack` the bot's, to be used with `channel` and no `url`; of `Matrix` the access token, with
    /// the room in `channel`; of `Webhook` the key of the HMAC in `X-Signature`; of `FluxV1` the service token; of
    /// `Alertmanager` a bearer token; of a commit status the access token, and `url` is then the API of a server that the
    /// repository's address does not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_ref: Option<SecretReference>,
    /// What to tell of. Who is told of a failure is told of its end too. A commit status and an Alertmanager are told of no
    /// more than they can show. Default: everything that the kind of object reports. Example: `[Failed, RolledBack]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 5))]
    pub on: Vec<NotificationEvent>,
    /// The text of the message, in the syntax of Jinja, with the fields `event`, `kind`, `namespace`, `name`, `cluster`,
    /// `revision`, `commit`, `subject`, `author`, `url`, `reason`, `message` and `changes`. Default: a text that says all of
    /// it. Example: `{{ name }} is at {{ commit }}: {{ message }}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 8192))]
    pub template: Option<String>,
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

impl NotificationKind {
    /// Returns the name, as the spec has it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Slack => "Slack",
            Self::MsTeams => "MSTeams",
            Self::Discord => "Discord",
            Self::Matrix => "Matrix",
            Self::Webhook => "Webhook",
            Self::GitHubStatus => "GitHubStatus",
            Self::GitLabStatus => "GitLabStatus",
            Self::GiteaStatus => "GiteaStatus",
            Self::Alertmanager => "Alertmanager",
            Self::FluxV1 => "FluxV1",
        }
    }
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

/// What the receivers in `spec.notify` were last told, so that nothing is told twice, also after a restart.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Notified {
    /// The revision that it was about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revision: Option<String>,
    /// The `metadata.generation` of the spec that it was about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub generation: Option<i64>,
    /// The revision of which was told that it begins to be applied, until its end is told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub begun: Option<String>,
    /// The reasons of the failures that were told since it was last well; empty while it is.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub failures: Vec<String>,
}
