//! A port that is ours from the choice to the end.
//!
//! To ask the kernel for a free port, close it and hand its number on is a race: in between, another process can take
//! it, and again whenever the API server is stopped for a while. So the socket stays bound here, never listening, with
//! `SO_REUSEPORT`, and the API server binds the same port beside it (`--permit-port-sharing`). The kernel gives a port
//! bound so to nobody who asks for any port, and to nobody of another user; a client that connects while the API
//! server is down is refused.

use std::io;
use std::net::{Ipv4Addr, SocketAddrV4};

use tokio::net::TcpSocket;

/// A TCP port on 127.0.0.1, kept for as long as this value lives.
#[derive(Debug)]
pub(crate) struct ReservedPort {
    _socket: TcpSocket,
    number: u16,
}

impl ReservedPort {
    /// One that the kernel chooses.
    pub(crate) fn any() -> io::Result<Self> {
        let socket = TcpSocket::new_v4()?;
        socket.set_reuseport(true)?;
        socket.bind(SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0).into())?;
        let number = socket.local_addr()?.port();
        Ok(Self { _socket: socket, number })
    }

    /// Its number.
    pub(crate) fn number(&self) -> u16 {
        self.number
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::net::{TcpListener, TcpStream};

    use super::*;

    #[test]
    fn nobody_else_gets_a_reserved_port() {
        let reserved: Vec<_> = (0..200).map(|_| ReservedPort::any().unwrap()).collect();
        let numbers: BTreeSet<_> = reserved.iter().map(ReservedPort::number).collect();
        assert_eq!(numbers.len(), reserved.len());
        let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, reserved[0].number())).unwrap_err();
        assert_eq!(taken.kind(), io::ErrorKind::AddrInUse);
    }

    #[test]
    fn a_reserved_port_refuses_until_its_server_listens() {
        let port = ReservedPort::any().unwrap();
        let address = SocketAddrV4::new(Ipv4Addr::LOCALHOST, port.number());
        assert_eq!(TcpStream::connect(address).unwrap_err().kind(), io::ErrorKind::ConnectionRefused);

        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().unwrap();
        let _entered = runtime.enter();
        let server = TcpSocket::new_v4().unwrap();
        server.set_reuseport(true).unwrap();
        server.bind(address.into()).unwrap();
        let _listener = server.listen(1).unwrap();
        TcpStream::connect(address).unwrap();
    }
}
