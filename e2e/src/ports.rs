//! Free ports on the loopback interface.

use std::{
    collections::hash_map::RandomState,
    hash::{BuildHasher, Hasher},
    net::{Ipv4Addr, TcpStream},
};

use anyhow::{Result, bail};

/// Ports below the range from which the kernel takes the local ends of connections.
///
/// A port in that range can be taken between our look and the server's `bind`, and a server that
/// went away could not come back to its port.
const RANGE: std::ops::Range<u16> = 10_240..32_000;

/// Returns a port that nothing listens on right now.
pub(crate) fn free() -> Result<u16> {
    for _ in 0..200 {
        let port = RANGE.start + random() % (RANGE.end - RANGE.start);
        // To bind it would be the surer test, but a child that another thread forks at this moment
        // would hold the port until it has become another program.
        if TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
            return Ok(port);
        }
    }
    bail!(
        "no free port on 127.0.0.1 between {} and {}",
        RANGE.start,
        RANGE.end
    )
}

/// Returns a number that differs between threads and processes (the hasher's keys are random).
fn random() -> u16 {
    let bits = RandomState::new().build_hasher().finish();
    u16::try_from(bits & 0xffff).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn a_free_port_can_be_bound() {
        let port = free().unwrap();
        assert!(RANGE.contains(&port));
        TcpListener::bind((Ipv4Addr::LOCALHOST, port)).unwrap();
    }
}
