//! Fields that are put on top of a build as one more kustomization.

use serde_json::{Map, Value};

use super::{Accumulated, Builder, Target};
use crate::kustomization::Kustomization;
use crate::options::Overlay;
use crate::shape::Source;

impl Builder<'_, '_> {
    /// Applies the overlay of the options.
    pub(super) fn put_overlay(&mut self, directory: &str, acc: Accumulated) -> Accumulated {
        let overlay = &self.options.overlay;
        if *overlay == Overlay::default() {
            return acc;
        }
        let source = Source {
            path: overlay.source.clone(),
            ..Source::default()
        };
        match Kustomization::of_value(fields(overlay), &source) {
            Ok(kustomization) => {
                let target = Target {
                    directory: directory.to_owned(),
                    kustomization,
                    source,
                };
                self.accumulate(&target, acc)
            }
            Err(errors) => {
                self.errors.extend(errors);
                acc
            }
        }
    }
}

fn fields(overlay: &Overlay) -> Value {
    let text = |text: &str| Value::String(text.to_owned());
    let mut fields = Map::new();
    let mut add = |name: &str, value| fields.insert(name.to_owned(), value);
    add("namePrefix", text(&overlay.name_prefix));
    add("nameSuffix", text(&overlay.name_suffix));
    add(
        "namespace",
        text(overlay.namespace.as_deref().unwrap_or_default()),
    );
    add("patches", overlay.patches.clone().into());
    add("images", overlay.images.clone().into());
    add("components", overlay.components.clone().into());
    fields.into()
}
