//! Requests of the blobs protocol (KEZ-FIL-019, KEZ-FIL-022).
use super::ranges::Ranges;
use super::reader::{write_varint, Reader};
use crate::problem::{ensure, Code, Result};

const LIMIT: usize = 65_536;
const GET: u8 = 0;
const OBSERVE: u8 = 1;
const PUSH: u8 = 8;
const GET_MANY: u8 = 9;

pub fn write(hash: &[u8; 32], ranges: &Ranges) -> Vec<u8> {
    let mut request = vec![GET];
    request.extend_from_slice(hash);
    if ranges.0.is_empty() {
        request.push(0);
        return request;
    }
    request.extend_from_slice(&[2, 0]);
    write_varint(ranges.0.len() as u64, &mut request);
    let mut previous = 0;
    for boundary in &ranges.0 {
        write_varint(boundary - previous, &mut request);
        previous = *boundary;
    }
    request.extend_from_slice(&[1, 0]);
    request
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Request {
    /// `listed` where it asks for blobs that the blob lists as well.
    Get {
        listed: bool,
    },
    GetMany,
    Observe,
    Push,
}

/// Reads a request; of the kinds that are refused anyway, nothing but the first byte.
pub fn read(bytes: &[u8]) -> Result<Request> {
    ensure(bytes.len() <= LIMIT, Code::RequestMalformed, "more than 65,536 bytes")?;
    let mut reader = Reader::new(bytes, Code::RequestMalformed);
    match reader.byte()? {
        GET => {
            let request = get(&mut reader)?;
            reader.end()?;
            Ok(request)
        }
        OBSERVE => Ok(Request::Observe),
        PUSH => Ok(Request::Push),
        GET_MANY => Ok(Request::GetMany),
        _ => Err(reader.problem("a request of another kind")),
    }
}

fn get(reader: &mut Reader<'_>) -> Result<Request> {
    reader.array::<32>()?;
    Ok(Request::Get {
        listed: goes_beyond(reader)?,
    })
}

/// Reads the sets of a blob and of the blobs that it lists: each with its distance from the one before, where it differs from
/// that one, which is empty at first. Says whether one that is not empty goes beyond the blob itself.
fn goes_beyond(reader: &mut Reader<'_>) -> Result<bool> {
    let mut place = 0u64;
    let mut before = Ranges::default();
    let mut beyond = false;
    let count = reader.varint()?;
    for index in 0..count {
        let distance = reader.varint()?;
        ensure(
            index == 0 || distance > 0,
            Code::RequestMalformed,
            "two sets at one place",
        )?;
        let next = place
            .checked_add(distance)
            .ok_or_else(|| reader.problem("a place beyond 64 bits"))?;
        beyond |= !before.0.is_empty() && next > 1;
        place = next;
        let set = set(reader)?;
        ensure(set != before, Code::RequestMalformed, "a set like the one before")?;
        before = set;
    }
    Ok(beyond || !before.0.is_empty())
}

fn set(reader: &mut Reader<'_>) -> Result<Ranges> {
    let mut boundaries = Vec::new();
    let mut boundary = 0u64;
    for index in 0..reader.varint()? {
        let distance = reader.varint()?;
        ensure(index == 0 || distance > 0, Code::RequestMalformed, "a boundary twice")?;
        boundary = boundary
            .checked_add(distance)
            .ok_or_else(|| reader.problem("a boundary beyond 64 bits"))?;
        boundaries.push(boundary);
    }
    Ok(Ranges(boundaries))
}
