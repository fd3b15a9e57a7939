//! `ImagePolicy`: which image of a registry to run, and where that is written down.

mod status;
mod update;
mod webhook;

use std::time;

use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Duration, Notification, SecretReference, duration};

pub use status::{ImagePolicyStatus, ImageReference, LastUpdate, Scan};
pub use update::{Lock, RepositoryReference, Update, UpdateStrategy};
pub use webhook::{ImageWebhook, ImageWebhookKind};

const DEFAULT_INTERVAL: time::Duration = time::Duration::from_mins(5);
const DEFAULT_TIMEOUT: time::Duration = time::Duration::from_mins(1);

/// What a user asks of an image.
#[derive(CustomResource, Clone, Debug, Default, PartialEq, Serialize, Deserialize, KubeSchema)]
#[kube(
    group = "flux.rs",
    version = "v1alpha1",
    kind = "ImagePolicy",
    plural = "imagepolicies",
    shortname = "imgpol",
    category = "flux",
    namespaced,
    status = "ImagePolicyStatus",
    derive = "PartialEq",
    doc = "ImagePolicy watches the tags of an image, chooses one, and commits it to git.",
    printcolumn(
        name = "Ready",
        type_ = "string",
        json_path = r#".status.conditions[?(@.type=="Ready")].status"#
    ),
    printcolumn(name = "Image", type_ = "string", json_path = ".spec.image"),
    printcolumn(name = "Tag", type_ = "string", json_path = ".status.latest.tag"),
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
    printcolumn(
        name = "Suspended",
        type_ = "boolean",
        json_path = ".spec.suspend",
        priority = 1
    )
)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("!(has(self.secretRef) && has(self.serviceAccountName))").message("set at most one of secretRef and serviceAccountName"))]
pub struct ImagePolicySpec {
    /// The image, without scheme, tag and digest. Example: `ghcr.io/org/app`.
    #[schemars(length(min = 1, max = 512))]
    #[x_kube(validation = Rule::new("!self.contains('://') && !self.contains('@')").message("must be an image without scheme and digest, such as ghcr.io/org/app"))]
    pub image: String,
    /// How often to ask the registry for new tags. Default: `5m`. Example: `1m`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<Duration>,
    /// How long one operation with the registry may take. Default: `1m`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Duration>,
    /// When to try again after a failure. Default: a backoff that starts with seconds and ends at the interval.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_interval: Option<Duration>,
    /// The credentials, in a Secret of this namespace of type `kubernetes.io/dockerconfigjson`. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_ref: Option<SecretReference>,
    /// A service account of this namespace whose `imagePullSecrets` are the credentials. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub service_account_name: Option<String>,
    /// Certificates, in a Secret of this namespace: `ca.crt`, or `tls.crt` and `tls.key`. Default: the system's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cert_secret_ref: Option<SecretReference>,
    /// Whether the registry is spoken to without TLS. Default: `false`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub insecure: Option<bool>,
    /// Which tags count. Default: all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filter: Option<Filter>,
    /// Which of the tags is the one to run.
    pub policy: Policy,
    /// Whether the digest is written behind the tag: `Never`, `IfPinned` where there is one already, `Always`.
    /// Default: `IfPinned`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<DigestMode>,
    /// The platform that an image must exist for. Default: any. Example: `linux/amd64`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(
        length(max = 64),
        regex(pattern = r"^[a-z0-9]+/[a-z0-9]+(/[a-z0-9]+)?$")
    )]
    pub platform: Option<String>,
    /// Whether a lower version may follow a higher one, for example when a tag was withdrawn. Default: `false`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allow_downgrade: Option<bool>,
    /// Holds the image as it is. Set by `kubectl flux lock`, cleared by `kubectl flux unlock`. Default: absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lock: Option<Lock>,
    /// Where the chosen image is written down. Default: nowhere, it is only shown in the status.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 32))]
    pub update: Vec<Update>,
    /// Lets the registry tell of a new image, so that it is looked at once. The path to call is in `status.webhookPath`.
    /// Default: absent, the registry is asked at each interval.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub webhook: Option<ImageWebhook>,
    /// Who is told of what happens. Default: nobody.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    pub notify: Vec<Notification>,
    /// Whether to stop asking the registry and committing. Default: `false`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suspend: Option<bool>,
}

impl ImagePolicySpec {
    /// Returns how often to ask the registry.
    pub fn interval(&self) -> Result<time::Duration, duration::Error> {
        self.interval
            .as_ref()
            .map_or(Ok(DEFAULT_INTERVAL), Duration::get)
    }

    /// Returns how long one operation with the registry may take.
    pub fn timeout(&self) -> Result<time::Duration, duration::Error> {
        self.timeout
            .as_ref()
            .map_or(Ok(DEFAULT_TIMEOUT), Duration::get)
    }

    /// Returns when to try again after a failure, if the user says so.
    pub fn retry_interval(&self) -> Result<Option<time::Duration>, duration::Error> {
        self.retry_interval.as_ref().map(Duration::get).transpose()
    }

    /// Returns whether a person stopped this policy.
    pub fn is_suspended(&self) -> bool {
        self.suspend.unwrap_or(false)
    }
}

/// Which tags count.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Filter {
    /// A regular expression, or a glob with `glob:` in front, that a whole tag must match. Default: every tag.
    /// Example: `^main-[0-9a-f]+-(?P<ts>[0-9]+)$`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 1024))]
    pub include: Option<String>,
    /// The part of a tag that is compared, by the groups of `include`: `$ts`, `${ts}`, `$1`, and of a glob `$1` for
    /// its first `*`. Default: the whole tag. Example: `$ts`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 1024))]
    pub extract: Option<String>,
    /// Regular expressions, found anywhere in a tag, of tags that do not count, also when `include` matches.
    /// Signatures and attestations (`….sig`, `sha256-…`) never count. Default: no others. Example: `-rc`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 25), inner(length(min = 1, max = 1024)))]
    pub exclude: Vec<String>,
}

/// Which of the tags is the one to run; exactly one field is set.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[x_kube(validation = Rule::new(
    "(has(self.semver) ? 1 : 0) + (has(self.numerical) ? 1 : 0) + (has(self.alphabetical) ? 1 : 0) + (has(self.newest) ? 1 : 0) == 1"
).message("set exactly one of semver, numerical, alphabetical and newest"))]
pub struct Policy {
    /// The highest version in a range. Tags such as `1.2` count only where no tag of the range has all three numbers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub semver: Option<SemverPolicy>,
    /// The largest or smallest number: digits of any length, with or without a decimal point.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub numerical: Option<OrderPolicy>,
    /// The last or first text, by its bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alphabetical: Option<OrderPolicy>,
    /// The image that was created last. It asks the registry about each tag, which is slow for many tags. The tag
    /// `latest` counts only if `include` is `latest`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub newest: Option<NewestPolicy>,
}

/// The highest version in a range.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SemverPolicy {
    /// The range: comparisons, `~1.2`, `^1.2`, `1.x`, `1.0 - 2.0`, `||`. Pre-releases count only if the range names
    /// one, as in `>=1.2.0-0`. Example: `>=1.2.0 <2.0.0`.
    #[schemars(length(min = 1, max = 255))]
    pub range: String,
}

/// One end of an order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OrderPolicy {
    /// `Ascending` chooses the last of the rising order, which is the largest, `Descending` the smallest.
    /// Default: `Ascending`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<Order>,
}

/// The direction of an order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
// The field says it all; a description here would take the place of the field's.
#[schemars(description = "")]
pub enum Order {
    /// The largest is chosen.
    #[default]
    Ascending,
    /// The smallest is chosen.
    Descending,
}

/// The image that was created last.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NewestPolicy {}

/// Whether the digest is written behind the tag.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
// The field says it all; a description here would take the place of the field's.
#[schemars(description = "")]
pub enum DigestMode {
    /// Never.
    Never,
    /// Where there is one already.
    #[default]
    IfPinned,
    /// Always.
    Always,
}
