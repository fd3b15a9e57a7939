//! Where a kustomization stands, and what it may read from there.

use crate::error::Error;
use crate::files::{Files, Found};
use crate::options::LoadRestriction;
use crate::path;
use crate::remote;
use crate::shape::{self, Source};

/// Names of a kustomization file, any one of them but only one.
pub(super) const KUSTOMIZATION_NAMES: [&str; 3] =
    ["kustomization.yaml", "kustomization.yml", "Kustomization"];

/// The directory of a kustomization, with its file for errors.
#[derive(Clone, Copy)]
pub(crate) struct Place<'p, 't> {
    pub(crate) files: &'p Files<'t>,
    pub(crate) directory: &'p str,
    pub(crate) source: &'p Source,
    pub(crate) restriction: LoadRestriction,
}

impl Place<'_, '_> {
    /// Finds what a path in the kustomization leads to.
    pub(crate) fn find(&self, written: &str, field: &str) -> Result<Found, Error> {
        if written.is_empty() {
            return Err(self.source.error(field, "the path is empty"));
        }
        if remote::is_remote(written) {
            let written = remote::shown(written);
            return Err(self
                .source
                .error(
                    field,
                    format!("{written} is remote, and only bases and components can be"),
                )
                .hint("copy it into the repository"));
        }
        if written.starts_with('/') {
            return Err(self
                .source
                .error(field, format!("{written} is an absolute path"))
                .hint("write it relative to this file"));
        }
        // "base - ../other" is what YAML makes of an item with one blank too many before it.
        if written
            .split('/')
            .any(|part| part.contains("..") && part != "..")
        {
            return Err(self
                .source
                .error(field, format!("{written} is not one path"))
                .hint("check the indentation of the list"));
        }
        let Some(path) = path::join(self.directory, written) else {
            return Err(self
                .source
                .error(field, format!("{written} leaves the repository")));
        };
        self.files
            .find(&path)
            .map_err(|error| self.source.error(field, error.to_string()))
    }

    /// Reads a file that the kustomization names; returns its real path too.
    pub(crate) fn read(&self, written: &str, field: &str) -> Result<(String, Vec<u8>), Error> {
        match self.find(written, field)? {
            Found::File(real) => self.read_found(&real, written, field),
            Found::Directory(_) => Err(self
                .source
                .error(field, format!("{written} is a directory, not a file"))),
            Found::Nothing => Err(self.missing(written, field)),
        }
    }

    /// Reads a file that [`Self::find`] found.
    pub(crate) fn read_found(
        &self,
        real: &str,
        written: &str,
        field: &str,
    ) -> Result<(String, Vec<u8>), Error> {
        let outside = !path::is_within(real, self.directory);
        if self.restriction == LoadRestriction::RootOnly && outside {
            return Err(self
                .source
                .error(
                    field,
                    format!("{written} is not in or below this directory"),
                )
                .hint("move it here, or lift the load restriction"));
        }
        let content = self.files.read(real)?;
        Ok((self.files.shown(real), content))
    }

    /// Makes the error that there is nothing at a path, with what was perhaps meant.
    pub(crate) fn missing(&self, written: &str, field: &str) -> Error {
        let error = self
            .source
            .error(field, format!("there is no file or directory {written}"));
        match self.similar(written) {
            Some(name) => error.hint(format!("did you mean {name}?")),
            None => error,
        }
    }

    fn similar(&self, written: &str) -> Option<String> {
        let written = written.trim_end_matches('/');
        let path = path::join(self.directory, written)?;
        let Ok(Found::Directory(parent)) = self.files.find(path::parent(&path)) else {
            return None;
        };
        let names = self.files.list(&parent).ok()?;
        let names = names.iter().map(|(name, _)| name.as_str());
        let meant = shape::closest(path::name(&path), names)?;
        Some(match path::parent(written) {
            "" => meant.to_owned(),
            parent => format!("{parent}/{meant}"),
        })
    }
}

/// Finds the kustomization files of a directory.
pub(crate) fn kustomization_files(
    files: &Files<'_>,
    directory: &str,
) -> Result<Vec<String>, Error> {
    let mut found = Vec::new();
    for name in KUSTOMIZATION_NAMES {
        let path = match directory {
            "" => name.to_owned(),
            directory => format!("{directory}/{name}"),
        };
        if let Found::File(real) = files.find(&path)? {
            found.push(real);
        }
    }
    Ok(found)
}
