//! Tickets (KEZ-FIL-008, KEZ-FIL-012, KEZ-FIL-013).
use super::reader::{write_varint, Reader};
use crate::data::forms;
use crate::identity::keys::PublicKey;
use crate::problem::{ensure, Code, Problem, Result};
use data_encoding::BASE32_NOPAD;
use std::net::{IpAddr, SocketAddr};
use url::Url;

const PREFIX: &str = "blob";
const RELAY_LIMIT: usize = 512;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Raw,
    HashSequence,
}

#[derive(Debug)]
pub struct Ticket {
    pub endpoint: PublicKey,
    pub relay: Option<String>,
    pub addresses: Vec<SocketAddr>,
    pub format: Format,
    pub hash: [u8; 32],
}

fn malformed(message: &'static str) -> Problem {
    Code::TicketMalformed.because(message)
}

fn address(reader: &mut Reader<'_>) -> Result<SocketAddr> {
    let ip = match reader.byte()? {
        0 => IpAddr::from(reader.array::<4>()?),
        1 => IpAddr::from(reader.array::<16>()?),
        _ => return Err(malformed("an address of another kind")),
    };
    let port = u16::try_from(reader.varint()?).map_err(|_| malformed("a port beyond 65535"))?;
    Ok(SocketAddr::new(ip, port))
}

impl Ticket {
    /// Parses a ticket and refuses every text but the one that `write` makes of it.
    pub fn parse(text: &str) -> Result<Self> {
        let digits = text.strip_prefix(PREFIX).ok_or_else(|| malformed("another prefix"))?;
        let bytes = BASE32_NOPAD.decode(digits.to_ascii_uppercase().as_bytes());
        let bytes = bytes.map_err(|_| malformed("not base32"))?;
        let mut reader = Reader::new(&bytes, Code::TicketMalformed);
        ensure(reader.byte()? == 0, Code::TicketMalformed, "an unknown variant")?;
        let endpoint = reader.array()?;
        let relay = match reader.byte()? {
            0 => None,
            1 => {
                let length = reader.varint()?;
                Some(relay(reader.bytes(length)?)?)
            }
            _ => return Err(malformed("a wrong tag before the relay")),
        };
        let count = reader.varint()?;
        let mut addresses = Vec::new();
        for _ in 0..count {
            addresses.push(address(&mut reader)?);
        }
        let rising = addresses.windows(2).all(|pair| pair[0] < pair[1]);
        ensure(rising, Code::TicketMalformed, "addresses that are not rising")?;
        let format = match reader.byte()? {
            0 => Format::Raw,
            1 => Format::HashSequence,
            _ => return Err(malformed("an unknown format")),
        };
        let hash = reader.array()?;
        reader.end()?;
        let ticket = Self {
            endpoint: PublicKey::admit(endpoint)?,
            relay,
            addresses,
            format,
            hash,
        };
        ensure(
            ticket.write() == text,
            Code::TicketMalformed,
            "not what the ticket would be written as",
        )?;
        Ok(ticket)
    }

    pub fn write(&self) -> String {
        let mut bytes = vec![0];
        bytes.extend_from_slice(self.endpoint.bytes());
        bytes.push(u8::from(self.relay.is_some()));
        if let Some(relay) = &self.relay {
            write_varint(relay.len() as u64, &mut bytes);
            bytes.extend_from_slice(relay.as_bytes());
        }
        write_varint(self.addresses.len() as u64, &mut bytes);
        for address in &self.addresses {
            match address.ip() {
                IpAddr::V4(ip) => {
                    bytes.push(0);
                    bytes.extend_from_slice(&ip.octets());
                }
                IpAddr::V6(ip) => {
                    bytes.push(1);
                    bytes.extend_from_slice(&ip.octets());
                }
            }
            write_varint(u64::from(address.port()), &mut bytes);
        }
        bytes.push(u8::from(self.format == Format::HashSequence));
        bytes.extend_from_slice(&self.hash);
        format!("{PREFIX}{}", BASE32_NOPAD.encode(&bytes).to_ascii_lowercase())
    }
}

fn relay(bytes: &[u8]) -> Result<String> {
    let text = std::str::from_utf8(bytes).map_err(|_| malformed("a relay that is no text"))?;
    let url = Url::parse(text).map_err(|_| malformed("a relay that is no URL"))?;
    let normal = text.len() <= RELAY_LIMIT && url.as_str() == text && matches!(url.scheme(), "http" | "https");
    ensure(
        normal,
        Code::TicketMalformed,
        "a relay of another scheme, or not in the normal form",
    )?;
    Ok(text.to_owned())
}

/// The ticket of an offer or entry by `owner` for the blob `blake3:…` (KEZ-FIL-008).
pub fn shared(text: &str, owner: &PublicKey, blob_hash: &str) -> Result<Ticket> {
    let ticket = Ticket::parse(text)?;
    let of_blob = format!("blake3:{}", forms::hex(&ticket.hash)) == blob_hash;
    let own = ticket.endpoint == *owner && of_blob && ticket.format == Format::Raw && ticket.addresses.is_empty();
    ensure(own, Code::TicketMismatch, "a ticket of another account, blob or form")?;
    Ok(ticket)
}
