//! Answers of blobs on streams: read and verified, or checked and written, many groups in one call.
use crate::{
    decoder::{Batch, Decoder},
    encoder::Encoder,
    failure::{failed, invalid},
    stream::Half,
    tree::{whole, Ranges, Value},
};
use iroh::endpoint;
use napi::{
    bindgen_prelude::{Float64Array, PromiseRaw, Uint8Array, Uint8ArraySlice},
    Env, Error, Result,
};
use napi_derive::napi;
use std::{
    sync::{
        atomic::{AtomicU64, Ordering},
        Arc,
    },
    time::Duration,
};
use tokio::time::{timeout_at, Instant};

/// Bytes of items after which a call returns what it has.
const BATCH: usize = 256 * 1024;
/// How long a call goes on after its first item.
const GATHER: Duration = Duration::from_millis(2);
/// Most that the decoder reads at once: less than two groups.
const PIECE: usize = 32 * 1024;

fn mismatch(detail: String) -> Error {
    Error::from_reason(format!("mismatch: {detail}"))
}

fn value(hash: &[u8]) -> Result<Value> {
    hash.try_into().map_err(|_| invalid("a hash has 32 bytes"))
}

fn size_of(size: f64) -> Result<u64> {
    whole(size).ok_or_else(|| invalid("not a size of a blob"))
}

fn ranges(boundaries: &[f64]) -> Result<Ranges> {
    Ranges::new(boundaries).ok_or_else(|| invalid("boundaries are integers that rise"))
}

/// Some verified items.
#[napi(object, object_from_js = false)]
pub struct AnswerPart {
    /// Kind (0 size, 1 pair, 2 leaf), place (the size, the pair's index, the leaf's offset) and length of each.
    pub items: Float64Array,
    /// Their bytes, one after another.
    pub bytes: Uint8Array,
    /// Whether nothing more is to come.
    pub is_whole: bool,
}

struct Reading {
    decoder: Decoder,
    /// Why there will be no more items; said by the next call.
    end: Option<Result<()>>,
}

/// An answer that arrives.
#[napi]
pub struct AnswerReader {
    half: Arc<Half<endpoint::RecvStream>>,
    reading: tokio::sync::Mutex<Reading>,
    received: AtomicU64,
}

impl AnswerReader {
    pub(crate) fn new(
        half: Arc<Half<endpoint::RecvStream>>,
        hash: &[u8],
        size: f64,
        boundaries: &[f64],
    ) -> Result<Self> {
        let decoder = Decoder::new(value(hash)?, size_of(size)?, ranges(boundaries)?);
        let reading = tokio::sync::Mutex::new(Reading { decoder, end: None });
        Ok(Self {
            half,
            reading,
            received: AtomicU64::new(0),
        })
    }

    /// Reads until an item is complete, and on for a moment, because every call costs as much as some groups.
    async fn read(&self) -> Result<Option<AnswerPart>> {
        let mut reading = self.reading.lock().await;
        let Reading { decoder, end } = &mut *reading;
        let mut stream = self.half.stream.lock().await;
        let mut batch = Batch::default();
        let mut piece = vec![0; PIECE];
        let mut until = None;
        while end.is_none() && batch.bytes.len() < BATCH && (batch.items.is_empty() || !decoder.is_whole()) {
            let limit = decoder.limit().min(PIECE);
            let read = stream.read(&mut piece[..limit]);
            let read = match until {
                None => read.await,
                Some(until) => match timeout_at(until, read).await {
                    Ok(read) => read,
                    Err(_) => break,
                },
            };
            match read {
                Err(error) => *end = Some(Err(failed(error))),
                Ok(None) => *end = Some(Ok(())),
                Ok(Some(length)) => {
                    self.received.fetch_add(length as u64, Ordering::Relaxed);
                    if let Err(detail) = decoder.push(&piece[..length], &mut batch) {
                        *end = Some(Err(mismatch(detail)));
                    }
                    if until.is_none() && !batch.items.is_empty() {
                        until = Some(Instant::now() + GATHER);
                    }
                }
            }
        }
        if batch.items.is_empty() {
            return match end {
                Some(Err(error)) => Err(error.try_clone()?),
                _ => Ok(None),
            };
        }
        Ok(Some(AnswerPart {
            items: batch.items.into(),
            bytes: batch.bytes.into(),
            is_whole: decoder.is_whole(),
        }))
    }
}

#[napi]
impl AnswerReader {
    /// The next verified items, one at least; null when the stream has ended, whole or not. Rejects with `mismatch: ` at
    /// the first wrong byte, as with the failure of the stream, after all items before it.
    #[napi]
    pub async fn next(&self) -> Result<Option<AnswerPart>> {
        self.half.unless_abandoned(self.read()).await
    }

    /// Bytes that have arrived, verified or not.
    #[napi(getter, catch_unwind)]
    pub fn received(&self) -> f64 {
        self.received.load(Ordering::Relaxed) as f64
    }
}

/// Bytes of a blob that are to be read and written next.
#[napi(object, object_from_js = false)]
pub struct AnswerRun {
    /// Where they begin: at a group.
    pub offset: f64,
    /// At most 128 KiB.
    pub length: f64,
}

/// An answer that is sent.
#[napi]
pub struct AnswerWriter {
    half: Arc<Half<endpoint::SendStream>>,
    encoder: Arc<std::sync::Mutex<Encoder>>,
}

impl AnswerWriter {
    pub(crate) fn new(
        half: Arc<Half<endpoint::SendStream>>,
        hash: &[u8],
        size: f64,
        outboard: &[u8],
        boundaries: &[f64],
    ) -> Result<Self> {
        let both = [ranges(boundaries)?, ranges(boundaries)?];
        let encoder = Encoder::new(value(hash)?, size_of(size)?, outboard.to_vec(), both);
        let encoder = encoder.ok_or_else(|| invalid("the outboard is not of this size"))?;
        Ok(Self {
            half,
            encoder: Arc::new(std::sync::Mutex::new(encoder)),
        })
    }
}

#[napi]
impl AnswerWriter {
    /// The bytes that `write` takes next; null when all is written. Throws `mismatch: ` for an outboard that does not fit.
    #[napi(catch_unwind)]
    pub fn run(&self) -> Result<Option<AnswerRun>> {
        let run = self.encoder.lock().map_err(failed)?.run().map_err(mismatch)?;
        Ok(run.map(|run| AnswerRun {
            offset: run.offset as f64,
            length: run.length as f64,
        }))
    }

    /// Checks the bytes and waits until the network has room for the answer up to them. Rejects with `mismatch: `, and
    /// sends nothing, for bytes that are not the blob's.
    #[napi(catch_unwind)]
    pub fn write<'env>(&self, env: &'env Env, bytes: Uint8ArraySlice<'env>) -> Result<PromiseRaw<'env, ()>> {
        let (half, encoder, bytes) = (self.half.clone(), self.encoder.clone(), bytes.to_vec());
        env.spawn_future(async move {
            let sent = encoder.lock().map_err(failed)?.encode(&bytes).map_err(mismatch);
            let written = match sent {
                Ok(sent) => {
                    let write = async { half.stream.lock().await.write_all(&sent).await.map_err(failed) };
                    half.unless_abandoned(write).await
                }
                Err(error) => Err(error),
            };
            if written.is_err() {
                encoder.lock().map_err(failed)?.free();
            }
            written
        })
    }
}
