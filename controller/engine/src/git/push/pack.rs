//! A pack of exactly the new objects, none of them as a delta.

use gix_object::Data;
use gix_pack::data::{
    Version,
    output::{Count, Entry, bytes::FromEntriesIter},
};
use gix_zlib::Compression;

use super::Object;
use crate::git::{
    error::{Error, chain},
    id::to_gix,
};

const HASH: gix_hash::Kind = gix_hash::Kind::Sha1;

/// Returns the bytes of a pack.
pub(crate) fn pack(objects: &[Object]) -> Result<Vec<u8>, Error> {
    let failed = |message: String| Error::Protocol {
        doing: "packing the new objects",
        message,
    };
    let count =
        u32::try_from(objects.len()).map_err(|_| failed("there are too many".to_owned()))?;
    let entries = objects.iter().map(|object| {
        let count = Count::from_data(to_gix(object.id), None);
        let data = Data::new(&object.data, object.kind, HASH);
        Ok(vec![Entry::from_data(&count, &data, Compression::DEFAULT)?])
    });
    let mut writer = FromEntriesIter::new(entries, Vec::new(), count, Version::V2, HASH);
    for written in writer.by_ref() {
        written.map_err(|error: gix_error::Error| failed(chain(&error)))?;
    }
    Ok(writer.into_write())
}
