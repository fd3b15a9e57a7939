//! Bases and components of other repositories.

use super::{Accumulated, Builder, Role, Target};
use crate::error::Error;
use crate::files::{Files, Found};
use crate::remote::{self, Remote};
use crate::trace;

/// Repositories that may name one another.
const MAX_REMOTES: usize = 8;

impl<'t> Builder<'_, 't> {
    /// Builds a directory of another repository into what there is, or says why not.
    pub(super) fn remote_base(
        &mut self,
        target: &Target,
        (written, field): (&str, &str),
        role: Role,
        acc: Accumulated,
    ) -> Accumulated {
        let (remote, files) = match self.open_remote(target, written, field) {
            Ok(opened) => opened,
            Err(error) => {
                self.errors.push(error);
                return acc;
            }
        };
        let mut inner = Builder {
            files: &files,
            top: trace::Top::Remote(remote.clone()),
            stack: Vec::new(),
            outer: self.outer + self.stack.len(),
            remotes: self.remotes + 1,
            schema: self.schema.clone(),
            notes: Vec::new(),
            errors: Vec::new(),
            ..*self
        };
        let built = inner.build_in_remote(&remote, role, acc);
        let Builder {
            errors,
            notes,
            schema,
            schema_is_set,
            built: count,
            ..
        } = inner;
        self.schema = schema;
        self.schema_is_set = schema_is_set;
        self.built = count;
        self.errors.extend(errors);
        self.notes.extend(notes);
        built
    }

    /// Asks the caller of the build for the files of a repository.
    fn open_remote(
        &self,
        target: &Target,
        written: &str,
        field: &str,
    ) -> Result<(Remote, Files<'t>), Error> {
        let fail = |message: &str| {
            let text = format!("{} {message}", remote::shown(written));
            target.source.error(field, text)
        };
        let Some(trees) = &self.options.remotes else {
            return Err(fail("is remote, and nothing is fetched in a build")
                .hint("copy it into the repository"));
        };
        let remote = Remote::parse(written).map_err(|error| fail(&error))?;
        if self.remotes >= MAX_REMOTES {
            return Err(fail("is named by too many repositories in a row"));
        }
        let tree = match self.files.remote(&remote) {
            Some(tree) => tree,
            None => trees
                .tree(&remote)
                .map_err(|error| fail(&format!("cannot be fetched: {error}")))?,
        };
        let files = self.files.of_remote(&remote, tree);
        Ok((remote, files))
    }

    fn build_in_remote(&mut self, remote: &Remote, role: Role, acc: Accumulated) -> Accumulated {
        let directory = match self.files.find(&remote.path) {
            Ok(Found::Directory(directory)) => directory,
            Ok(Found::File(_) | Found::Nothing) => {
                let message = "there is no such directory in the repository";
                self.errors.push(Error::new(remote.to_string(), message));
                return acc;
            }
            Err(error) => {
                self.errors.push(error);
                return acc;
            }
        };
        let Some(target) = self.read(&directory) else {
            return acc;
        };
        self.take_schema(&target);
        if !self.check_role(&target, role) {
            return acc;
        }
        self.accumulate(&target, acc)
    }
}
