//! A directory of manifests without a kustomization file, as Flux builds it.

use super::place::KUSTOMIZATION_NAMES;
use super::{Accumulated, Builder, Target};
use crate::error::{Error, Note};
use crate::files::Found;
use crate::shape::Source;
use crate::{Document, Entry, resource, yaml};

/// Directories below the built one.
const MAX_DEPTH: usize = 64;

impl Builder<'_, '_> {
    /// Reads all manifests in a directory and below; builds what has a kustomization of its own.
    pub(super) fn accumulate_plain(&mut self, directory: &str) -> Accumulated {
        let mut acc = Accumulated::default();
        let target = Target {
            directory: directory.to_owned(),
            kustomization: crate::kustomization::Kustomization::default(),
            source: Source {
                path: directory.to_owned(),
                ..Source::default()
            },
        };
        self.plain_directory(&target, directory, MAX_DEPTH, &mut acc);
        self.bring_configuration(&target, &mut acc);
        acc
    }

    fn plain_directory(
        &mut self,
        target: &Target,
        directory: &str,
        depth: usize,
        acc: &mut Accumulated,
    ) {
        let Some(depth) = depth.checked_sub(1) else {
            let error = Error::new(directory, "directories are nested too deeply");
            return self.errors.push(error);
        };
        let names = match self.files.list(directory) {
            Ok(names) => names,
            Err(error) => return self.errors.push(error),
        };
        let is = |wanted: &str| names.iter().any(|(name, _)| name == wanted);
        if is("Chart.yaml") {
            return self.note(directory, "is a Helm chart; skipped");
        }
        if directory != target.directory && KUSTOMIZATION_NAMES.into_iter().any(is) {
            return self.plain_base(target, directory, acc);
        }
        for (name, entry) in names {
            let path = match directory {
                "" => name,
                directory => format!("{directory}/{name}"),
            };
            match entry {
                Entry::Directory => self.plain_directory(target, &path, depth, acc),
                Entry::File => self.plain_file(target, &path, acc),
                Entry::Symlink(_) => self.plain_link(target, &path, acc),
                Entry::Submodule => self.note(&path, "is a git submodule; skipped"),
            }
        }
    }

    fn plain_base(&mut self, target: &Target, directory: &str, acc: &mut Accumulated) {
        if let Some(base) = self.read(directory)
            && self.check_role(&base, super::Role::Base)
        {
            let built = self.accumulate(&base, Accumulated::default());
            self.merge(target, "", acc, built);
        }
    }

    fn plain_link(&mut self, target: &Target, path: &str, acc: &mut Accumulated) {
        match self.files.find(path) {
            Ok(Found::File(_)) => self.plain_file(target, path, acc),
            Ok(Found::Directory(_)) => self.note(path, "is a link to a directory; skipped"),
            Ok(Found::Nothing) => self.note(path, "is a link to nothing; skipped"),
            Err(error) => self.errors.push(error),
        }
    }

    fn plain_file(&mut self, target: &Target, path: &str, acc: &mut Accumulated) {
        let is_manifest = [".yaml", ".yml", ".json"]
            .iter()
            .any(|extension| path.ends_with(extension));
        if !is_manifest {
            return;
        }
        match self.plain_documents(path) {
            Ok(documents) => {
                let manifests = self.with_kind(path, documents);
                let found = resource::from_documents(manifests, path, &mut self.errors);
                self.add_all(target, "", acc, found);
            }
            Err(error) => self.errors.push(error),
        }
    }

    fn plain_documents(&self, path: &str) -> Result<Vec<Document>, Error> {
        match self.files.find(path)? {
            Found::File(real) => {
                let documents = yaml::parse_manifests(&self.files.read(&real)?, path)?;
                self.pay_for(&documents, path)?;
                Ok(documents)
            }
            Found::Directory(_) | Found::Nothing => Err(Error::new(path, "no such file")),
        }
    }

    /// Leaves out what is no manifest: other tools keep their settings beside manifests.
    fn with_kind(&mut self, path: &str, mut documents: Vec<Document>) -> Vec<Document> {
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

    fn note(&mut self, path: &str, message: &str) {
        self.notes.push(Note {
            path: path.to_owned(),
            message: message.to_owned(),
        });
    }
}
