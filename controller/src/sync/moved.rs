//! A Sync that is pointed at another cluster begins anew there: nothing that is known of the former one holds.

use flux_core::conclude::{Event, Finding, Outcome};
use flux_core::object::ObjectId;
use flux_crds::{Reason, SyncStatus};

use super::finalize::names;
use super::halt::Halt;
use super::memory::{Memory, write_inventory};
use super::record::Recorder;
use crate::remotes::Remote;

/// Notes which cluster the Sync writes to. If it is another than before, everything is to be applied to it, and an event
/// names what stays in the former one, to which nobody may have a way any more.
pub(crate) async fn note(
    recorder: &Recorder<'_>,
    memory: &mut Memory,
    remote: Option<&Remote>,
) -> Result<(), Halt> {
    let cluster = remote.map(|remote| remote.digest().to_owned());
    if memory.status.cluster == cluster {
        return Ok(());
    }
    let finding = (!memory.inventory.is_empty()).then(|| changed(memory));
    let ids: Vec<ObjectId> = memory.inventory.0.keys().cloned().collect();
    memory.inventory.release(&ids);
    memory.half_way = None;
    memory.built = None;
    memory.applied = None;
    memory.lookout.disarm();
    let known = match &finding {
        Some(finding) => recorder.status(memory, &Outcome::Progressing(finding.clone())),
        None => memory.status.clone(),
    };
    let status = SyncStatus {
        cluster,
        inventory: write_inventory(&memory.inventory),
        last_applied_revision: None,
        last_attempted_revision: None,
        hooks: Vec::new(),
        drift: Vec::new(),
        ..known
    };
    let written = recorder.write(memory, status).await;
    written.map_err(|error| Halt::api("write the status", &error))?;
    if let Some(finding) = finding {
        let event = Event {
            warning: true,
            finding,
        };
        recorder.context.events.publish(recorder.sync, &event);
    }
    Ok(())
}

fn changed(memory: &Memory) -> Finding {
    let message = format!(
        "the target is another cluster than before, to which everything is applied; these objects stay in the former one: {}",
        names(&memory.inventory)
    );
    Finding::new(Reason::ClusterChanged, message)
}
