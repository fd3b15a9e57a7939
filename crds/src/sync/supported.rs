//! What this version of the controller does not do yet. A field is refused rather than ignored in silence.

use super::SyncSpec;

impl SyncSpec {
    /// Returns the fields that are set and that this version does not act on yet; the controller refuses them.
    pub fn unsupported(&self) -> Vec<&'static str> {
        [
            (!self.notify.is_empty(), "spec.notify"),
            (
                self.health_checks.iter().any(|check| check.cel.is_some()),
                "spec.healthChecks[].cel",
            ),
            (
                self.depends_on
                    .iter()
                    .any(|dependency| dependency.ready.is_some()),
                "spec.dependsOn[].ready",
            ),
        ]
        .into_iter()
        .filter_map(|(is_set, field)| is_set.then_some(field))
        .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sync::{Dependency, HealthCheck, HealthExpressions};

    #[test]
    fn an_empty_spec_is_supported() {
        assert_eq!(SyncSpec::default().unsupported(), Vec::<&str>::new());
    }

    #[test]
    fn every_field_without_behaviour_is_named() {
        let spec = SyncSpec {
            health_checks: vec![HealthCheck {
                cel: Some(HealthExpressions::default()),
                ..HealthCheck::default()
            }],
            depends_on: vec![Dependency {
                ready: Some("true".into()),
                ..Dependency::default()
            }],
            ..SyncSpec::default()
        };
        assert_eq!(
            spec.unsupported(),
            ["spec.healthChecks[].cel", "spec.dependsOn[].ready"]
        );
    }
}
