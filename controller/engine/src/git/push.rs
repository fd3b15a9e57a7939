//! The other direction: one branch of a server is moved to one new commit.
//!
//! The server compares and swaps: it moves the branch only from the commit that we name, so that
//! nobody's commit is ever pushed away by one of ours that does not know it.

mod pack;
mod report;

use std::io::Write;

use flux_core::git::ObjectId;
use gix_object::Kind;
use gix_protocol::Handshake;
use gix_transport::{
    Service,
    client::{MessageKind, WriteMode, blocking_io::Transport},
    packetline::{PacketLineRef, blocking_io::encode},
};
use gix_utils::progress::Discard;

pub(crate) use self::pack::pack;
pub(crate) use self::report::{Answer, clean};
use super::{error::Error, file, id::from_gix, line::Line};

/// A new object: its id, its kind and its bytes.
#[derive(Debug, Clone)]
pub(crate) struct Object {
    pub(crate) id: ObjectId,
    pub(crate) kind: Kind,
    pub(crate) data: Vec<u8>,
}

/// What is asked of the server.
#[derive(Debug)]
pub(crate) struct Update<'a> {
    /// The full name of the branch.
    pub(crate) ref_name: &'a str,
    /// Where it has to be; `None` if it must not be there yet.
    pub(crate) old: Option<ObjectId>,
    /// Where it shall be.
    pub(crate) new: ObjectId,
    /// What the server lacks.
    pub(crate) objects: &'a [Object],
}

/// What came of it.
#[derive(Debug)]
pub(crate) struct Sent {
    pub(crate) answer: Answer,
    pub(crate) bytes: u64,
}

/// A conversation with the server of one repository, to push.
pub(crate) struct Push(Way);

enum Way {
    Server(Box<Server>),
    File(Box<file::Target>),
}

struct Server {
    transport: Box<dyn Transport + Send>,
    handshake: Handshake,
    line: Line,
    is_done: bool,
}

impl Push {
    pub(crate) fn file(target: file::Target) -> Self {
        Self(Way::File(Box::new(target)))
    }

    pub(crate) fn open(
        mut transport: Box<dyn Transport + Send>,
        line: Line,
    ) -> Result<Self, Error> {
        let handshake = gix_protocol::handshake(
            &mut transport,
            Service::ReceivePack,
            |_| Ok(None),
            Vec::new(),
            &mut Discard,
        );
        let handshake = handshake.map_err(|error| line.explain("connecting to push", &error))?;
        Ok(Self(Way::Server(Box::new(Server {
            transport,
            handshake,
            line,
            is_done: false,
        }))))
    }

    /// Asks for the update. An error leaves open whether it was done: look at the branch then.
    pub(crate) fn update(self, update: &Update<'_>) -> Result<Sent, Error> {
        match self.0 {
            Way::Server(mut server) => server.update(update),
            Way::File(target) => target.update(update),
        }
    }
}

impl Server {
    fn update(&mut self, update: &Update<'_>) -> Result<Sent, Error> {
        if self.current(update.ref_name) != update.old {
            let reason = "the branch was moved meanwhile".to_owned();
            return Ok(Sent {
                answer: Answer::Rejected(reason),
                bytes: 0,
            });
        }
        let request = self.request(update)?;
        let bytes = request.len() as u64;
        self.is_done = true;
        let (data, talk) = self.exchange(&request).map_err(|error| {
            let error: Box<dyn std::error::Error> = error;
            self.line.explain("pushing", &*error)
        })?;
        let answer = if self.reports() {
            report::read(&data, &talk, update.ref_name).map_err(|message| Error::Protocol {
                doing: "pushing",
                message,
            })?
        } else {
            Answer::Silent
        };
        Ok(Sent { answer, bytes })
    }

    fn current(&self, ref_name: &str) -> Option<ObjectId> {
        let refs = self.handshake.refs.as_deref().unwrap_or_default();
        refs.iter().find_map(|found| {
            let (name, id, _) = found.unpack();
            (name == ref_name).then(|| from_gix(id?)).flatten()
        })
    }

    fn reports(&self) -> bool {
        self.handshake.capabilities.contains("report-status")
    }

    /// One line that says what to move, then a pack of the objects.
    fn request(&self, update: &Update<'_>) -> Result<Vec<u8>, Error> {
        let failed = |message: String| Error::Protocol {
            doing: "preparing a push",
            message,
        };
        let zero = ObjectId::from_bytes([0; 20]);
        let mut line = format!(
            "{} {} {}\0",
            update.old.unwrap_or(zero),
            update.new,
            update.ref_name
        );
        let offered = &self.handshake.capabilities;
        for capability in ["report-status", "side-band-64k", "quiet"] {
            if offered.contains(capability) {
                line.push(' ');
                line.push_str(capability);
            }
        }
        if offered.contains("object-format") {
            line.push_str(" object-format=sha1");
        }
        if offered.contains("agent") {
            line.push_str(concat!(" agent=git/2-flux-", env!("CARGO_PKG_VERSION")));
        }
        let mut request = Vec::new();
        encode::data_to_write(line.as_bytes(), &mut request)
            .and_then(|_| encode::flush_to_write(&mut request))
            .map_err(|error| failed(error.to_string()))?;
        request.extend(pack(update.objects)?);
        Ok(request)
    }

    /// Sends the request; returns the report, and what the server says beside it.
    fn exchange(
        &mut self,
        request: &[u8],
    ) -> Result<(Vec<u8>, report::Talk), Box<dyn std::error::Error + Send + Sync>> {
        let has_bands = self.handshake.capabilities.contains("side-band-64k");
        let writer = self
            .transport
            .request(WriteMode::Binary, MessageKind::Flush, false)?;
        let (mut writer, mut reader) = writer.into_parts();
        writer.write_all(request)?;
        writer.flush()?;
        drop(writer);
        let mut data = Vec::new();
        let mut talk = report::Talk::default();
        while let Some(line) = reader.readline() {
            let PacketLineRef::Data(line) = line?? else {
                break;
            };
            match (has_bands, line.split_first()) {
                (true, Some((1, more))) => report::extend(&mut data, more)?,
                (true, Some((2, more))) => talk.add(more),
                (true, Some((3, more))) => talk.fail(more),
                (true, _) => {}
                (false, _) => {
                    encode::data_to_write(line, &mut data)?;
                }
            }
        }
        Ok((data, talk))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if !self.is_done {
            // A server that is told so does not log a broken connection. If that fails, it is gone anyway.
            gix_protocol::indicate_end_of_interaction(&mut self.transport, false).ok();
        }
    }
}
