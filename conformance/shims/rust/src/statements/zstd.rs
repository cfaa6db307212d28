//! Exactly one zstd frame, decompressed up to a limit (KEZ-PRF-005, KEZ-PRF-006).
//!
//! ruzstd refuses large windows, and this protocol takes any. No match can reach back further than the output is long, so
//! a frame's window is written down as one of the limit's size before ruzstd sees it.
use crate::problem::{ensure, Code, Problem, Result};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

const MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
const SMALLEST_WINDOW_LOG: u32 = 10;

struct Header {
    content_size: Option<u64>,
    single_segment: bool,
}

fn malformed(message: &'static str) -> Problem {
    Code::EncodingMalformed.because(message)
}

fn header(frame: &[u8]) -> Result<Header> {
    ensure(frame.starts_with(&MAGIC), Code::EncodingMalformed, "not a zstd frame")?;
    let descriptor = *frame.get(4).ok_or_else(|| malformed("a zstd header that ends early"))?;
    let single_segment = descriptor & 0x20 != 0;
    ensure(
        descriptor & 0x08 == 0,
        Code::EncodingMalformed,
        "the reserved bit of a zstd header",
    )?;
    let dictionary_size = [0, 1, 2, 4][usize::from(descriptor & 3)];
    let content_size_size = [usize::from(single_segment), 2, 4, 8][usize::from(descriptor >> 6)];
    let dictionary_at = 5 + usize::from(!single_segment);
    let content_at = dictionary_at + dictionary_size;
    let field = |from: usize, to: usize| -> Result<u64> {
        let bytes = frame
            .get(from..to)
            .ok_or_else(|| malformed("a zstd header that ends early"))?;
        Ok(bytes.iter().rev().fold(0, |sum, byte| sum << 8 | u64::from(*byte)))
    };
    ensure(
        field(dictionary_at, content_at)? == 0,
        Code::EncodingMalformed,
        "a dictionary",
    )?;
    let content_size = field(content_at, content_at + content_size_size)?;
    let content_size = match content_size_size {
        0 => None,
        2 => Some(content_size + 256),
        _ => Some(content_size),
    };
    Ok(Header {
        content_size,
        single_segment,
    })
}

/// `limit` is a power of two.
pub fn decompress(frame: &[u8], limit: usize) -> Result<Vec<u8>> {
    let header = header(frame)?;
    let too_large = || Code::TooLarge.because("more decompressed bytes than the limit");
    if header.content_size.is_some_and(|size| size > limit as u64) {
        return Err(too_large());
    }
    let mut frame = frame.to_vec();
    if !header.single_segment {
        frame[5] = ((limit.ilog2() - SMALLEST_WINDOW_LOG) << 3) as u8;
    }
    let mut rest = frame.as_slice();
    let mut decoder = FrameDecoder::new();
    decoder.init(&mut rest).map_err(|_| malformed("a wrong zstd header"))?;
    while !decoder.is_finished() {
        let block = decoder.decode_blocks(&mut rest, BlockDecodingStrategy::UptoBlocks(1));
        block.map_err(|_| malformed("a wrong zstd block"))?;
        // Until the last block, ruzstd holds back a window: what it would hand out is beyond limit or stated size.
        if !decoder.is_finished() && decoder.can_collect() > 0 {
            return Err(if header.single_segment {
                malformed("more bytes than the frame states")
            } else {
                too_large()
            });
        }
    }
    ensure(
        rest.is_empty(),
        Code::EncodingMalformed,
        "something follows the zstd frame",
    )?;
    let content = decoder.collect().unwrap_or_default();
    ensure(
        content.len() <= limit,
        Code::TooLarge,
        "more decompressed bytes than the limit",
    )?;
    let as_stated = header.content_size.is_none_or(|size| size == content.len() as u64);
    ensure(as_stated, Code::EncodingMalformed, "another size than the frame states")?;
    Ok(content)
}
