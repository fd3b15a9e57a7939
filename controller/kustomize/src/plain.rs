//! A directory of manifests without a kustomization file.

use crate::error::{Error, Failure, Note};
use crate::files::{Files, Found};
use crate::resource::{self, Resource};
use crate::{Document, Entry, yaml};

/// Names of a kustomization file, any one of them but only one.
pub(crate) const KUSTOMIZATION_NAMES: [&str; 3] =
    ["kustomization.yaml", "kustomization.yml", "Kustomization"];

/// Directories below the built one.
const MAX_DEPTH: usize = 64;

/// Reads all manifests in a directory and below.
pub(crate) fn load(
    files: &Files<'_>,
    directory: &str,
    notes: &mut Vec<Note>,
) -> Result<Vec<Resource>, Failure> {
    let mut loader = Loader {
        files,
        notes,
        resources: Vec::new(),
        errors: Vec::new(),
    };
    loader.directory(directory, MAX_DEPTH);
    if loader.errors.is_empty() {
        Ok(loader.resources)
    } else {
        Err(Failure {
            errors: loader.errors,
        })
    }
}

struct Loader<'l, 't> {
    files: &'l Files<'t>,
    notes: &'l mut Vec<Note>,
    resources: Vec<Resource>,
    errors: Vec<Error>,
}

impl Loader<'_, '_> {
    fn directory(&mut self, directory: &str, depth: usize) {
        let Some(depth) = depth.checked_sub(1) else {
            return self
                .errors
                .push(Error::new(directory, "directories are nested too deeply"));
        };
        let names = match self.files.list(directory) {
            Ok(names) => names,
            Err(error) => return self.errors.push(error),
        };
        if names.iter().any(|(name, _)| name == "Chart.yaml") {
            return self.note(directory, "is a Helm chart; skipped");
        }
        if let Some((name, _)) = names
            .iter()
            .find(|(name, _)| KUSTOMIZATION_NAMES.contains(&name.as_str()))
        {
            let path = format!("{directory}/{name}");
            return self
                .errors
                .push(Error::new(path, "kustomizations are not supported yet"));
        }
        for (name, entry) in names {
            let path = match directory {
                "" => name,
                directory => format!("{directory}/{name}"),
            };
            match entry {
                Entry::Directory => self.directory(&path, depth),
                Entry::File => self.file(&path),
                Entry::Symlink(_) => match self.files.find(&path) {
                    Ok(Found::File(_)) => self.file(&path),
                    Ok(Found::Directory(_)) => {
                        self.note(&path, "is a link to a directory; skipped");
                    }
                    Ok(Found::Nothing) => self.note(&path, "is a link to nothing; skipped"),
                    Err(error) => self.errors.push(error),
                },
                Entry::Submodule => self.note(&path, "is a git submodule; skipped"),
            }
        }
    }

    fn note(&mut self, path: &str, message: &str) {
        self.notes.push(Note {
            path: path.to_owned(),
            message: message.to_owned(),
        });
    }

    fn file(&mut self, path: &str) {
        if ![".yaml", ".yml", ".json"]
            .iter()
            .any(|extension| path.ends_with(extension))
        {
            return;
        }
        match self.documents(path) {
            Ok(documents) => {
                let manifests = self.manifests(path, documents);
                let found = resource::from_documents(manifests, path, &mut self.errors);
                self.resources.extend(found);
            }
            Err(error) => self.errors.push(error),
        }
    }

    fn documents(&self, path: &str) -> Result<Vec<Document>, Error> {
        match self.files.find(path)? {
            Found::File(real) => yaml::parse_yaml(&self.files.read(&real)?, path),
            Found::Directory(_) | Found::Nothing => Err(Error::new(path, "no such file")),
        }
    }

    /// Leaves out what is no manifest: other tools keep their settings beside manifests.
    fn manifests(&mut self, path: &str, mut documents: Vec<Document>) -> Vec<Document> {
        let all = documents.len();
        documents.retain(|document| document.value.get("kind").is_some());
        match (all, documents.len()) {
            (0, _) => {}
            (_, 0) => self.note(path, "has no kind, so it is no manifest; skipped"),
            (all, left) if left < all => self.note(path, "has documents without a kind; skipped"),
            _ => {}
        }
        documents
    }
}
