//! Tickets (KEZ-FIL-008, KEZ-FIL-012, KEZ-FIL-013).
use crate::data::forms;
use crate::identity::keys::PublicKey;
use crate::problem::{ensure, Code, Problem, Result};
use data_encoding::BASE32_NOPAD;
use std::net::{IpAddr, SocketAddr};
use url::Url;

const PREFIX: &str = "blob";

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

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn bytes(&mut self, length: usize) -> Result<&'a [u8]> {
        let (head, rest) = self
            .0
            .split_at_checked(length)
            .ok_or_else(|| malformed("it ends early"))?;
        self.0 = rest;
        Ok(head)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        self.bytes(N)?.try_into().map_err(|_| malformed("it ends early"))
    }

    fn byte(&mut self) -> Result<u8> {
        Ok(self.array::<1>()?[0])
    }

    fn varint(&mut self) -> Result<u64> {
        let mut number = 0;
        for shift in (0..63).step_by(7) {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(number);
            }
        }
        Err(malformed("a number beyond 2^63"))
    }

    fn address(&mut self) -> Result<SocketAddr> {
        let ip = match self.byte()? {
            0 => IpAddr::from(self.array::<4>()?),
            1 => IpAddr::from(self.array::<16>()?),
            _ => return Err(malformed("an address of another kind")),
        };
        let port = u16::try_from(self.varint()?).map_err(|_| malformed("a port beyond 65535"))?;
        Ok(SocketAddr::new(ip, port))
    }
}

/// `number` in seven bits a byte, the lowest first.
pub fn write_varint(mut number: u64, out: &mut Vec<u8>) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

impl Ticket {
    /// Parses a ticket and refuses every text but the one that `write` makes of it.
    pub fn parse(text: &str) -> Result<Self> {
        let digits = text.strip_prefix(PREFIX).ok_or_else(|| malformed("another prefix"))?;
        let bytes = BASE32_NOPAD.decode(digits.to_ascii_uppercase().as_bytes());
        let bytes = bytes.map_err(|_| malformed("not base32"))?;
        let mut reader = Reader(&bytes);
        ensure(reader.byte()? == 0, Code::TicketMalformed, "an unknown variant")?;
        let endpoint = reader.array()?;
        let relay = match reader.byte()? {
            0 => None,
            1 => {
                let length = usize::try_from(reader.varint()?).map_err(|_| malformed("it ends early"))?;
                Some(relay(reader.bytes(length)?)?)
            }
            _ => return Err(malformed("a wrong tag before the relay")),
        };
        let count = reader.varint()?;
        let mut addresses = Vec::new();
        for _ in 0..count {
            addresses.push(reader.address()?);
        }
        let rising = addresses.windows(2).all(|pair| pair[0] < pair[1]);
        ensure(rising, Code::TicketMalformed, "addresses that are not rising")?;
        let format = match reader.byte()? {
            0 => Format::Raw,
            1 => Format::HashSequence,
            _ => return Err(malformed("an unknown format")),
        };
        let hash = reader.array()?;
        ensure(reader.0.is_empty(), Code::TicketMalformed, "something follows the hash")?;
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
    let normal = url.as_str() == text && matches!(url.scheme(), "http" | "https");
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
