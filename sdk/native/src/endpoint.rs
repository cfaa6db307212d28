//! Endpoints, addresses and the dials between them.
use crate::{
    connection::{Connection, Incoming},
    failure::{failed, invalid},
};
use iroh::endpoint::presets;
use napi::Result;
use napi_derive::napi;
use std::{net::SocketAddr, sync::Mutex};

/// Which relays an endpoint uses.
#[napi]
pub struct RelayMode(iroh::RelayMode);

#[napi]
impl RelayMode {
    /// None.
    #[napi(factory, catch_unwind)]
    pub fn disabled() -> Self {
        Self(iroh::RelayMode::Disabled)
    }

    /// Those of n0.
    #[napi(factory, catch_unwind)]
    pub fn default_mode() -> Self {
        Self(iroh::RelayMode::Default)
    }

    /// These and no others.
    #[napi(factory, catch_unwind)]
    pub fn custom_from_urls(urls: Vec<String>) -> Result<Self> {
        let urls = urls.iter().map(|url| url.parse().map_err(failed));
        Ok(Self(iroh::RelayMode::custom(
            urls.collect::<Result<Vec<iroh::RelayUrl>>>()?,
        )))
    }
}

/// The public key that names an endpoint.
#[napi]
pub struct EndpointId(pub(crate) iroh::EndpointId);

#[napi]
impl EndpointId {
    /// Throws unless these are the 32 bytes of a key.
    #[napi(factory, catch_unwind)]
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Self> {
        let bytes: &[u8; 32] = bytes[..].try_into().map_err(|_| invalid("a key has 32 bytes"))?;
        iroh::EndpointId::from_bytes(bytes).map(Self).map_err(failed)
    }

    /// Its 32 bytes.
    #[napi(catch_unwind)]
    pub fn to_bytes(&self) -> Vec<u8> {
        self.0.as_bytes().to_vec()
    }
}

/// An endpoint and where it can be reached.
#[napi]
pub struct EndpointAddr(iroh::EndpointAddr);

#[napi]
impl EndpointAddr {
    /// Throws for addresses other than `ip:port` and a relay that is no URL.
    #[napi(constructor, catch_unwind)]
    pub fn new(id: &EndpointId, relay_url: Option<String>, addresses: Option<Vec<String>>) -> Result<Self> {
        let mut addr = iroh::EndpointAddr::new(id.0);
        if let Some(url) = relay_url {
            addr = addr.with_relay_url(url.parse().map_err(failed)?);
        }
        for address in addresses.unwrap_or_default() {
            addr = addr.with_ip_addr(address.parse::<SocketAddr>().map_err(failed)?);
        }
        Ok(Self(addr))
    }

    /// Each as `ip:port`.
    #[napi(catch_unwind)]
    pub fn direct_addresses(&self) -> Vec<String> {
        self.0.ip_addrs().map(ToString::to_string).collect()
    }

    /// The first relay.
    #[napi(catch_unwind)]
    pub fn relay_url(&self) -> Option<String> {
        self.0.relay_urls().next().map(ToString::to_string)
    }
}

/// What an endpoint will be; used up by `bind`.
#[napi]
pub struct EndpointBuilder(Mutex<Option<iroh::endpoint::Builder>>);

impl EndpointBuilder {
    fn change(&self, change: impl FnOnce(iroh::endpoint::Builder) -> Result<iroh::endpoint::Builder>) -> Result<()> {
        let mut inner = self.0.lock().map_err(failed)?;
        let builder = inner.take().ok_or_else(|| invalid("this builder was used before"))?;
        *inner = Some(change(builder)?);
        Ok(())
    }
}

#[napi]
impl EndpointBuilder {
    /// Throws unless these are 32 bytes.
    #[napi(catch_unwind)]
    pub fn secret_key(&self, mut bytes: Vec<u8>) -> Result<()> {
        let key = <&[u8; 32]>::try_from(&bytes[..]).map(iroh::SecretKey::from_bytes);
        bytes.fill(0);
        let key = key.map_err(|_| invalid("a secret key has 32 bytes"))?;
        self.change(|builder| Ok(builder.secret_key(key)))
    }

    /// The protocols that are accepted.
    #[napi(catch_unwind)]
    pub fn alpns(&self, alpns: Vec<Vec<u8>>) -> Result<()> {
        self.change(|builder| Ok(builder.alpns(alpns)))
    }

    /// The relays that are used.
    #[napi(catch_unwind)]
    pub fn relay_mode(&self, mode: &RelayMode) -> Result<()> {
        self.change(|builder| Ok(builder.relay_mode(mode.0.clone())))
    }

    /// Another `ip:port` to listen on. Throws for anything else.
    #[napi(catch_unwind)]
    pub fn bind_addr(&self, address: String) -> Result<()> {
        self.change(|builder| builder.bind_addr(address.as_str()).map_err(failed))
    }

    /// Opens the endpoint.
    #[napi]
    pub async fn bind(&self) -> Result<Endpoint> {
        let builder = self.0.lock().map_err(failed)?.take();
        let builder = builder.ok_or_else(|| invalid("this builder was used before"))?;
        builder.bind().await.map(Endpoint).map_err(failed)
    }
}

/// Cryptography, and no service that would be told of this endpoint.
#[napi(catch_unwind)]
pub fn preset_minimal(builder: &EndpointBuilder) -> Result<()> {
    builder.change(|inner| Ok(inner.preset(presets::Minimal)))
}

/// An open endpoint.
#[napi]
pub struct Endpoint(iroh::Endpoint);

#[napi]
impl Endpoint {
    /// A builder without any setting.
    #[napi(catch_unwind)]
    pub fn builder() -> EndpointBuilder {
        EndpointBuilder(Mutex::new(Some(iroh::endpoint::Builder::empty())))
    }

    /// Its name.
    #[napi(catch_unwind)]
    pub fn id(&self) -> EndpointId {
        EndpointId(self.0.id())
    }

    /// Where it can be reached now.
    #[napi(catch_unwind)]
    pub fn addr(&self) -> EndpointAddr {
        EndpointAddr(self.0.addr())
    }

    /// Where it listens, each as `ip:port`.
    #[napi(catch_unwind)]
    pub fn bound_sockets(&self) -> Vec<String> {
        self.0.bound_sockets().iter().map(ToString::to_string).collect()
    }

    /// Dials a peer.
    #[napi]
    pub async fn connect(&self, addr: &EndpointAddr, alpn: Vec<u8>) -> Result<Connection> {
        let connected = self.0.connect(addr.0.clone(), &alpn).await;
        connected.map(Connection).map_err(failed)
    }

    /// The next connection from outside; null once the endpoint is closed.
    #[napi]
    pub async fn accept_next(&self) -> Option<Incoming> {
        self.0.accept().await.map(Incoming::new)
    }

    /// Closes the endpoint and all its connections.
    #[napi]
    pub async fn close(&self) {
        self.0.close().await
    }
}
