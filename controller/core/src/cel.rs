//! CEL expressions that people write into a spec: compiled once, evaluated over objects, bounded in time and space.
//!
//! The `cel` crate neither counts its steps nor can be interrupted. So what an expression may cost at the most is worked out
//! from its shape and the size of the objects before it is evaluated ([`cost`]), and one that is too expensive is refused.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, LazyLock};

use cel::parser::{ParseErrors, PrattParser};
use cel::{Context, Env, ExecutionError, IdedExpr};
use serde_json::Value;

mod cost;
#[cfg(test)]
mod tests;

/// Longest text of an expression in bytes.
const LONGEST: usize = 4096;
/// Brackets that an expression may open and other signs that it may have: the parser goes into each by a call, and the stack
/// has an end. What stands in quotes counts too: to see where quotes end takes a parser.
const BRACKETS: usize = 48;
const SIGNS: usize = 512;
/// How deep an expression may be nested, for the parser and for the evaluation.
const DEPTH: u16 = 40;

/// The functions and macros of CEL's standard library, without dates.
const FUNCTIONS: [&str; 21] = [
    "bool",
    "bytes",
    "contains",
    "double",
    "dyn",
    "endsWith",
    "hasValue",
    "int",
    "matches",
    "none",
    "of",
    "ofNonZeroValue",
    "optMap",
    "or",
    "orValue",
    "size",
    "startsWith",
    "string",
    "type",
    "uint",
    "value",
];

static ENVIRONMENT: LazyLock<Arc<Env>> = LazyLock::new(|| Arc::new(Env::stdlib()));

/// What is wrong with an expression, or why it has no answer for an object. No value of an object is part of it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// It is longer than anyone means it to be.
    #[error("the expression is longer than {LONGEST} bytes")]
    TooLong,
    /// It is more involved than anyone means it to be.
    #[error(
        "the expression has more than {BRACKETS} brackets or {SIGNS} signs, or is nested deeper than {DEPTH}"
    )]
    TooInvolved,
    /// It does not parse.
    #[error("line {line}, column {column}: {message}")]
    Syntax {
        /// The line, from 1.
        line: isize,
        /// The column, from 1.
        column: isize,
        /// What was found or expected.
        message: String,
    },
    /// It calls what does not exist.
    #[error("{name} is no function of CEL's standard library: use {}", FUNCTIONS.join(", "))]
    Function {
        /// The name.
        name: String,
    },
    /// It names a variable that is not there.
    #[error("{name} is not defined here: there is {}", known.join(" and "))]
    Variable {
        /// The name.
        name: String,
        /// What is there.
        known: Vec<String>,
    },
    /// It could take too long, or too much memory, for this object.
    #[error("the expression could take too long for an object of this size: nest fewer loops")]
    TooExpensive,
    /// The object has no such field.
    #[error("there is no field {0}; ask has(…) first if it may be missing")]
    NoSuchField(String),
    /// The answer is neither true nor false.
    #[error("the answer is no true or false but {0}")]
    NotBoolean(&'static str),
    /// The expression does not fit the object.
    #[error("the expression does not fit the object: {0}")]
    Unfit(String),
}

/// A compiled expression.
pub struct Expression {
    tree: IdedExpr,
}

impl fmt::Debug for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Expression").finish_non_exhaustive()
    }
}

impl Expression {
    /// Compiles an expression over the fields of an object.
    ///
    /// # Errors
    /// One that does not parse, or calls what does not exist.
    pub fn compile(text: &str) -> Result<Self, Error> {
        if text.len() > LONGEST {
            return Err(Error::TooLong);
        }
        if is_involved(text) {
            return Err(Error::TooInvolved);
        }
        let tree = PrattParser::new()
            .max_recursion_depth(DEPTH)
            .enable_optional_syntax(true)
            .parse(text)
            .map_err(|errors| syntax(&errors))?;
        if cost::depth(&tree) > usize::from(DEPTH) {
            return Err(Error::TooInvolved);
        }
        match unknown_function(&tree) {
            Some(name) => Err(Error::Function { name }),
            None => Ok(Self { tree }),
        }
    }

    /// Compiles an expression over some variables and nothing else.
    ///
    /// # Errors
    /// Those of [`Self::compile`], and one that names another variable.
    pub fn compile_over(text: &str, variables: &[&str]) -> Result<Self, Error> {
        let expression = Self::compile(text)?;
        let unknown = cost::free_variables(&expression.tree)
            .into_iter()
            .find(|name| !variables.contains(name) && !is_type(name));
        match unknown {
            None => Ok(expression),
            Some(name) => Err(Error::Variable {
                name: name.to_owned(),
                known: variables.iter().map(|&name| name.to_owned()).collect(),
            }),
        }
    }

    /// Evaluates it with these variables.
    ///
    /// # Errors
    /// When there is no answer: a field is missing, a type does not fit, or it could take too long.
    pub fn holds<'v>(
        &self,
        variables: impl IntoIterator<Item = (&'v str, &'v Value)>,
    ) -> Result<bool, Error> {
        let variables: Vec<(&str, &Value)> = variables.into_iter().collect();
        let input = variables.iter().map(|(_, value)| *value);
        if !cost::is_affordable(&self.tree, input) {
            return Err(Error::TooExpensive);
        }
        let mut context = Context::with_env(Arc::clone(&ENVIRONMENT));
        let needed = cost::free_variables(&self.tree);
        for (name, value) in variables {
            if needed.contains(name) {
                context.add_variable_from_value(name, value_of(value));
            }
        }
        match cel::Value::resolve(&self.tree, &context) {
            Ok(cel::Value::Bool(holds)) => Ok(holds),
            Ok(other) => Err(Error::NotBoolean(type_of(&other))),
            Err(error) => Err(explain(&error)),
        }
    }

    /// Evaluates it over the fields of an object, each of which is a variable.
    ///
    /// # Errors
    /// Those of [`Self::holds`].
    pub fn holds_for(&self, object: &Value) -> Result<bool, Error> {
        let fields = object.as_object().into_iter().flatten();
        self.holds(fields.map(|(name, value)| (name.as_str(), value)))
    }
}

fn is_involved(text: &str) -> bool {
    let count = |signs: &str| text.chars().filter(|&sign| signs.contains(sign)).count();
    count("([{") > BRACKETS || count("+-*/%<>=!?:.,&|") > SIGNS
}

fn syntax(errors: &ParseErrors) -> Error {
    let first = errors.errors.first();
    let (line, column) = first.map_or((1, 1), |error| error.pos);
    let message = first.map_or("it cannot be read", |error| error.msg.as_str());
    let message = message.trim_start_matches("Syntax error: ");
    Error::Syntax {
        line: line.max(1),
        column: column.max(1),
        message: crate::conclude::truncate(message, 200),
    }
}

fn unknown_function(tree: &IdedExpr) -> Option<String> {
    let references = tree.references();
    let is_operator = |name: &str| name.contains(['_', '@']);
    let mut unknown: Vec<&str> = references
        .functions()
        .into_iter()
        .filter(|name| !is_operator(name) && !FUNCTIONS.contains(name))
        .collect();
    unknown.sort_unstable();
    unknown.first().map(|&name| name.to_owned())
}

/// Names that stand for a type or a namespace of functions.
fn is_type(name: &str) -> bool {
    let types = [
        "bool",
        "bytes",
        "double",
        "int",
        "list",
        "map",
        "null_type",
        "optional",
        "string",
        "type",
        "uint",
    ];
    types.contains(&name)
}

/// An integer is signed wherever it fits, so that it can be reckoned with like those of the expression.
fn value_of(value: &Value) -> cel::Value {
    match value {
        Value::Null => cel::Value::Null,
        Value::Bool(value) => cel::Value::Bool(*value),
        Value::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(number), _) => cel::Value::Int(number),
            (None, Some(number)) => cel::Value::UInt(number),
            (None, None) => cel::Value::Float(number.as_f64().unwrap_or(f64::NAN)),
        },
        Value::String(text) => cel::Value::from(text.as_str()),
        Value::Array(items) => cel::Value::from(items.iter().map(value_of).collect::<Vec<_>>()),
        Value::Object(fields) => {
            let fields = fields
                .iter()
                .map(|(name, value)| (name.clone(), value_of(value)));
            cel::Value::from(fields.collect::<HashMap<String, cel::Value>>())
        }
    }
}

fn type_of(value: &cel::Value) -> &'static str {
    match value {
        cel::Value::List(_) => "a list",
        cel::Value::Map(_) => "a map",
        cel::Value::Int(_) | cel::Value::UInt(_) | cel::Value::Float(_) => "a number",
        cel::Value::String(_) => "a text",
        cel::Value::Null => "null",
        _ => "something else",
    }
}

/// The crate's own words would repeat values of the object, which may be a Secret.
fn explain(error: &ExecutionError) -> Error {
    match error {
        ExecutionError::NoSuchKey(name) | ExecutionError::UndeclaredReference(name) => {
            Error::NoSuchField(name.to_string())
        }
        ExecutionError::NoSuchOverload(overload) => Error::Unfit(overload.to_string()),
        ExecutionError::IndexOutOfBounds(_) => Error::Unfit("a list is too short".into()),
        ExecutionError::DivisionByZero(_) | ExecutionError::RemainderByZero(_) => {
            Error::Unfit("a division by zero".into())
        }
        ExecutionError::Overflow(..) => Error::Unfit("a number is too large".into()),
        _ => Error::Unfit("a value has another type than is asked for".into()),
    }
}
