//! `GitRepository`: where the desired state is.

mod status;

use std::time;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Duration, Notification, SecretReference, duration};

pub use status::{CommitSummary, GitRepositoryStatus, LastWrite, Verification};

const DEFAULT_INTERVAL: time::Duration = time::Duration::from_mins(1);
const DEFAULT_TIMEOUT: time::Duration = time::Duration::from_mins(1);

/// What a user asks of a repository.
#[derive(CustomResource, Clone, Debug, Default, PartialEq, Serialize, Deserialize, KubeSchema)]
#[kube(
    group = "flux.rs",
    version = "v1alpha1",
    kind = "GitRepository",
    plural = "gitrepositories",
    shortname = "gitrepo",
    category = "flux",
    namespaced,
    status = "GitRepositoryStatus",
    derive = "PartialEq",
    doc = "GitRepository follows one reference of a git repository and serves its revision to Syncs.",
    printcolumn(
        name = "Ready",
        type_ = "string",
        json_path = r#".status.conditions[?(@.type=="Ready")].status"#
    ),
    printcolumn(name = "Revision", type_ = "string", json_path = ".status.revision"),
    printcolumn(
        name = "Age",
        type_ = "date",
        json_path = ".metadata.creationTimestamp"
    ),
    printcolumn(
        name = "Message",
        type_ = "string",
        json_path = r#".status.conditions[?(@.type=="Ready")].message"#
    ),
    printcolumn(name = "URL", type_ = "string", json_path = ".spec.url", priority = 1),
    printcolumn(
        name = "Suspended",
        type_ = "boolean",
        json_path = ".spec.suspend",
        priority = 1
    )
)]
#[serde(rename_all = "camelCase")]
pub struct GitRepositorySpec {
    /// The address of the repository: `https://`, `ssh://`, `git@host:path`, or `http://` and `file://` where the
    /// controller allows them. Credentials do not belong here but into `secretRef`.
    /// Example: `https://github.com/org/fleet`.
    #[schemars(length(min = 1, max = 2048))]
    #[x_kube(
        validation = Rule::new(r"self.matches('^(https?|ssh|file)://[^\\s]+$') || self.matches('^[A-Za-z0-9_.][A-Za-z0-9_.-]*@[A-Za-z0-9_.\\[][^\\s:/]*:[^\\s]+$')").message("must be https://…, ssh://…, user@host:path, http://… or file://…"),
        validation = Rule::new("!self.matches('^[a-z]+://[^/@]*:[^/]*@')").message("must not hold a password; put it into a Secret and name that in secretRef")
    )]
    pub url: String,
    /// What to follow: a branch, a tag, a version range, a name or a commit. Default: the remote's default branch.
    #[serde(default, rename = "ref", skip_serializing_if = "Option::is_none")]
    pub reference: Option<GitReference>,
    /// How often to ask the remote for a new revision. Default: `1m`. Example: `30s`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<Duration>,
    /// How long one operation with the remote may take. Default: `1m`. Example: `5m` for a very large repository.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Duration>,
    /// When to try again after a failure. Default: a backoff that starts with seconds and ends at the interval.
    /// Example: `15s`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_interval: Option<Duration>,
    /// The credentials, in a Secret of this namespace: `username` and `password`, or `bearerToken`, or `identity` and
    /// `known_hosts` (and `password` of the key); beside them `ca.crt`, or `tls.crt` and `tls.key`.
    /// Default: none, the repository is public.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_ref: Option<SecretReference>,
    /// The proxy, in a Secret of this namespace: `address`, and `username` and `password` where it asks for them.
    /// Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proxy_secret_ref: Option<SecretReference>,
    /// Which signatures a revision must have before it is served. While the newest has none, the last verified revision
    /// stays served. Default: signatures are not looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verify: Option<Verify>,
    /// Paths that Syncs do not see, in the syntax of .gitignore; added to the repository's own `.sourceignore`.
    /// Default: nothing is ignored. Example: `docs/`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 16384))]
    pub ignore: Option<String>,
    /// Whether submodules are fetched too, with the same credentials when they are on the same host. Default: `false`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recurse_submodules: Option<bool>,
    /// Which other namespaces may refer to this repository. Default: none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64))]
    pub access_from: Vec<AccessFrom>,
    /// How image updates are committed to this repository. Default: absent, which is read-only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub write: Option<Write>,
    /// Lets the git server tell of a push, so that it is fetched at once. The path to call is in `status.webhookPath`.
    /// Default: absent, the remote is asked at each interval.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub webhook: Option<Webhook>,
    /// Who is told of what happens. Default: nobody.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    pub notify: Vec<Notification>,
    /// Whether to stop asking the remote; the last revision stays served. Default: `false`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suspend: Option<bool>,
}

impl GitRepositorySpec {
    /// Returns how often to ask the remote.
    pub fn interval(&self) -> Result<time::Duration, duration::Error> {
        self.interval
            .as_ref()
            .map_or(Ok(DEFAULT_INTERVAL), Duration::get)
    }

    /// Returns how long one operation with the remote may take.
    pub fn timeout(&self) -> Result<time::Duration, duration::Error> {
        self.timeout
            .as_ref()
            .map_or(Ok(DEFAULT_TIMEOUT), Duration::get)
    }

    /// Returns when to try again after a failure, if the user says so.
    pub fn retry_interval(&self) -> Result<Option<time::Duration>, duration::Error> {
        self.retry_interval.as_ref().map(Duration::get).transpose()
    }

    /// Returns whether a person stopped this repository.
    pub fn is_suspended(&self) -> bool {
        self.suspend.unwrap_or(false)
    }
}

/// What to follow in a repository; at most one field is set.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new(
    "(has(self.branch) ? 1 : 0) + (has(self.tag) ? 1 : 0) + (has(self.semver) ? 1 : 0) + (has(self.name) ? 1 : 0) + (has(self.commit) ? 1 : 0) <= 1"
).message("set at most one of branch, tag, semver, name and commit"))]
pub struct GitReference {
    /// The head of this branch. Example: `main`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255), regex(pattern = r"^[^-\s][^\s]*$"))]
    pub branch: Option<String>,
    /// This tag. Example: `v1.2.0`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255), regex(pattern = r"^[^-\s][^\s]*$"))]
    pub tag: Option<String>,
    /// The highest tag in this range of versions. Example: `>=1.2.0 <2.0.0`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255))]
    pub semver: Option<String>,
    /// The reference of exactly this name. Example: `refs/pull/42/head`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255), regex(pattern = r"^[^-\s][^\s]*$"))]
    pub name: Option<String>,
    /// This commit and no other: 40 or 64 hexadecimal digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64), regex(pattern = r"^([0-9a-f]{40}|[0-9a-f]{64})$"))]
    pub commit: Option<String>,
}

/// Which signatures a revision must have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Verify {
    /// What must be signed: `Head` the commit, `Tag` the tag that is followed, `TagAndHead` both, `FirstParent` every
    /// commit from the last verified one to the head along first parents. Default: `Head`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<VerifyMode>,
    /// The trusted keys, in a Secret of this namespace: OpenPGP public keys under names that end in `.asc`, SSH public
    /// keys under names that end in `.pub` or `.sshpub`.
    pub secret_ref: SecretReference,
}

impl Verify {
    /// Returns what must be signed.
    pub fn mode(&self) -> VerifyMode {
        self.mode.unwrap_or_default()
    }
}

/// What must be signed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
// The field says it all; a description here would take the place of the field's.
#[schemars(description = "")]
pub enum VerifyMode {
    /// The commit that is served.
    #[default]
    Head,
    /// The tag that is followed.
    Tag,
    /// The tag and the commit.
    TagAndHead,
    /// Every commit since the last verified one, along first parents.
    FirstParent,
}

/// Namespaces that may refer to this repository, by name or by labels.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("has(self.namespace) != has(self.namespaceSelector)").message("set exactly one of namespace and namespaceSelector"))]
pub struct AccessFrom {
    /// The namespace of this name. Example: `team-a`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 63))]
    pub namespace: Option<String>,
    /// All namespaces with these labels; an empty selector is every namespace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace_selector: Option<LabelSelector>,
}

/// How image updates are committed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Write {
    /// The branch to push to. It may differ from `spec.ref` when changes go through pull requests: then it is created
    /// when it is missing, continued while it holds commits that are not in `spec.ref`, and started afresh when it has
    /// been merged. Example: `main`.
    #[schemars(length(min = 1, max = 255), regex(pattern = r"^[^-\s][^\s]*$"))]
    pub branch: String,
    /// Who the author of the commits is. Default: `flux` with the address `flux@<controller's namespace>`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author: Option<Author>,
    /// The template of the commit message, in the syntax of Jinja. Fields: `message` is the whole default message, made of
    /// `subject`, `body` (a line for each change) and `trailers`; `author`; `branch`; `changes`, each with `policy`,
    /// `image`, `tag`, `file`, `line`, `object`, `container`, `old` and `new`. There are `{{ field }}`,
    /// `{% for change in changes %}`, `{% if field %}`, `{% else %}` and their ends, and nothing else. The first line must
    /// not be empty. Default: `{{ message }}`. Example: `{{ subject }} [ci skip]`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 4096))]
    pub message: Option<String>,
    /// The key that signs the commits. Default: commits are not signed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signing_key: Option<SigningKey>,
}

/// The author of commits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Author {
    /// The name. Example: `Fleet Bot`.
    #[schemars(length(min = 1, max = 255))]
    pub name: String,
    /// The e-mail address. Example: `fleet-bot@example.com`.
    #[schemars(length(min = 1, max = 255))]
    pub email: String,
}

/// The key that signs commits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SigningKey {
    /// A Secret of this namespace with `git.asc`, an armored OpenPGP private key of which the newest subkey that may
    /// sign is used, or `identity`, an SSH private key; and `password`, if the key is encrypted.
    pub secret_ref: SecretReference,
}

/// How a git server tells of a push.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Webhook {
    /// A Secret of this namespace with the shared `token` that signs the calls.
    pub secret_ref: SecretReference,
    /// Which server calls: `GitHub`, `GitLab`, `Gitea`, `Bitbucket` or `Generic`.
    pub kind: WebhookKind,
}

/// The git servers whose calls are understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
// The field says it all; a description here would take the place of the field's.
#[schemars(description = "")]
pub enum WebhookKind {
    /// GitHub and GitHub Enterprise.
    GitHub,
    /// GitLab.
    GitLab,
    /// Gitea and Forgejo.
    Gitea,
    /// Bitbucket, cloud and server.
    Bitbucket,
    /// Anything that signs its call with the token.
    Generic,
}
