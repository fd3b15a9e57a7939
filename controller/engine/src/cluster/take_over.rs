//! Folding the fields of kubectl and of other GitOps tools into ours: else a field deleted in git would stay for ever.

use flux_core::live::Metadata;
use flux_core::managed_fields::{self, TakeOver};

use super::apply::{self, Payload};
use super::transaction::ItemError;
use super::{Cluster, live};

/// Attempts while others write to the object.
const ATTEMPTS: usize = 3;

/// Takes over what earlier appliers hold, if the dry-run shows that there is anything.
///
/// What is written back comes from the live object: in the answer of the dry-run our entry has already let go of the fields
/// that are to vanish, and then nobody would own them.
pub(super) async fn take_over(
    cluster: &Cluster,
    payload: Payload<'_>,
    dry_run: &Metadata,
) -> Result<(), ItemError> {
    if wanted(dry_run)?.is_none() {
        return Ok(());
    }
    for _ in 0..ATTEMPTS {
        let (namespace, name) = (payload.namespace, payload.name);
        let Some(live) = live::get(cluster, payload.resource, namespace, name).await? else {
            return Ok(());
        };
        let Some(take_over) = wanted(&live)? else {
            return Ok(());
        };
        match apply::patch_metadata(cluster, payload, &take_over.patch()).await {
            Ok(_) => return Ok(()),
            // Someone wrote in between.
            Err(error) if error.is_conflict() => {}
            Err(error) => return Err(error.into()),
        }
    }
    // The fields of the others stay until the object changes again; that is no reason not to apply it.
    Ok(())
}

fn wanted(metadata: &Metadata) -> Result<Option<TakeOver>, ItemError> {
    managed_fields::take_over(metadata).map_err(ItemError::ManagedFields)
}
