//! Streams over typed arrays. `reset` and `stop` end a write or read under way instead of waiting for it.
use crate::{
    answer::{AnswerReader, AnswerWriter},
    failure::{failed, invalid, quic_integer},
};
use napi::{
    bindgen_prelude::{BigInt, Float64ArraySlice, PromiseRaw, Uint8Array, Uint8ArraySlice},
    Env, Error, Result,
};
use napi_derive::napi;
use std::{future::Future, sync::Arc};
use tokio::sync::{watch, Mutex};

/// The most bytes that one call reads or writes: a caller's mistake must not take the machine's memory.
const MOST_BYTES: usize = 1024 * 1024;

/// One direction of a stream, used by one call at a time.
pub struct Half<T> {
    pub(crate) stream: Mutex<T>,
    abandoned: watch::Sender<bool>,
}

impl<T> Half<T> {
    fn new(stream: T) -> Arc<Self> {
        Arc::new(Self {
            stream: Mutex::new(stream),
            abandoned: watch::Sender::new(false),
        })
    }

    /// Runs a call to its end, or until the half is abandoned.
    pub(crate) async fn unless_abandoned<R>(&self, call: impl Future<Output = Result<R>>) -> Result<R> {
        let mut abandoned = self.abandoned.subscribe();
        tokio::select! {
            biased;
            _ = abandoned.wait_for(|is| *is) => Err(Error::from_reason("ClosedStream")),
            done = call => done,
        }
    }

    /// Ends what is under way and changes the stream.
    async fn abandon(&self, change: impl FnOnce(&mut T)) {
        self.abandoned.send_replace(true);
        change(&mut *self.stream.lock().await);
    }
}

/// The half that writes.
#[napi]
pub struct SendStream(Arc<Half<iroh::endpoint::SendStream>>);

impl SendStream {
    pub(crate) fn new(stream: iroh::endpoint::SendStream) -> Self {
        Self(Half::new(stream))
    }
}

#[napi]
impl SendStream {
    /// Waits until the network has room for all of these bytes, which may be changed once the call has returned.
    #[napi(catch_unwind)]
    pub fn write_all<'env>(&self, env: &'env Env, bytes: Uint8ArraySlice<'env>) -> Result<PromiseRaw<'env, ()>> {
        if bytes.len() > MOST_BYTES {
            return Err(invalid("more than 1 MiB in one call"));
        }
        let (half, bytes) = (self.0.clone(), bytes.to_vec());
        env.spawn_future(async move {
            let write = async { half.stream.lock().await.write_all(&bytes).await.map_err(failed) };
            half.unless_abandoned(write).await
        })
    }

    /// Begins the answer for these chunks (`ChunkRanges.within` the blob) of the blob with this tree, whose outboard is
    /// copied.
    #[napi(catch_unwind)]
    pub fn answer(
        &self,
        hash: Uint8ArraySlice,
        size: f64,
        outboard: Uint8ArraySlice,
        boundaries: Float64ArraySlice,
    ) -> Result<AnswerWriter> {
        AnswerWriter::new(self.0.clone(), &hash, size, &outboard, &boundaries)
    }

    /// Ends writing. Does not wait for the peer.
    #[napi]
    pub async fn finish(&self) -> Result<()> {
        let finish = async { self.0.stream.lock().await.finish().map_err(failed) };
        self.0.unless_abandoned(finish).await
    }

    /// Abandons the stream.
    #[napi]
    pub async fn reset(&self, error_code: BigInt) -> Result<()> {
        let code = quic_integer(error_code)?;
        // Of no consequence where the stream has ended.
        self.0.abandon(|stream| drop(stream.reset(code))).await;
        Ok(())
    }

    /// Waits until the peer has all that was written before `finish` (null), or wants no more (its code).
    #[napi]
    pub async fn stopped(&self) -> Result<Option<f64>> {
        let stopped = self.0.stream.lock().await.stopped();
        let code = self.0.unless_abandoned(async { stopped.await.map_err(failed) }).await?;
        Ok(code.map(|code| code.into_inner() as f64))
    }
}

/// The half that reads.
#[napi]
pub struct RecvStream(Arc<Half<iroh::endpoint::RecvStream>>);

impl RecvStream {
    pub(crate) fn new(stream: iroh::endpoint::RecvStream) -> Self {
        Self(Half::new(stream))
    }
}

#[napi]
impl RecvStream {
    /// The next bytes, at most `size_limit`; none at the end.
    #[napi]
    pub async fn read(&self, size_limit: u32) -> Result<Uint8Array> {
        let limit = size_limit as usize;
        if limit == 0 || limit > MOST_BYTES {
            return Err(invalid("not a size from 1 to 1 MiB"));
        }
        let read = async {
            let mut bytes = vec![0; limit];
            let read = self.0.stream.lock().await.read(&mut bytes).await.map_err(failed)?;
            bytes.truncate(read.unwrap_or(0));
            // JavaScript keeps a small piece as long as a large one, and must not pay for more than it has.
            bytes.shrink_to_fit();
            Ok(bytes.into())
        };
        self.0.unless_abandoned(read).await
    }

    /// Reads the answer for these chunks (`ChunkRanges.within` the blob) of the blob with this hash and size.
    #[napi(catch_unwind)]
    pub fn answer(&self, hash: Uint8ArraySlice, size: f64, boundaries: Float64ArraySlice) -> Result<AnswerReader> {
        AnswerReader::new(self.0.clone(), &hash, size, &boundaries)
    }

    /// Tells the peer that nothing more is wanted.
    #[napi]
    pub async fn stop(&self, error_code: BigInt) -> Result<()> {
        let code = quic_integer(error_code)?;
        // Of no consequence where the stream has ended.
        self.0.abandon(|stream| drop(stream.stop(code))).await;
        Ok(())
    }
}

/// Both halves of a stream.
#[napi]
pub struct BiStream {
    send: Arc<Half<iroh::endpoint::SendStream>>,
    recv: Arc<Half<iroh::endpoint::RecvStream>>,
}

impl BiStream {
    pub(crate) fn new(send: SendStream, recv: RecvStream) -> Self {
        Self {
            send: send.0,
            recv: recv.0,
        }
    }
}

#[napi]
impl BiStream {
    /// The half that writes.
    #[napi(getter, catch_unwind)]
    pub fn send(&self) -> SendStream {
        SendStream(self.send.clone())
    }

    /// The half that reads.
    #[napi(getter, catch_unwind)]
    pub fn recv(&self) -> RecvStream {
        RecvStream(self.recv.clone())
    }
}
