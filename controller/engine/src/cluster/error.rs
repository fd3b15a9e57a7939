//! What can go wrong between us and an API server, and what to do about it.

use std::fmt;

use http::StatusCode;
use kube::core::Status;
use serde::{Deserialize, Deserializer};

/// A failed request to the API server.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The API server answered with an error.
    #[error("{0}")]
    Rejected(Rejection),
    /// The API server could not be reached, or the answer broke off.
    #[error("API server not reachable")]
    Unreachable(#[source] kube::Error),
    /// The answer is not what the API promises.
    #[error("unexpected answer of the API server to {action}")]
    Answer {
        /// What was asked.
        action: &'static str,
        /// Why it cannot be read.
        #[source]
        source: serde_json::Error,
    },
    /// What answers is something else. What it says is left out: it may be any server, and not the reader's to ask.
    #[error("what answers there is not a Kubernetes API server")]
    NoApiServer,
    /// The request could not be built from the names given.
    #[error("not a valid request path: {path}")]
    Path {
        /// The path in question.
        path: String,
        /// Why it is not one.
        #[source]
        source: http::Error,
    },
    /// No such kind is served.
    #[error(
        "no matches for kind \"{kind}\" in version \"{api_version}\": install its CustomResourceDefinition first, or correct apiVersion and kind"
    )]
    UnknownKind {
        /// `group/version` of the object.
        api_version: String,
        /// Kind of the object.
        kind: String,
    },
    /// It took too long.
    #[error("not ready within {} s: {state}", limit.as_secs())]
    NotInTime {
        /// The time it was given.
        limit: std::time::Duration,
        /// How far it came.
        state: String,
    },
    /// Discovery itself failed, so that nothing is known about the kinds.
    #[error("discovery of the served kinds failed")]
    Discovery(#[source] Box<Self>),
}

/// What to do about an error, in the words of the controller's retry rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// It may go away by itself: try again soon.
    Transient,
    /// Someone has to change the manifest, the rights or the cluster: try again at the retry interval.
    Permanent,
}

impl Error {
    /// Returns the API server's rejection, if that is what this is.
    pub fn rejection(&self) -> Option<&Rejection> {
        match self {
            Self::Rejected(rejection) => Some(rejection),
            _ => None,
        }
    }

    /// Tells whether the API server says that the object, or its kind, does not exist.
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::UnknownKind { .. }) || self.has_code(StatusCode::NOT_FOUND)
    }

    /// Tells whether the actor lacks the right.
    pub fn is_forbidden(&self) -> bool {
        self.has_code(StatusCode::FORBIDDEN)
    }

    /// Tells whether the object changed or was replaced meanwhile.
    pub fn is_conflict(&self) -> bool {
        self.has_code(StatusCode::CONFLICT)
    }

    fn has_code(&self, code: StatusCode) -> bool {
        self.rejection()
            .is_some_and(|rejection| rejection.code == code.as_u16())
    }

    /// Returns the retry class.
    pub fn class(&self) -> Class {
        match self {
            Self::Unreachable(_)
            | Self::Discovery(_)
            | Self::Answer { .. }
            | Self::NoApiServer
            | Self::NotInTime { .. } => Class::Transient,
            Self::Path { .. } | Self::UnknownKind { .. } => Class::Permanent,
            Self::Rejected(rejection) => rejection.class(),
        }
    }
}

/// The reason that `kube` gives to an answer that it cannot read.
const UNREAD: &str = "Failed to parse error data";
/// What stands for the answer of something that is no API server.
const LEFT_OUT: &str = "the answer is not one of an API server, and is left out";

/// The API server's `Status` of a refused request (`meta/v1`).
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Rejection {
    /// Whether its kind says that it is one.
    #[serde(rename = "kind", deserialize_with = "is_status")]
    is_status: bool,
    /// HTTP status code.
    pub code: u16,
    /// Machine-readable reason, such as `Invalid` or `Forbidden`.
    pub reason: String,
    /// The server's sentence.
    pub message: String,
    /// The single causes, with their field paths.
    pub details: Option<Details>,
}

/// The part of `Status.details` that we read.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Details {
    /// One entry for each field that was refused.
    pub causes: Vec<Cause>,
    /// Seconds to wait before trying again, when the server says so.
    pub retry_after_seconds: u32,
}

/// One refused field.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Cause {
    /// Machine-readable cause, such as `FieldValueInvalid`.
    pub reason: String,
    /// What is wrong with the value.
    pub message: String,
    /// Path of the field.
    pub field: String,
}

/// How Kubernetes words the refusal to change a field that cannot be changed: apimachinery's `FieldImmutableErrorMsg`,
/// and the validation of `PersistentVolumeClaim`, `Service` and `StatefulSet` (`pkg/apis/*/validation`), which have their own.
const IMMUTABLE: [&str; 4] = [
    "field is immutable",
    "is immutable after creation",
    "may not change once set",
    "updates to statefulset spec for fields other than",
];

/// How the API server begins to say that a field has a value of the wrong type.
const TYPE_ERROR: &str = "failed to create typed patch object";

fn is_status<'de, D: Deserializer<'de>>(kind: D) -> Result<bool, D::Error> {
    Ok(String::deserialize(kind)? == "Status")
}

impl Rejection {
    /// Reads the body of an error answer. Of a body that is no `Status` nothing is kept: behind the address of a kubeconfig
    /// may stand any server that the controller can reach.
    pub(crate) fn read(code: StatusCode, body: &[u8]) -> Self {
        let read: Option<Self> = serde_json::from_slice(body).ok();
        let status = read.filter(Self::is_of_an_api_server);
        let mut rejection = status.unwrap_or_else(|| Self {
            message: LEFT_OUT.to_owned(),
            ..Self::default()
        });
        rejection.code = code.as_u16();
        if rejection.reason.is_empty() {
            code.canonical_reason()
                .unwrap_or("Unknown")
                .clone_into(&mut rejection.reason);
        }
        rejection.correct_type_error();
        rejection
    }

    /// A value of the wrong type is the manifest's mistake, but the API server calls it an internal error of its own, and
    /// prints a Go structure (`managedfields/internal/structuredmerge.go`).
    fn correct_type_error(&mut self) {
        if !self.message.starts_with(TYPE_ERROR) {
            return;
        }
        self.code = StatusCode::UNPROCESSABLE_ENTITY.as_u16();
        "Invalid".clone_into(&mut self.reason);
        if let Some((_, fields)) = self.message.split_once("): ") {
            self.message = fields
                .replace("&value.valueUnstructured{Value:", "")
                .replace('}', "");
        }
    }

    /// Returns what `kube` read of an error answer, without what no API server said: it takes any body for a `Status`.
    pub fn of(status: &Status) -> Self {
        let Status {
            code,
            reason,
            message,
            ..
        } = status;
        let is_read = status.is_failure() && reason != UNREAD;
        let text = |text: &str, other: &str| if is_read { text } else { other }.to_owned();
        Self {
            is_status: is_read,
            code: *code,
            reason: text(reason, "Unknown"),
            message: text(message, LEFT_OUT),
            details: None,
        }
    }

    /// Tells whether it has the form in which API servers refuse.
    pub(crate) fn is_of_an_api_server(&self) -> bool {
        self.is_status
    }

    fn causes(&self) -> &[Cause] {
        self.details.as_ref().map_or(&[], |details| &details.causes)
    }

    /// Returns the paths of the refused fields.
    pub fn fields(&self) -> impl Iterator<Item = &str> {
        let in_message = self.message.split_once(": expected ").map(|(path, _)| path);
        let in_message = in_message.filter(|path| path.starts_with('.') && !path.contains(' '));
        self.causes()
            .iter()
            .map(|cause| cause.field.as_str())
            .filter(|field| !field.is_empty())
            .chain(in_message)
    }

    /// Tells whether immutable fields, and nothing else, are why the object was refused: the one case in which deleting
    /// and creating it anew can help.
    pub fn is_immutable_field(&self) -> bool {
        let immutable = |cause: &Cause| IMMUTABLE.iter().any(|words| cause.message.contains(words));
        self.reason == "Invalid" && !self.causes().is_empty() && self.causes().iter().all(immutable)
    }

    /// Tells whether the namespace of the object is what is missing.
    pub fn is_missing_namespace(&self) -> bool {
        self.code == 404 && self.message.starts_with("namespaces \"")
    }

    /// Tells whether the actor lacks the right, in the words of `apiserver/pkg/endpoints/handlers/responsewriters`; admission
    /// forbids in other words.
    pub fn is_missing_right(&self) -> bool {
        self.code == 403 && self.message.contains(" is forbidden: User \"")
    }

    fn class(&self) -> Class {
        match self.code {
            408 | 409 | 429 | 500..=599 => Class::Transient,
            // Whoever grants a right may be about to; and an API server that starts refuses everything until it has read its
            // roles.
            _ if self.is_missing_right() => Class::Transient,
            _ => Class::Permanent,
        }
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.reason, self.message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rejection(causes: &[&str]) -> Rejection {
        let causes = causes
            .iter()
            .map(|message| Cause {
                message: (*message).to_owned(),
                ..Cause::default()
            })
            .collect();
        Rejection {
            code: 422,
            reason: "Invalid".to_owned(),
            details: Some(Details {
                causes,
                ..Details::default()
            }),
            ..Rejection::default()
        }
    }

    #[test]
    fn a_missing_right_may_come_and_what_admission_forbids_stays() {
        let forbidden = |message: &str| Rejection {
            code: 403,
            reason: "Forbidden".to_owned(),
            message: message.to_owned(),
            ..Rejection::default()
        };
        let missing = r#"configmaps "one" is forbidden: User "jane" cannot patch resource "configmaps" in API group "" in the namespace "web""#;
        assert_eq!(forbidden(missing).class(), Class::Transient);
        let quota = r#"pods "one" is forbidden: exceeded quota: small, requested: pods=1, used: pods=2, limited: pods=2"#;
        assert_eq!(forbidden(quota).class(), Class::Permanent);
    }

    #[test]
    fn only_the_precise_cause_counts_as_immutable() {
        assert!(rejection(&["Invalid value: {}: field is immutable"]).is_immutable_field());
        assert!(!rejection(&["Required value"]).is_immutable_field());
        assert!(
            !rejection(&[]).is_immutable_field(),
            "an Invalid without causes says nothing about immutability"
        );
    }

    #[test]
    fn another_mistake_beside_an_immutable_field_never_recreates() {
        assert!(!rejection(&["field is immutable", "Required value"]).is_immutable_field());
    }

    #[test]
    fn a_value_of_the_wrong_type_is_the_manifests_mistake() {
        let body = r#"{"kind":"Status","code":500,"message":"failed to create typed patch object (a/b; /v1, Kind=ConfigMap): .data.a: expected string, got &value.valueUnstructured{Value:1}"}"#;
        let read = Rejection::read(StatusCode::INTERNAL_SERVER_ERROR, body.as_bytes());
        assert_eq!(read.to_string(), "Invalid: .data.a: expected string, got 1");
        assert_eq!(
            read.class(),
            Class::Permanent,
            "a retry would fail the same way"
        );
    }

    #[test]
    fn of_a_body_that_is_no_status_nothing_is_repeated() {
        let bodies: [&[u8]; 3] = [
            b"<p>intern</p>",
            br#"{"message":"intern","reason":"intern","code":403}"#,
            br#"["intern"]"#,
        ];
        for body in bodies {
            let read = Rejection::read(StatusCode::BAD_GATEWAY, body);
            assert!(!format!("{read:?}").contains("intern"), "{read:?}");
            assert!(read.to_string().starts_with("Bad Gateway: "), "{read}");
            assert_eq!(read.class(), Class::Transient);
            let text = std::str::from_utf8(body).unwrap();
            let unread = Status::failure(text, UNREAD).with_code(502);
            let read = serde_json::from_str(text).unwrap_or(unread);
            let read = format!("{:?}", Rejection::of(&read));
            assert!(!read.contains("intern"), "{read}");
        }
        let refused = Status::failure("pods is forbidden", "Forbidden").with_code(403);
        let read = Rejection::of(&refused);
        assert_eq!(read.to_string(), "Forbidden: pods is forbidden");
    }
}
