//! Endpoints on loopback, and how streams between them end.
use crate::json;
use anyhow::Context;
use iroh::{
    endpoint::{presets, Connection, ConnectionError, ReadError, RelayMode},
    Endpoint, EndpointAddr, EndpointId, RelayUrl, SecretKey,
};
use iroh_blobs::ALPN;
use std::{io, net::IpAddr, str::FromStr, time::Duration};
use tokio::time::timeout;

/// Without a relay, reached at the IP address `at` alone, or else on 127.0.0.1; with one, through it alone.
pub async fn bind(secret: Option<&str>, relay: Option<&str>, at: Option<&str>) -> anyhow::Result<Endpoint> {
    let builder = Endpoint::builder(presets::Minimal).clear_ip_transports();
    let mut builder = match relay {
        Some(url) => builder.relay_mode(RelayMode::custom([RelayUrl::from_str(url)?])),
        None => builder
            .relay_mode(RelayMode::Disabled)
            .bind_addr((IpAddr::from_str(at.unwrap_or("127.0.0.1"))?, 0))?,
    }
    .alpns(vec![ALPN.to_vec()]);
    if let Some(secret) = secret {
        builder = builder.secret_key(SecretKey::from_str(secret)?);
    }
    Ok(builder.bind().await?)
}

/// Where an endpoint of this process is.
pub fn here(endpoint: &Endpoint, relay: Option<&str>) -> anyhow::Result<EndpointAddr> {
    let addr = EndpointAddr::new(endpoint.id());
    Ok(match relay {
        Some(url) => addr.with_relay_url(RelayUrl::from_str(url)?),
        None => endpoint
            .bound_sockets()
            .into_iter()
            .fold(addr, |addr, at| addr.with_ip_addr(at)),
    })
}

/// `id` and `addresses` (by commas) as the command line has them.
pub fn peer(id: &str, addresses: &str, relay: Option<&str>) -> anyhow::Result<EndpointAddr> {
    let mut addr = EndpointAddr::new(EndpointId::from_str(id)?);
    if let Some(url) = relay {
        return Ok(addr.with_relay_url(RelayUrl::from_str(url)?));
    }
    for address in addresses.split(',') {
        addr = addr.with_ip_addr(address.parse().context("not an address")?);
    }
    Ok(addr)
}

pub async fn connect(endpoint: &Endpoint, addr: EndpointAddr) -> anyhow::Result<Connection> {
    Ok(timeout(Duration::from_secs(10), endpoint.connect(addr, ALPN)).await??)
}

/// How reading ended, as JSON members.
pub fn end(error: &ReadError) -> String {
    match error {
        ReadError::Reset(code) => format!("\"end\":\"reset\",\"code\":{code}"),
        ReadError::ConnectionLost(ConnectionError::ApplicationClosed(close)) => {
            format!("\"end\":\"closed\",\"code\":{}", close.error_code)
        }
        error => format!("\"end\":\"lost\",\"error\":{}", json::text(&error.to_string())),
    }
}

/// The same for an error that the getter wraps.
pub fn end_of_io(error: &io::Error) -> String {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<ReadError>()) {
        Some(inner) => end(inner),
        None => format!("\"end\":\"lost\",\"error\":{}", json::text(&error.to_string())),
    }
}

/// What a peer sent back on a stream.
pub struct Reply {
    pub bytes: Vec<u8>,
    /// JSON members; `open` when it said nothing more for a while.
    pub end: String,
    /// The code with which the peer stopped reading.
    pub stopped: Option<u64>,
}

/// Sends bytes on a new stream and reads what comes back.
pub async fn exchange(connection: &Connection, request: &[u8]) -> anyhow::Result<Reply> {
    let (mut send, mut receive) = connection.open_bi().await?;
    // A peer that refuses may stop reading before all is written.
    let written = send.write_all(request).await;
    send.finish().ok();
    let mut bytes = Vec::new();
    let end = loop {
        match timeout(Duration::from_secs(2), receive.read_chunk(65_536)).await {
            Err(_) => break "\"end\":\"open\"".to_string(),
            Ok(Ok(Some(chunk))) => bytes.extend_from_slice(&chunk),
            Ok(Ok(None)) => break "\"end\":\"finished\"".to_string(),
            Ok(Err(error)) => break end(&error),
        }
    };
    let stopped = match written {
        Err(iroh::endpoint::WriteError::Stopped(code)) => Some(code.into_inner()),
        Err(_) => None,
        Ok(()) => match timeout(Duration::from_millis(100), send.stopped()).await {
            Ok(Ok(code)) => code.map(|code| code.into_inner()),
            _ => None,
        },
    };
    Ok(Reply { bytes, end, stopped })
}

impl Reply {
    /// JSON members.
    pub fn json(&self) -> String {
        let stopped = self.stopped.map_or("null".to_string(), |code| code.to_string());
        format!(
            "\"answer\":{},{},\"stopped\":{stopped}",
            json::bytes(&self.bytes),
            self.end
        )
    }
}
