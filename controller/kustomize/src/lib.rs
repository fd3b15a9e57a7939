//! The kustomize build as a pure function of a file tree.
//!
//! ```text
//!  FileTree ──► kustomization.yaml? ──► its resources, generators, components
//!     │                │no                        │
//!     │                ▼                          ▼
//!     │         every manifest below        transformers, references, order
//!     ▼                └───────────┬──────────────┘
//!   Build { objects with their file and line, what was read, notes }   or   Failure { every error }
//! ```
//!
//! No process, no network, and no file system but in [`DirectoryTree`]: what a build may read is
//! what the [`FileTree`] shows it, and links are resolved here, so that none leads out of it.
//!
//! ```
//! use flux_kustomize::{MemoryTree, Options, build};
//!
//! let tree = MemoryTree::new()
//!     .file("app/kustomization.yaml", "namespace: shop\nresources: [web.yaml]\n")
//!     .file("app/web.yaml", "apiVersion: v1\nkind: Service\nmetadata: {name: web}\n");
//! let build = build(&tree, "app", &Options::default())?;
//! assert_eq!(build.objects[0].value["metadata"]["namespace"], "shop");
//! assert_eq!(build.objects[0].origin.to_string(), "app/web.yaml:1");
//! # Ok::<(), flux_kustomize::Failure>(())
//! ```
//!
//! What set a field is told when a build is asked to explain itself:
//!
//! ```
//! use flux_kustomize::{MemoryTree, Options, build};
//!
//! let tree = MemoryTree::new()
//!     .file("kustomization.yaml", "resources: [pod.yaml]\nimages:\n- {name: nginx, newTag: '2'}\n")
//!     .file("pod.yaml", "{apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {containers: [{name: a, image: nginx}]}}");
//! let options = Options { explain: true, ..Options::default() };
//! let build = build(&tree, "", &options)?;
//! let change = &build.objects[0].changes[0];
//! assert_eq!(change.field, "spec.containers[name=a].image");
//! assert_eq!((change.by.to_string(), change.what.as_str()), ("kustomization.yaml:3".to_owned(), "images[0]"));
//! # Ok::<(), flux_kustomize::Failure>(())
//! ```
//!
//! A failed build tells everything that is wrong, each with file, line and field:
//!
//! ```
//! use flux_kustomize::{MemoryTree, Options, build};
//!
//! let tree = MemoryTree::new().file("kustomization.yaml", "namePrefx: a-\nresources: [b.yaml]\n");
//! let failure = build(&tree, "", &Options::default()).unwrap_err();
//! assert_eq!(
//!     failure.errors[0].to_string(),
//!     "kustomization.yaml:1: namePrefx: is not a field that is known here; did you mean namePrefix?"
//! );
//! ```
//!
//! # Where it differs from kustomize
//!
//! - Errors: all of a run, each with file, line and field; what is not known is refused.
//! - A directory without a kustomization is built from its manifests, as Flux does.
//! - Nothing is fetched and no other program runs: Helm charts and plugins that are not built in
//!   are refused by name, and so are bases in other repositories unless the caller brings their
//!   files with [`Options::remotes`].
//! - Merge keys are those of Kubernetes 1.37, not of 1.21. A schema given with `openapi` adds to
//!   them and does not replace them, and so do the list types of a `CustomResourceDefinition` that
//!   is built along with its objects.
//! - Scopes are those that kustomize knows; those of such definitions are used too if
//!   [`Options::scopes`] says so, which keeps a namespace out of objects that cannot have one.
//! - A name or annotation that is a number or boolean becomes the text as which it is written; an
//!   annotation that a patch sets to null goes away, where kustomize may write the text `null`.
//! - Merging lists with two keys (ports) loses nothing where the second key is missing.
//!   Nor does an item without its name cost any other item of its list, such as a mount without
//!   a path or an item whose name a patch took away.
//! - A null that a replacement meets takes the value; a replacement that puts a word in the place
//!   of a number is refused at once, and not only if the word is still there at the end.
//! - In a text of YAML that a replacement changes, a number or null becomes what the new value is,
//!   where kustomize writes the old type before it (`port: !!int http`). A path that goes on in a
//!   text in such a text is refused, where kustomize changes nothing and says nothing; a list or
//!   mapping that is copied into such a text does not bring its comments along.
//! - A JSON patch that is wrong is refused even if it meets no object; large integers keep all
//!   their digits in the objects that it meets. A test of a text with `<`, `>` or `&` holds if the
//!   text is the same, however either is written.
//! - The notes that kustomize keeps in annotations while it builds are never seen, so nothing can
//!   copy, remove or hash them.
//! - Variables take numbers in any notation, and annotations as they are written; nothing that is
//!   made becomes text or a number by the style of what is around it. A number that a patch writes
//!   over text becomes text if that could not do without quotes, and stays a number if it could.
//! - No two objects of one name are built, even if one of them is only for tools.
//! - A field without a value stays where a patch meets its object, and no directive ever does.
//! - JSON and YAML patches are both read as YAML, so that JSON may have comments.

mod bounds;
mod budget;
mod build;
mod config;
mod crds;
mod error;
mod explain;
mod fieldpath;
mod fieldspec;
mod files;
mod generate;
mod gvk;
mod kustomization;
mod options;
mod patch;
mod path;
mod remote;
mod resource;
mod schema;
mod selector;
mod shape;
mod structured;
mod target;
mod trace;
mod transform;
mod tree;
mod yaml;

pub use build::{Build, Object, Origin, Read, build};
pub use error::{Error, Failure, Note};
pub use explain::Change;
pub use options::{CommonMetadata, Limits, LoadRestriction, Options, Order, Overlay, Scopes};
pub use remote::{Remote, RemoteTrees};
pub use selector::LabelSelector;
pub use tree::{DirectoryTree, Entry, FileTree, MemoryTree, TreeError};
pub use yaml::{
    Comment, Content, Document, Node, NodeId, Outline, Style, parse_yaml, to_yaml, write_scalar,
};
