//! Loopback addresses that are a cloud's own, so that several clouds on one machine never mix their instances up.

use std::io;
use std::net::{Ipv4Addr, SocketAddrV4, TcpListener};

/// Above what systems give out by themselves.
const PORT: u16 = 61_007;

/// A quarter of a million loopback addresses, `127.<n>.0.0/14`. They are this process's until it lets go of the
/// reservation or dies, however it dies: what is held is a listening socket.
#[derive(Debug)]
pub(super) struct Network {
    base: Ipv4Addr,
    _reservation: TcpListener,
}

/// There are no addresses for instances.
#[derive(Debug, thiserror::Error)]
#[error(
    "no loopback addresses for instances, tried 127.4.0.0/14 to 127.252.0.0/14: real instances need a system that \
     answers on all of 127.0.0.0/8, as Linux does, and no more than 63 local clouds at a time ({0})"
)]
pub struct NoNetwork(io::Error);

impl Network {
    /// Reserves one that nobody else has.
    pub(super) fn reserve() -> Result<Self, NoNetwork> {
        // Clouds of one process come one after another, those of others anywhere.
        let start = std::process::id() % 63;
        let mut refused = io::Error::from(io::ErrorKind::AddrNotAvailable);
        for n in (1..=63).cycle().skip(start as usize).take(63) {
            let base = Ipv4Addr::new(127, 4 * n, 0, 0);
            match TcpListener::bind(SocketAddrV4::new(Ipv4Addr::from_bits(base.to_bits() + 1), PORT)) {
                Ok(reservation) => return Ok(Self { base, _reservation: reservation }),
                Err(error) => refused = error,
            }
        }
        Err(NoNetwork(refused))
    }

    /// The first address for an instance.
    pub(super) fn first(&self) -> Ipv4Addr {
        // The one before is the reservation's.
        Ipv4Addr::from_bits(self.base.to_bits() + 2)
    }
}

#[cfg(test)]
mod tests {
    use super::Network;

    #[cfg(target_os = "linux")]
    #[test]
    fn no_two_clouds_have_the_same_addresses() {
        let (one, other) = (Network::reserve().expect("a network"), Network::reserve().expect("another"));
        assert_ne!(one.first(), other.first());
    }
}
