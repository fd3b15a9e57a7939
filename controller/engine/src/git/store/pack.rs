//! Finds the objects that a commit needs, and writes them into one pack.

use std::{
    collections::HashSet,
    fs::File,
    io::{self, BufReader, BufWriter, Seek, Write},
    path::Path,
};

use flux_core::git::ObjectId;
use gix_object::{Find, Kind, TagRefIter, TreeRefIter, tree::EntryKind};
use gix_pack::data::{
    Version,
    output::{Count, Entry, bytes::FromEntriesIter},
};
use gix_zlib::Compression;

use crate::git::{
    error::{Error, chain},
    id::{from_gix, to_gix},
};

const HASH: gix_hash::Kind = gix_hash::Kind::Sha1;

/// Lists the objects that tags and commits consist of: themselves, directories and files, no parents.
///
/// What `is_known` knows is left out with everything below it.
pub(crate) fn reachable(
    objects: &impl Find,
    roots: &[ObjectId],
    is_known: impl Fn(&gix_hash::oid) -> bool,
) -> Result<Vec<gix_hash::ObjectId>, Error> {
    let mut seen = HashSet::new();
    let mut order = Vec::new();
    let mut open: Vec<_> = roots.iter().map(|id| to_gix(*id)).collect();
    let mut buffer = Vec::new();
    while let Some(id) = open.pop() {
        if !seen.insert(id) || is_known(&id) {
            continue;
        }
        order.push(id);
        let (kind, data) = read(objects, &id, &mut buffer)?;
        let malformed = |error| unreadable(&id, &chain(&error));
        match kind {
            Kind::Blob => {}
            Kind::Tag => open.push(
                TagRefIter::from_bytes(data, HASH)
                    .target_id()
                    .map_err(malformed)?,
            ),
            Kind::Commit => {
                let tree = gix_object::CommitRefIter::from_bytes(data, HASH).tree_id();
                open.push(tree.map_err(malformed)?);
            }
            Kind::Tree => {
                for entry in TreeRefIter::from_bytes(data, HASH) {
                    let entry = entry.map_err(malformed)?;
                    match entry.mode.kind() {
                        EntryKind::Tree => open.push(entry.oid.to_owned()),
                        EntryKind::Blob | EntryKind::BlobExecutable | EntryKind::Link => {
                            // Files need not be read to be listed.
                            if seen.insert(entry.oid.to_owned()) && !is_known(entry.oid) {
                                order.push(entry.oid.to_owned());
                            }
                        }
                        EntryKind::Commit => {}
                    }
                }
            }
        }
    }
    Ok(order)
}

/// Writes objects into a pack at `path`; returns it open at its beginning.
pub(crate) fn write(
    objects: &impl Find,
    ids: &[gix_hash::ObjectId],
    path: &Path,
) -> Result<BufReader<File>, Error> {
    let failed = |message: String| Error::Store {
        doing: "write a pack",
        path: path.to_owned(),
        message,
    };
    let io_failed = |error: io::Error| failed(error.to_string());
    let file = File::options()
        .read(true)
        .write(true)
        .create(true)
        .truncate(true)
        .open(path);
    let file = file.map_err(io_failed)?;
    let count =
        u32::try_from(ids.len()).map_err(|_| failed("there are too many objects".to_owned()))?;
    let mut buffer = Vec::new();
    let entries = ids.iter().map(|id| {
        let data = objects.try_find(id, &mut buffer)?;
        let data =
            data.ok_or_else(|| gix_error::Error::from_error(unreadable(id, "it is missing")))?;
        let entry = Entry::from_data(&Count::from_data(*id, None), &data, Compression::BEST_SPEED)?;
        Ok(vec![entry])
    });
    let mut writer = FromEntriesIter::new(entries, BufWriter::new(file), count, Version::V2, HASH);
    for written in writer.by_ref() {
        written.map_err(|error| failed(chain(&error)))?;
    }
    let mut buffered = writer.into_write();
    buffered.flush().map_err(io_failed)?;
    let mut file = buffered
        .into_inner()
        .map_err(|error| failed(error.to_string()))?;
    file.rewind().map_err(io_failed)?;
    Ok(BufReader::new(file))
}

fn read<'a>(
    objects: &impl Find,
    id: &gix_hash::oid,
    buffer: &'a mut Vec<u8>,
) -> Result<(Kind, &'a [u8]), Error> {
    let found = objects
        .try_find(id, buffer)
        .map_err(|error| unreadable(id, &chain(&error)))?;
    let found = found.ok_or_else(|| unreadable(id, "it is missing"))?;
    Ok((found.kind, found.data))
}

fn unreadable(id: &gix_hash::oid, message: &str) -> Error {
    Error::Object {
        id: from_gix(id).map(|id| id.to_string()).unwrap_or_default(),
        message: message.to_owned(),
    }
}
