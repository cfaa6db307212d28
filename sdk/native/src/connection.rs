//! Connections, from the first packet of a stranger to their end.
use crate::{
    endpoint::EndpointId,
    failure::{failed, invalid, quic_integer},
    stream::{BiStream, RecvStream, SendStream},
};
use napi::{bindgen_prelude::BigInt, Result};
use napi_derive::napi;
use std::sync::Mutex;

/// From where somebody connects.
#[napi(object)]
pub struct IncomingAddr {
    /// `ip`, `relay` or `custom`.
    pub kind: String,
}

/// Somebody who connects. Refused when it is forgotten.
#[napi]
pub struct Incoming(Mutex<Option<iroh::endpoint::Incoming>>);

impl Incoming {
    pub(crate) fn new(incoming: iroh::endpoint::Incoming) -> Self {
        Self(Mutex::new(Some(incoming)))
    }

    fn take(&self) -> Result<iroh::endpoint::Incoming> {
        let incoming = self.0.lock().map_err(failed)?.take();
        incoming.ok_or_else(|| invalid("this connection was answered before"))
    }
}

#[napi]
impl Incoming {
    /// From where, as far as the first packet tells.
    #[napi]
    pub async fn remote_addr(&self) -> Result<IncomingAddr> {
        let incoming = self.0.lock().map_err(failed)?;
        let incoming = incoming
            .as_ref()
            .ok_or_else(|| invalid("this connection was answered before"))?;
        let kind = match incoming.remote_addr() {
            iroh::endpoint::IncomingAddr::Ip(_) => "ip",
            iroh::endpoint::IncomingAddr::Relay { .. } => "relay",
            _ => "custom",
        };
        Ok(IncomingAddr { kind: kind.into() })
    }

    /// Does not let it in.
    #[napi]
    pub async fn refuse(&self) -> Result<()> {
        self.take()?.refuse();
        Ok(())
    }

    /// Begins the handshake.
    #[napi]
    pub async fn accept(&self) -> Result<Accepting> {
        let accepting = self.take()?.accept().map_err(failed)?;
        Ok(Accepting(Mutex::new(Some(accepting))))
    }
}

/// A handshake with somebody who connects.
#[napi]
pub struct Accepting(Mutex<Option<iroh::endpoint::Accepting>>);

#[napi]
impl Accepting {
    /// Ends the handshake: afterwards the peer has proven its key.
    #[napi]
    pub async fn connect(&self) -> Result<Connection> {
        let accepting = self.0.lock().map_err(failed)?.take();
        let accepting = accepting.ok_or_else(|| invalid("this handshake was awaited before"))?;
        accepting.await.map(Connection).map_err(failed)
    }
}

/// One way to the peer that is open.
#[napi(object)]
pub struct PathSnapshot {
    /// Bytes are sent on this one.
    pub is_selected: bool,
    pub is_relay: bool,
}

/// A connection with a peer that has proven its key.
#[napi]
pub struct Connection(pub(crate) iroh::endpoint::Connection);

fn pair((send, recv): (iroh::endpoint::SendStream, iroh::endpoint::RecvStream)) -> BiStream {
    BiStream::new(SendStream::new(send), RecvStream::new(recv))
}

#[napi]
impl Connection {
    /// The peer's key.
    #[napi(catch_unwind)]
    pub fn remote_id(&self) -> EndpointId {
        EndpointId(self.0.remote_id())
    }

    /// The ways to the peer that are open now.
    #[napi(catch_unwind)]
    pub fn paths(&self) -> Vec<PathSnapshot> {
        let paths = self.0.paths();
        let snapshots = paths.iter().map(|path| PathSnapshot {
            is_selected: path.is_selected(),
            is_relay: path.is_relay(),
        });
        snapshots.collect()
    }

    /// Opens a stream. Waits while the peer accepts no more.
    #[napi]
    pub async fn open_bi(&self) -> Result<BiStream> {
        self.0.open_bi().await.map(pair).map_err(failed)
    }

    /// The next stream that the peer opens.
    #[napi]
    pub async fn accept_bi(&self) -> Result<BiStream> {
        self.0.accept_bi().await.map(pair).map_err(failed)
    }

    /// Closes the connection and its streams.
    #[napi(catch_unwind)]
    pub fn close(&self, error_code: BigInt, reason: Vec<u8>) -> Result<()> {
        self.0.close(quic_integer(error_code)?, &reason);
        Ok(())
    }

    /// How many streams in one direction the peer may open.
    #[napi(catch_unwind)]
    pub fn set_max_concurrent_uni_streams(&self, count: BigInt) -> Result<()> {
        self.0.set_max_concurrent_uni_streams(quic_integer(count)?);
        Ok(())
    }

    /// How many streams in both directions the peer may open.
    #[napi(catch_unwind)]
    pub fn set_max_concurrent_bi_streams(&self, count: BigInt) -> Result<()> {
        self.0.set_max_concurrent_bi_streams(quic_integer(count)?);
        Ok(())
    }

    /// How many bytes the peer may send before they are read.
    #[napi(catch_unwind)]
    pub fn set_receive_window(&self, count: BigInt) -> Result<()> {
        self.0.set_receive_window(quic_integer(count)?);
        Ok(())
    }
}
