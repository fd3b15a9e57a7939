//! The fields of built-in generators and transformers.

use crate::kustomization::shapes::{
    FIELD_SPEC, IMAGE, METADATA, REPLACEMENT, REPLICA, SECRET_GENERATOR, SELECTOR,
};
use crate::shape::Shape::{self, Fields, Flag, Integer, List, Text, Texts};

/// A ConfigMap or Secret.
pub(super) const GENERATOR: Shape = SECRET_GENERATOR;

/// The fields of all transformers.
pub(super) const TRANSFORMER: Shape = Fields(&[
    ("metadata", METADATA),
    ("path", Text),
    ("patch", Text),
    ("jsonOp", Text),
    ("target", SELECTOR),
    (
        "options",
        Fields(&[("allowNameChange", Flag), ("allowKindChange", Flag)]),
    ),
    ("paths", List(&Text)),
    ("patches", Text),
    ("fieldSpecs", List(&FIELD_SPEC)),
    ("unsetOnly", Flag),
    ("setRoleBindingSubjects", Text),
    ("labels", Texts),
    ("annotations", Texts),
    ("prefix", Text),
    ("suffix", Text),
    ("imageTag", IMAGE),
    ("replica", REPLICA),
    ("replacements", List(&REPLACEMENT)),
    ("value", Text),
    ("targets", List(&VALUE_TARGET)),
    ("targetFilePath", Text),
]);

/// Where a value is added.
pub(super) const VALUE_TARGET: Shape = Fields(&[
    ("selector", SELECTOR),
    ("fieldPath", Text),
    ("filePathPosition", Integer),
]);

/// A file of such targets.
pub(super) const VALUE_TARGETS: Shape = Fields(&[("targets", List(&VALUE_TARGET))]);
