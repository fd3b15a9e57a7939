//! From this project's object ids to gix's and back.

use flux_core::git::ObjectId;

pub(crate) fn to_gix(id: ObjectId) -> gix_hash::ObjectId {
    gix_hash::ObjectId::Sha1(*id.as_bytes())
}

/// Returns `None` for hashes other than SHA-1.
pub(crate) fn from_gix(id: &gix_hash::oid) -> Option<ObjectId> {
    id.as_bytes().try_into().ok().map(ObjectId::from_bytes)
}
