//! What a Sync says itself about the health of single objects.

use std::collections::BTreeMap;

use flux_crds::sync::HealthExpressions;
use serde_json::Value;

use super::{Health, assess, unsettled};
use crate::cel::{self, Expression};
use crate::object::ObjectId;

/// An expression of the spec that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}")]
pub struct Invalid {
    /// The field of the expression, such as `cel.current`.
    pub field: &'static str,
    /// What is wrong with it.
    pub source: cel::Error,
}

/// When one object is healthy, in the words of its Sync.
#[derive(Debug)]
struct Rule {
    in_progress: Option<Expression>,
    failed: Option<Expression>,
    current: Expression,
}

impl Rule {
    fn compile(expressions: &HealthExpressions) -> Result<Self, Invalid> {
        let compile = |field, text: &str| {
            Expression::compile(text).map_err(|source| Invalid { field, source })
        };
        let optional = |field, text: &Option<String>| {
            text.as_deref().map(|text| compile(field, text)).transpose()
        };
        Ok(Self {
            in_progress: optional("cel.inProgress", &expressions.in_progress)?,
            failed: optional("cel.failed", &expressions.failed)?,
            current: compile("cel.current", &expressions.current)?,
        })
    }

    /// The first that is true decides. One without an answer, for a field that is not there yet, means to go on waiting.
    fn assess(&self, object: &Value) -> Health {
        let named = [
            ("inProgress", self.in_progress.as_ref()),
            ("failed", self.failed.as_ref()),
            ("current", Some(&self.current)),
        ];
        for (name, expression) in named {
            match expression.map(|expression| expression.holds_for(object)) {
                None | Some(Ok(false)) => {}
                Some(Ok(true)) if name == "inProgress" => {
                    return Health::in_progress("cel.inProgress is true");
                }
                Some(Ok(true)) if name == "failed" => return Health::failed("cel.failed is true"),
                Some(Ok(true)) => return Health::current("cel.current is true"),
                Some(Err(error)) => return Health::in_progress(format!("cel.{name}: {error}")),
            }
        }
        Health::in_progress("cel.current is not true yet")
    }
}

/// The rules of one Sync: its own for the objects that it names so, the built-in ones for all others.
#[derive(Debug, Default)]
pub struct Rules(BTreeMap<ObjectId, Rule>);

impl Rules {
    /// Adds the expressions for one object.
    ///
    /// # Errors
    /// An expression that does not compile.
    pub fn add(&mut self, id: ObjectId, expressions: &HealthExpressions) -> Result<(), Invalid> {
        self.0.insert(id, Rule::compile(expressions)?);
        Ok(())
    }

    /// Returns the health of a live object.
    ///
    /// Expressions are asked only about an object that is not being deleted and whose newest generation has been handled, as
    /// Flux v2 does it.
    pub fn assess(&self, id: &ObjectId, object: &Value) -> Health {
        match self.rule(id) {
            None => assess(object),
            Some(rule) => unsettled(object).unwrap_or_else(|| rule.assess(object)),
        }
    }

    /// Returns the rule for an object. One of a kind without namespaces may have been given a namespace by whoever named it.
    fn rule(&self, id: &ObjectId) -> Option<&Rule> {
        let same = |known: &ObjectId| known.name == id.name && known.is(&id.group, &id.kind);
        let by_name = || {
            let mut rules = self.0.iter().filter(|_| id.namespace.is_empty());
            rules.find(|(known, _)| same(known)).map(|(_, rule)| rule)
        };
        self.0.get(id).or_else(by_name)
    }
}
