//! The keys and values of a generator.

use std::collections::BTreeMap;

use crate::Error;
use crate::kustomization::Generator;
use crate::path;
use crate::target::Place;

/// Loads the pairs of a generator, each key once.
pub(super) fn load(
    place: &Place<'_, '_>,
    generator: &Generator,
    field: &str,
) -> Result<BTreeMap<String, Vec<u8>>, Vec<Error>> {
    let mut loader = Loader {
        place,
        pairs: BTreeMap::new(),
        errors: Vec::new(),
    };
    for (index, env) in generator.envs.iter().enumerate() {
        loader.env_file(env, &format!("{field}.envs[{index}]"));
    }
    for (index, literal) in generator.literals.iter().enumerate() {
        loader.literal(literal, &format!("{field}.literals[{index}]"));
    }
    for (index, file) in generator.files.iter().enumerate() {
        loader.file(file, &format!("{field}.files[{index}]"));
    }
    if loader.errors.is_empty() {
        Ok(loader.pairs)
    } else {
        Err(loader.errors)
    }
}

struct Loader<'l, 'p, 't> {
    place: &'l Place<'p, 't>,
    pairs: BTreeMap<String, Vec<u8>>,
    errors: Vec<Error>,
}

impl Loader<'_, '_, '_> {
    fn fail(&mut self, field: &str, message: impl Into<String>) {
        self.errors.push(self.place.source.error(field, message));
    }

    fn add(&mut self, key: &str, value: Vec<u8>, field: &str) {
        if self.pairs.insert(key.to_owned(), value).is_some() {
            self.fail(field, format!("the key {key} is there already"));
        }
    }

    fn literal(&mut self, literal: &str, field: &str) {
        match literal.split_once('=') {
            Some((key, value)) if !key.is_empty() => {
                self.add(key, unquoted(value).as_bytes().to_vec(), field);
            }
            _ => self.fail(field, "must be key=value"),
        }
    }

    fn file(&mut self, file: &str, field: &str) {
        let (key, file) = match file.split_once('=') {
            None => (path::name(file), file),
            Some((key, file)) if !key.is_empty() && !file.is_empty() && !file.contains('=') => {
                (key, file)
            }
            Some(_) => return self.fail(field, "must be a file or key=file"),
        };
        match self.place.read(file, field) {
            Ok((_, content)) => self.add(key, content, field),
            Err(error) => self.errors.push(error),
        }
    }

    fn env_file(&mut self, file: &str, field: &str) {
        match self.place.read(file, field) {
            Ok((path, content)) => match String::from_utf8(content) {
                Ok(text) => self.env_lines(&text, field),
                Err(_) => self
                    .errors
                    .push(Error::new(path, "the file is not UTF-8 text")),
            },
            Err(error) => self.errors.push(error),
        }
    }

    fn env_lines(&mut self, text: &str, field: &str) {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        for line in text.lines() {
            let line = line.trim_start();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let (key, value) = line.split_once('=').unwrap_or((line, ""));
            if !key.is_empty() {
                self.add(key, value.as_bytes().to_vec(), field);
            }
        }
    }
}

/// Takes away one pair of quotes around a value.
fn unquoted(value: &str) -> &str {
    ['"', '\'']
        .iter()
        .find_map(|quote| value.strip_prefix(*quote)?.strip_suffix(*quote))
        .unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_pair_of_quotes_is_taken_away() {
        assert_eq!(unquoted("\"a\""), "a");
        assert_eq!(unquoted("'a'"), "a");
        assert_eq!(unquoted("\"a"), "\"a");
        assert_eq!(unquoted("\""), "\"");
        assert_eq!(unquoted("\"\""), "");
    }
}
