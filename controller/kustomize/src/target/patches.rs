//! The patches of a kustomization.

use super::{Accumulated, Builder, Place, Target};
use crate::kustomization::{self, Selector};
use crate::patch::{self, Allowed, Patch};
use crate::resource::{self, Resource};
use crate::selector::Selection;
use crate::yaml;
use crate::{Document, Error, Note};

impl Builder<'_, '_> {
    /// `patchesStrategicMerge`: files, or patches themselves.
    pub(super) fn merge_patches(&mut self, target: &Target, acc: &mut Accumulated) {
        for (index, text) in target
            .kustomization
            .patches_strategic_merge
            .iter()
            .enumerate()
        {
            let field = format!("patchesStrategicMerge[{index}]");
            match read_merge_patches(&self.place(target), text, &field) {
                Ok(patches) => {
                    for patch in patches {
                        self.note_replacing(target, &field, &patch);
                        let result = patch::apply_listed(&mut acc.resources, &patch);
                        self.report(target, &field, result);
                    }
                }
                Err(errors) => self.errors.extend(errors),
            }
            let path = if text.contains('\n') { "" } else { text };
            self.explain(target, acc, &field, &named(&field, path));
        }
        if !target.kustomization.patches_strategic_merge.is_empty() {
            let field = "patchesStrategicMerge";
            self.mark(target, acc, "PatchStrategicMergeTransformer", field);
        }
    }

    /// `patches`.
    pub(super) fn patch(&mut self, target: &Target, acc: &mut Accumulated) {
        for (index, entry) in target.kustomization.patches.iter().enumerate() {
            let field = format!("patches[{index}]");
            match read_entry(&self.place(target), entry, &field) {
                Ok((patch, selection)) => {
                    if let Patch::Merge(patches) = &patch {
                        for patch in patches {
                            self.note_replacing(target, &field, patch);
                        }
                    }
                    let allowed = allowed(entry);
                    let result = patch.apply(&mut acc.resources, selection.as_ref(), allowed);
                    self.report(target, &field, result);
                }
                Err(errors) => self.errors.extend(errors),
            }
            self.explain(target, acc, &field, &named(&field, &entry.path));
            self.mark(target, acc, "PatchTransformer", &field);
        }
    }

    /// Says that a patch does nothing, as it does not in kustomize.
    fn note_replacing(&mut self, target: &Target, field: &str, patch: &Resource) {
        if patch::merge::replaces(&patch.value) {
            self.notes.push(Note {
                path: target.source.path.clone(),
                message: format!(
                    "{field}: `$patch: replace` for a whole object changes nothing, as in kustomize; put it into the fields"
                ),
            });
        }
    }

    /// `patchesJson6902`.
    pub(super) fn patch_json(&mut self, target: &Target, acc: &mut Accumulated) {
        for (index, entry) in target.kustomization.patches_json6902.iter().enumerate() {
            let field = format!("patchesJson6902[{index}]");
            match read_json_entry(&self.place(target), entry, &field) {
                Ok((operations, selection)) => {
                    let budget = acc.resources.budget.clone();
                    for at in selection.select(&acc.resources) {
                        let Some(resource) = acc.resources.get_mut(at) else {
                            continue;
                        };
                        let result = patch::apply_json(resource, &operations, &budget);
                        self.report(target, &field, result);
                    }
                }
                Err(errors) => self.errors.extend(errors),
            }
            self.explain(target, acc, &field, &named(&field, &entry.path));
            self.mark(target, acc, "PatchJson6902Transformer", &field);
        }
    }
}

/// Names an entry with its file.
fn named(field: &str, path: &str) -> String {
    match path {
        "" => field.to_owned(),
        path => format!("{field} ({path})"),
    }
}

/// Returns what the options of a patch allow it.
pub(super) fn allowed(entry: &kustomization::Patch) -> Allowed {
    let allows = |name| entry.options.get(name).copied().unwrap_or_default();
    Allowed {
        name: allows("allowNameChange"),
        kind: allows("allowKindChange"),
    }
}

/// Reads an entry of `patchesStrategicMerge`.
pub(super) fn read_merge_patches(
    place: &Place<'_, '_>,
    text: &str,
    field: &str,
) -> Result<Vec<Resource>, Vec<Error>> {
    let inline = yaml::parse_manifests(text.as_bytes(), &place.source.path);
    let is_patch =
        |documents: &Vec<Document>| documents.iter().all(|document| document.value.is_object());
    let (path, documents) = match inline {
        Ok(documents) if is_patch(&documents) => (place.source.path.clone(), documents),
        // No path has several lines.
        Err(error) if text.trim_end().contains('\n') => {
            let line = error.line.unwrap_or(1);
            let message = format!("line {line} of the patch: {}", error.message);
            return Err(vec![place.source.error(field, message)]);
        }
        Ok(_) | Err(_) => place
            .read(text, field)
            .and_then(|(path, content)| {
                let documents = yaml::parse_manifests(&content, &path)?;
                Ok((path, documents))
            })
            .map_err(|error| vec![error])?,
    };
    let mut errors = Vec::new();
    let patches = resource::from_documents(documents, &path, &mut errors);
    if !errors.is_empty() {
        return Err(errors);
    }
    if patches.is_empty() {
        return Err(vec![place.source.error(field, "the patch is empty")]);
    }
    Ok(patches)
}

/// Reads an entry of `patches`, or the configuration of its transformer.
pub(super) fn read_entry(
    place: &Place<'_, '_>,
    entry: &kustomization::Patch,
    field: &str,
) -> Result<(Patch, Option<Selection>), Vec<Error>> {
    let (file, content) = content(place, entry, field).map_err(|error| vec![error])?;
    // What stands in the kustomization itself loses the line break at its end, as in kustomize.
    let content = if entry.path.is_empty() {
        content.trim_ascii_end()
    } else {
        &content
    };
    let read = Patch::read(content, &file).map_err(|errors| inside(place, field, errors))?;
    let selection = match &entry.target {
        Some(target) => Some(select(place, target, field)?),
        None => None,
    };
    Ok((read, selection))
}

/// Reads an entry of `patchesJson6902`, or the configuration of its transformer.
pub(super) fn read_json_entry(
    place: &Place<'_, '_>,
    entry: &kustomization::Patch,
    field: &str,
) -> Result<(Vec<patch::json::Operation>, Selection), Vec<Error>> {
    let fail = |message: &str| vec![place.source.error(field, message)];
    let target = entry
        .target
        .as_ref()
        .ok_or_else(|| fail("the patch needs a target"))?;
    if target.name.is_empty() {
        return Err(fail("the target needs a name"));
    }
    let (file, content) = content(place, entry, field).map_err(|error| vec![error])?;
    let read = Patch::read_json(&content, &file).map_err(|errors| inside(place, field, errors))?;
    let Patch::Json(operations) = read else {
        return Err(fail("must be a JSON patch"));
    };
    if operations.is_empty() {
        return Err(fail("the patch is empty"));
    }
    Ok((operations, select(place, target, field)?))
}

fn select(place: &Place<'_, '_>, target: &Selector, field: &str) -> Result<Selection, Vec<Error>> {
    Selection::new(target)
        .map_err(|error| vec![place.source.error(&format!("{field}.target"), error)])
}

/// Returns the text of a patch and where it is.
fn content(
    place: &Place<'_, '_>,
    entry: &kustomization::Patch,
    field: &str,
) -> Result<(String, Vec<u8>), Error> {
    match (entry.text.trim().is_empty(), entry.path.is_empty()) {
        (true, true) => Err(place.source.error(field, "needs patch or path")),
        (false, false) => Err(place.source.error(field, "has both patch and path")),
        (false, true) => Ok((place.source.path.clone(), entry.text.clone().into_bytes())),
        (true, false) => place.read(&entry.path, &format!("{field}.path")),
    }
}

/// Errors in a text that stands in the kustomization are about its field there.
fn inside(place: &Place<'_, '_>, field: &str, errors: Vec<Error>) -> Vec<Error> {
    let field = format!("{field}.patch");
    let shift = |error: Error| {
        if error.path != place.source.path {
            return error;
        }
        let line = error
            .line
            .map(|line| format!("line {line}: "))
            .unwrap_or_default();
        let part = error
            .field
            .map(|part| format!("{part}: "))
            .unwrap_or_default();
        let mut shifted = place
            .source
            .error(&field, format!("{line}{part}{}", error.message));
        shifted.hint = error.hint;
        shifted
    };
    errors.into_iter().map(shift).collect()
}
