//! What is decided about a workload: by annotations of Flux v1, and by image policies.

use flux_core::{
    choose::{self, Rules},
    image::Name,
};
use flux_crds::ImagePolicy;

use super::Workload;

/// The prefixes of annotations, the one of today first.
const PREFIXES: [&str; 2] = ["fluxcd.io/", "flux.weave.works/"];
const FILTER_PREFIX: &str = "filter.fluxcd.io/";

/// What the annotations of a workload say.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Policies {
    /// Images are updated.
    pub(crate) automated: bool,
    /// Images are held.
    pub(crate) locked: bool,
    /// The object is not applied.
    pub(crate) ignore: bool,
}

impl Policies {
    /// Reads the annotations.
    pub(crate) fn of(workload: &Workload) -> Self {
        let is = |name: &str, values: &[&str]| {
            let value = annotation(workload, name);
            value.is_some_and(|value| values.contains(&value))
        };
        Self {
            automated: is("automated", &["true"]),
            locked: is("locked", &["true"]),
            ignore: is("ignore", &["true", "sync_only"]),
        }
    }

    /// Returns the words of Flux v1.
    pub(crate) fn words(self) -> Vec<&'static str> {
        [
            (self.automated, "automated"),
            (self.locked, "locked"),
            (self.ignore, "ignore"),
        ]
        .into_iter()
        .filter_map(|(is_set, word)| is_set.then_some(word))
        .collect()
    }
}

/// Returns the keys that an annotation may have, the one of today first.
pub(crate) fn spellings(name: &str) -> Vec<String> {
    let mut keys: Vec<_> = PREFIXES
        .iter()
        .map(|prefix| format!("{prefix}{name}"))
        .collect();
    keys.extend(
        name.strip_prefix("tag.")
            .map(|container| format!("{FILTER_PREFIX}{container}")),
    );
    keys
}

fn annotation<'a>(workload: &'a Workload, name: &str) -> Option<&'a str> {
    let value = |prefix: &&str| workload.annotations.get(&format!("{prefix}{name}"));
    PREFIXES.iter().find_map(value).map(String::as_str)
}

/// Which tags a container may run.
#[derive(Debug, Clone, Copy)]
pub(crate) enum TagFilter<'a> {
    /// An image policy says it.
    Policy(&'a ImagePolicy),
    /// An annotation says it.
    Annotation(&'a str),
    /// Nobody does.
    None,
}

impl<'a> TagFilter<'a> {
    /// Finds what is said about a container: by its annotation, or by a policy for its image.
    pub(crate) fn of(
        workload: &'a Workload,
        container: &str,
        image: &Name,
        policies: &'a [ImagePolicy],
    ) -> Self {
        let filter = workload
            .annotations
            .get(&format!("{FILTER_PREFIX}{container}"));
        let filter = filter.map(String::as_str);
        if let Some(filter) = filter.or_else(|| annotation(workload, &format!("tag.{container}"))) {
            return Self::Annotation(filter);
        }
        policy_for(image, &workload.id.namespace, policies).map_or(Self::None, Self::Policy)
    }

    /// Returns the rules; Flux v1 takes the newest where nothing is said.
    pub(crate) fn rules(self) -> Result<Rules, choose::Error> {
        match self {
            Self::Policy(policy) => {
                Rules::compile(policy.spec.filter.as_ref(), &policy.spec.policy)
            }
            Self::Annotation(pattern) => Rules::from_flux_v1(pattern),
            Self::None => Rules::from_flux_v1("glob:*"),
        }
    }
}

/// Returns the policy for an image; those of the workload's own namespace come first, and then the first by name.
fn policy_for<'a>(
    image: &Name,
    namespace: &str,
    policies: &'a [ImagePolicy],
) -> Option<&'a ImagePolicy> {
    let is_for_image = |policy: &&ImagePolicy| {
        let name = policy.spec.image.parse::<Name>();
        name.is_ok_and(|name| name.is_same_as(image))
    };
    policies.iter().filter(is_for_image).min_by_key(|policy| {
        let meta = &policy.metadata;
        let is_foreign = meta.namespace.as_deref() != Some(namespace);
        (is_foreign, meta.namespace.clone(), meta.name.clone())
    })
}

#[cfg(test)]
mod tests {
    use flux_crds::ImagePolicySpec;
    use serde_json::json;

    use super::super::WorkloadKind;
    use super::*;

    fn annotated(annotations: &serde_json::Value) -> Workload {
        let object =
            json!({"metadata": {"name": "web", "namespace": "shop", "annotations": annotations}});
        Workload::read(WorkloadKind::Deployment, object)
    }

    fn policy(namespace: &str, name: &str, image: &str) -> ImagePolicy {
        let image = image.to_owned();
        let mut policy = ImagePolicy::new(
            name,
            ImagePolicySpec {
                image,
                ..ImagePolicySpec::default()
            },
        );
        policy.metadata.namespace = Some(namespace.to_owned());
        policy
    }

    #[test]
    fn both_prefixes_of_flux_v1_are_read_and_only_texts_count() {
        let workload = annotated(&json!({
            "fluxcd.io/automated": "true", "flux.weave.works/locked": "true", "fluxcd.io/ignore": "false",
        }));

        assert_eq!(Policies::of(&workload).words(), ["automated", "locked"]);
    }

    #[test]
    fn an_annotation_stands_above_a_policy() {
        let policies = [policy("shop", "nginx", "nginx")];
        let image = "docker.io/library/nginx".parse().expect("an image");
        let workload = annotated(
            &json!({"fluxcd.io/tag.web": "semver:~1", "filter.fluxcd.io/init": "glob:a"}),
        );

        let filter = |container| TagFilter::of(&workload, container, &image, &policies);

        assert!(matches!(filter("web"), TagFilter::Annotation("semver:~1")));
        assert!(matches!(filter("init"), TagFilter::Annotation("glob:a")));
        assert!(matches!(filter("other"), TagFilter::Policy(_)));
    }

    #[test]
    fn the_policy_of_the_own_namespace_comes_first() {
        let policies = [
            policy("a", "x", "nginx"),
            policy("shop", "y", "nginx"),
            policy("shop", "z", "redis"),
        ];
        let image = "nginx".parse().expect("an image");

        let found =
            policy_for(&image, "shop", &policies).and_then(|policy| policy.metadata.name.clone());

        assert_eq!(found.as_deref(), Some("y"));
    }
}
