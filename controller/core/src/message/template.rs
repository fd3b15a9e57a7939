//! Templates of commit messages, in the syntax of Jinja.

use std::sync::LazyLock;

use minijinja::syntax::SyntaxConfig;

use minijinja::{Environment, UndefinedBehavior};
use regex::Regex;
use serde::Serialize;

use super::{Context, Error, MAX_LENGTH, default, line};
use crate::edit::{Change, PolicyName};
use crate::rendered::rendered;

/// Steps that a template may take, so that no loop in it keeps the controller busy.
const FUEL: u64 = 200_000;

/// What a template can show.
#[derive(Serialize)]
struct Fields<'c> {
    /// The default message, and its parts.
    message: String,
    subject: &'c str,
    body: &'c str,
    trailers: &'c str,
    author: String,
    branch: String,
    changes: Vec<Changed>,
}

#[derive(Serialize)]
struct Changed {
    policy: String,
    image: String,
    tag: String,
    file: String,
    line: usize,
    object: String,
    container: String,
    old: String,
    new: String,
}

impl From<&Change> for Changed {
    fn from(change: &Change) -> Self {
        let or_nothing = |text: Option<&str>| text.map(line).unwrap_or_default();
        let policy = change.policy.as_ref().map(ToString::to_string);
        Self {
            policy: or_nothing(policy.as_deref()),
            image: line(change.image.as_str()),
            tag: or_nothing(change.tag.as_deref()),
            file: line(&change.path),
            line: change.line,
            object: or_nothing(change.object.as_deref()),
            container: or_nothing(change.container.as_deref()),
            old: line(&change.old),
            new: line(&change.new),
        }
    }
}

/// What a template may consist of; anything else could compute a text that is larger than memory.
static TAG: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?s)\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}"));
static ALLOWED: LazyLock<Regex> = LazyLock::new(|| {
    let name = r"[a-z]+(\.[a-z]+)?";
    pattern(&format!(
        r"(?s)^(\{{\{{-?\s*{name}\s*-?\}}\}}|\{{%[-+]?\s*(for [a-z]+ in changes|endfor|if (not )?{name}|else|endif)\s*-?%\}}|\{{#.*#\}})$"
    ))
});

fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("the pattern is a constant")
}

/// Makes a message of a template.
pub(super) fn render(
    text: &str,
    context: &Context<'_>,
    default: &default::Message,
) -> Result<String, Error> {
    check_tags(text)?;
    let mut environment = Environment::empty();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_fuel(Some(FUEL));
    let syntax = SyntaxConfig::builder().trim_blocks(true).build();
    environment.set_syntax(syntax.map_err(|error| failed(&error))?);
    let fields = Fields {
        message: default.to_string().trim_end().to_owned(),
        subject: &default.subject,
        body: &default.body,
        trailers: &default.trailers,
        author: line(context.author),
        branch: line(context.branch),
        changes: context.changes.iter().map(Changed::from).collect(),
    };
    let template = environment
        .template_from_str(text)
        .map_err(|error| failed(&error))?;
    let rendered = rendered(&template, fields, MAX_LENGTH).map_err(|error| failed(&error))?;
    finish(&rendered)
}

fn check_tags(text: &str) -> Result<(), Error> {
    let Some(wrong) = TAG
        .find_iter(text)
        .find(|tag| !ALLOWED.is_match(tag.as_str()))
    else {
        return Ok(());
    };
    let before = text.get(..wrong.start()).unwrap_or_default();
    Err(Error::Template {
        line: before.matches('\n').count() + 1,
        reason: format!(
            "{} is none of {{{{ field }}}}, {{% for change in changes %}}, {{% if field %}}, {{% else %}} and their ends",
            line(wrong.as_str())
        ),
    })
}

fn finish(rendered: &str) -> Result<String, Error> {
    let message = rendered.replace("\r\n", "\n").replace('\0', "");
    let message = message.trim_end();
    match message.lines().next().map(str::trim) {
        None | Some("") => Err(Error::Empty),
        Some(_) => Ok(format!("{message}\n")),
    }
}

fn failed(error: &minijinja::Error) -> Error {
    if error.kind() == minijinja::ErrorKind::WriteFailure {
        return Error::TooLong;
    }
    let reason = match error.kind() {
        minijinja::ErrorKind::OutOfFuel => "it takes too many steps".to_owned(),
        minijinja::ErrorKind::UndefinedError => {
            "it names a field that there is not: known are message, subject, body, trailers, author, branch and changes, \
             each of them with policy, image, tag, file, line, object, container, old and new"
                .to_owned()
        }
        kind => match error.detail() {
            Some(detail) => line(detail),
            None => kind.to_string(),
        },
    };
    let line = error.line().unwrap_or(1);
    Error::Template { line, reason }
}

/// A change to try a template with.
pub(super) fn example() -> Vec<Change> {
    let Ok(image) = "ghcr.io/org/app".parse() else {
        return Vec::new();
    };
    vec![Change {
        policy: Some(PolicyName {
            namespace: "apps".to_owned(),
            name: "app".to_owned(),
        }),
        image,
        tag: Some("1.4.2".to_owned()),
        path: "apps/app.yaml".to_owned(),
        line: 1,
        object: Some("Deployment/apps/app".to_owned()),
        container: Some("app".to_owned()),
        old: "ghcr.io/org/app:1.4.1".to_owned(),
        new: "ghcr.io/org/app:1.4.2".to_owned(),
    }]
}
