//! Label selectors, as Kubernetes reads them.

/// Conditions on labels that must all hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LabelSelector(Vec<Requirement>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Requirement {
    key: String,
    operator: Operator,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Operator {
    Exists,
    Missing,
    In(Vec<String>),
    NotIn(Vec<String>),
    Greater(i64),
    Less(i64),
}

impl LabelSelector {
    /// Reads `a=b,c!=d,e in (f,g),h notin (i),j,!k,l>1,m<2`.
    ///
    /// # Errors
    /// A text that is no label selector.
    pub fn parse(text: &str) -> Result<Self, String> {
        let parts = split(text)?;
        parts
            .into_iter()
            .map(requirement)
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// Whether labels, given by a function from keys to values, fit.
    pub fn matches<T: AsRef<str>>(&self, label: impl Fn(&str) -> Option<T>) -> bool {
        self.0.iter().all(|requirement| {
            let value = label(&requirement.key);
            let value = value.as_ref().map(AsRef::as_ref);
            let number = || value.and_then(|value: &str| value.parse::<i64>().ok());
            match &requirement.operator {
                Operator::Exists => value.is_some(),
                Operator::Missing => value.is_none(),
                Operator::In(values) => value.is_some_and(|v| values.iter().any(|w| w == v)),
                Operator::NotIn(values) => value.is_none_or(|v| values.iter().all(|w| w != v)),
                Operator::Greater(than) => number().is_some_and(|number| number > *than),
                Operator::Less(than) => number().is_some_and(|number| number < *than),
            }
        })
    }
}

/// Splits at commas outside of parentheses.
fn split(text: &str) -> Result<Vec<&str>, String> {
    let mut parts = Vec::new();
    let mut start = 0;
    let mut inside = false;
    for (at, c) in text.char_indices() {
        match (c, inside) {
            ('(', false) => inside = true,
            (')', true) => inside = false,
            ('(', true) | (')', false) => {
                return Err(format!("{text} has parentheses that do not match"));
            }
            (',', false) => {
                parts.push(text[start..at].trim());
                start = at + 1;
            }
            _ => {}
        }
    }
    if inside {
        return Err(format!("{text} has parentheses that do not match"));
    }
    let last = text[start..].trim();
    if !last.is_empty() || !parts.is_empty() {
        parts.push(last);
    }
    Ok(parts)
}

fn requirement(text: &str) -> Result<Requirement, String> {
    let wrong = || format!("{text:?} is not a condition on a label");
    let (key, operator) = if let Some(key) = text.strip_prefix('!') {
        (key, Operator::Missing)
    } else if let Some((key, value)) = text.split_once("!=") {
        (key, Operator::NotIn(vec![value.trim().to_owned()]))
    } else if let Some((key, value)) = text.split_once("==").or_else(|| text.split_once('=')) {
        (key, Operator::In(vec![value.trim().to_owned()]))
    } else if let Some((key, value)) = text.split_once('>') {
        (
            key,
            Operator::Greater(value.trim().parse().map_err(|_| wrong())?),
        )
    } else if let Some((key, value)) = text.split_once('<') {
        (
            key,
            Operator::Less(value.trim().parse().map_err(|_| wrong())?),
        )
    } else if let Some((head, values)) = text.split_once('(') {
        let values = values.trim_end().strip_suffix(')').ok_or_else(wrong)?;
        let values = values
            .split(',')
            .map(|value| value.trim().to_owned())
            .collect();
        match head.trim().rsplit_once(char::is_whitespace) {
            Some((key, "in")) => (key, Operator::In(values)),
            Some((key, "notin")) => (key, Operator::NotIn(values)),
            _ => return Err(wrong()),
        }
    } else {
        (text, Operator::Exists)
    };
    let key = key.trim();
    if !is_key(key) {
        return Err(wrong());
    }
    if let Operator::In(values) | Operator::NotIn(values) = &operator
        && let Some(value) = values.iter().find(|value| !is_value(value))
    {
        return Err(format!(
            "{value:?} in {text:?} cannot be the value of a label"
        ));
    }
    Ok(Requirement {
        key: key.to_owned(),
        operator,
    })
}

/// Whether a text can be the key of a label: a name, maybe with a domain in front.
fn is_key(text: &str) -> bool {
    let (domain, name) = match text.split_once('/') {
        Some((domain, name)) => (Some(domain), name),
        None => (None, text),
    };
    !name.is_empty() && is_value(name) && domain.is_none_or(is_domain)
}

/// Whether a text can be the value of a label.
fn is_value(text: &str) -> bool {
    let is_end = |c: Option<char>| c.is_none_or(|c| c.is_ascii_alphanumeric());
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    text.len() <= 63
        && text.chars().all(allowed)
        && is_end(text.chars().next())
        && is_end(text.chars().next_back())
}

fn is_domain(text: &str) -> bool {
    let is_lower = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let is_part = |part: &str| {
        part.chars().all(|c| is_lower(c) || c == '-')
            && part.starts_with(is_lower)
            && part.ends_with(is_lower)
    };
    text.len() <= 253 && text.split('.').all(is_part)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("", true)]
    #[case("app=web", true)]
    #[case("app == web, tier!=db", true)]
    #[case("app in (x, web),n>2", true)]
    #[case("app notin (x, web)", false)]
    #[case("!app", false)]
    #[case("missing!=x", true)]
    #[case("missing", false)]
    fn conditions_are_those_of_kubernetes(#[case] text: &str, #[case] expected: bool) {
        let selector = LabelSelector::parse(text).unwrap();
        let label = |key: &str| match key {
            "app" => Some("web"),
            "n" => Some("3"),
            _ => None,
        };
        assert_eq!(selector.matches(label), expected);
    }

    #[rstest]
    #[case("a in (b")]
    #[case("a,,b")]
    #[case("a b")]
    #[case("a>x")]
    #[case("a in (b, -)")]
    #[case("a=-b")]
    #[case("a!=b c")]
    #[case("Domain/a")]
    #[case("a/b/c")]
    #[case("a/")]
    fn nonsense_is_refused(#[case] text: &str) {
        assert!(LabelSelector::parse(text).is_err());
    }
}
