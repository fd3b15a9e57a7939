//! The text of `kubectl flux diff`.

use std::fmt::Write as _;

use serde_json::Value;
use similar::{ChangeTag, TextDiff};

use crate::printable::printable;

use super::{ChangeKind, FieldChange, ObjectChange};

/// Whether the text is for a terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Style {
    /// No escape sequences.
    #[default]
    Plain,
    /// Red for what goes, green for what comes, bold for names.
    Colour,
}

#[derive(Clone, Copy)]
enum Paint {
    Gone,
    New,
    Name,
    Dim,
}

impl Style {
    fn paint(self, paint: Paint, text: &str) -> String {
        let code = match paint {
            Paint::Gone => "31",
            Paint::New => "32",
            Paint::Name => "1",
            Paint::Dim => "2",
        };
        match self {
            Self::Plain => text.to_owned(),
            Self::Colour => format!("\u{1b}[{code}m{text}\u{1b}[0m"),
        }
    }
}

/// Renders what differs, object by object; unchanged objects are left out.
///
/// *Guarantees*: control characters of names and values are shown as escapes, so that no content
/// of a repository or a cluster can drive the terminal.
pub fn render(changes: &[ObjectChange], style: Style) -> String {
    let mut text = String::new();
    for change in changes {
        let name = printable(&change.id.to_string()).into_owned();
        let (sign, word, paint) = match &change.kind {
            ChangeKind::Unchanged => continue,
            ChangeKind::Created => ("+", "created", Paint::New),
            ChangeKind::Deleted => ("-", "deleted", Paint::Gone),
            ChangeKind::Changed(_) => ("~", "changed", Paint::Name),
        };
        push_line(
            &mut text,
            0,
            &style.paint(paint, &format!("{sign} {name} {word}")),
        );
        if let ChangeKind::Changed(fields) = &change.kind {
            for field in fields {
                render_field(&mut text, field, style);
            }
        }
    }
    text
}

fn render_field(text: &mut String, field: &FieldChange, style: Style) {
    push_line(text, 4, &style.paint(Paint::Name, &printable(&field.path)));
    match (&field.before, &field.after) {
        (Some(Value::String(before)), Some(Value::String(after)))
            if before.contains('\n') || after.contains('\n') =>
        {
            render_lines(text, before, after, style);
        }
        (before, after) => {
            for (value, sign, paint) in [(before, "-", Paint::Gone), (after, "+", Paint::New)] {
                for line in value.iter().flat_map(lines_of) {
                    push_line(text, 6, &style.paint(paint, &format!("{sign} {line}")));
                }
            }
        }
    }
}

fn render_lines(text: &mut String, before: &str, after: &str, style: Style) {
    let diff = TextDiff::from_lines(before, after);
    for (place, group) in diff.grouped_ops(2).iter().enumerate() {
        if place > 0 {
            push_line(text, 6, &style.paint(Paint::Dim, "…"));
        }
        for change in group
            .iter()
            .flat_map(|operation| diff.iter_changes(operation))
        {
            let (sign, paint) = match change.tag() {
                ChangeTag::Delete => ("-", Paint::Gone),
                ChangeTag::Insert => ("+", Paint::New),
                ChangeTag::Equal => (" ", Paint::Dim),
            };
            let line = change.value();
            let ending = if line.ends_with('\n') {
                ""
            } else {
                " (no line end)"
            };
            let line = printable(line.trim_end_matches('\n')).into_owned();
            push_line(
                text,
                6,
                &style.paint(paint, &format!("{sign} {line}{ending}")),
            );
        }
    }
}

/// Returns a scalar as it is and anything else as YAML.
fn lines_of(value: &Value) -> Vec<String> {
    let text = match value {
        Value::String(text) if text.is_empty() => "\"\"".to_owned(),
        Value::String(text) => text.clone(),
        Value::Object(_) | Value::Array(_) => flux_kustomize::to_yaml(value),
        scalar => scalar.to_string(),
    };
    text.lines()
        .map(|line| printable(line).into_owned())
        .collect()
}

fn push_line(text: &mut String, indent: usize, line: &str) {
    // Writing to a String cannot fail.
    writeln!(text, "{:indent$}{}", "", line.trim_end()).unwrap_or_default();
}
