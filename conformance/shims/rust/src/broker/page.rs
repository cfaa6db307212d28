//! Pages of an inbox (KEZ-NAT-030, KEZ-NAT-031, KEZ-NAT-034).
use crate::problem::{ensure, Code, Result};

const LIMIT: usize = 1_048_576;
const FRAMES_LIMIT: u16 = 512;
const FRAME_LIMIT: u32 = 65_536;
const VERSION: u8 = 1;
/// Strict JSON has no numbers beyond.
const NUMBER_LIMIT: u64 = (1 << 53) - 1;

pub struct Page {
    pub epoch: [u8; 16],
    pub last_seq: u64,
    pub pending: u32,
    pub frames: Vec<Stored>,
}

pub struct Stored {
    pub seq: u64,
    pub time_ms: u64,
    pub frame: Vec<u8>,
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N]> {
        let (head, rest) = self
            .0
            .split_first_chunk()
            .ok_or_else(|| Code::PageMalformed.because("it ends early"))?;
        self.0 = rest;
        Ok(*head)
    }

    fn bytes(&mut self, length: usize) -> Result<&'a [u8]> {
        let split = self.0.split_at_checked(length);
        let (head, rest) = split.ok_or_else(|| Code::PageMalformed.because("it ends early"))?;
        self.0 = rest;
        Ok(head)
    }
}

/// Decodes the answer to the request `n` of an account.
pub fn decode(page: &[u8], account: &[u8; 32], n: &[u8; 16]) -> Result<Page> {
    let malformed = Code::PageMalformed;
    ensure(page.len() <= LIMIT, malformed, "more than 1,048,576 bytes")?;
    let mut reader = Reader(page);
    ensure(reader.take()? == [VERSION], malformed, "another version")?;
    let epoch = reader.take()?;
    ensure(reader.take()? == *account, malformed, "a page of another account")?;
    ensure(reader.take()? == *n, malformed, "a page for another request")?;
    let last_seq = u64::from_be_bytes(reader.take()?);
    ensure(last_seq <= NUMBER_LIMIT, malformed, "a sequence number beyond 2^53 - 1")?;
    let pending = u32::from_be_bytes(reader.take()?);
    let count = u16::from_be_bytes(reader.take()?);
    ensure(count <= FRAMES_LIMIT, malformed, "more than 512 frames")?;
    let mut frames = Vec::new();
    let mut previous = 0;
    for _ in 0..count {
        let seq = u64::from_be_bytes(reader.take()?);
        ensure(
            seq > previous && seq <= last_seq,
            malformed,
            "a sequence number out of order",
        )?;
        previous = seq;
        let time_ms = u64::from_be_bytes(reader.take()?);
        ensure(time_ms <= NUMBER_LIMIT, malformed, "a time beyond 2^53 - 1")?;
        let length = u32::from_be_bytes(reader.take()?);
        ensure(
            (1..=FRAME_LIMIT).contains(&length),
            malformed,
            "not a frame of 1 to 65,536 bytes",
        )?;
        frames.push(Stored {
            seq,
            time_ms,
            frame: reader.bytes(length as usize)?.to_vec(),
        });
    }
    ensure(reader.0.is_empty(), malformed, "something follows the last frame")?;
    Ok(Page {
        epoch,
        last_seq,
        pending,
        frames,
    })
}
