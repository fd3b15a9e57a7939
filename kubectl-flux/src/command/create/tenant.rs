//! `create tenant`.

use k8s_openapi::api::{
    core::v1::{Namespace, ServiceAccount},
    rbac::v1::{RoleBinding, RoleRef, Subject},
};
use kube::api::ObjectMeta;

use super::write::Written;
use crate::args::CreateTenantArgs;

/// Builds the namespaces of a team, with an account for its Syncs that may act in these namespaces alone.
pub(crate) fn build(args: &CreateTenantArgs) -> Vec<Written> {
    let own = vec![args.name.clone()];
    let namespaces = if args.with_namespace.is_empty() {
        &own
    } else {
        &args.with_namespace
    };
    namespaces
        .iter()
        .flat_map(|namespace| of_namespace(args, namespace))
        .collect()
}

fn of_namespace(args: &CreateTenantArgs, namespace: &str) -> [Written; 3] {
    let metadata = |name: &str| ObjectMeta {
        name: Some(name.to_owned()),
        namespace: Some(namespace.to_owned()),
        labels: Some([("flux.rs/tenant".to_owned(), args.name.clone())].into()),
        ..ObjectMeta::default()
    };
    let space = Namespace {
        metadata: ObjectMeta {
            namespace: None,
            ..metadata(namespace)
        },
        ..Namespace::default()
    };
    let account = ServiceAccount {
        metadata: metadata(&args.name),
        ..ServiceAccount::default()
    };
    let binding = RoleBinding {
        metadata: metadata(&args.name),
        role_ref: RoleRef {
            api_group: Some("rbac.authorization.k8s.io".into()),
            kind: "ClusterRole".into(),
            name: args.cluster_role.clone(),
        },
        subjects: Some(vec![Subject {
            kind: "ServiceAccount".into(),
            name: args.name.clone(),
            namespace: Some(namespace.to_owned()),
            ..Subject::default()
        }]),
    };
    [
        Written::cluster_wide(&space),
        Written::namespaced(&account),
        Written::namespaced(&binding),
    ]
}
