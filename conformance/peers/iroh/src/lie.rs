//! A provider that does not give what it was asked for.
use anyhow::{anyhow, bail};
use iroh::{
    endpoint::{Connection, RecvStream, SendStream},
    protocol::{AcceptError, ProtocolHandler},
};
use iroh_blobs::{
    protocol::{ChunkRanges, Request},
    store::mem::MemStore,
};

#[derive(Debug, Clone, Copy)]
pub enum Lie {
    /// One bit of the byte at this place of the answer is wrong.
    Flip(usize),
    /// The answer ends, cleanly, after so many bytes.
    Cut(usize),
    /// The answer begins with this length of the blob.
    Size(u64),
    /// So many bytes follow the answer.
    More(usize),
    /// The length is right, and then nothing but zeros, for ever.
    Endless,
    /// So many bytes of the answer, and then silence.
    Stall(usize),
}

impl Lie {
    pub fn parse(text: &str) -> anyhow::Result<Self> {
        let (name, value) = text.split_once(':').unwrap_or((text, "0"));
        let number: u64 = value.parse()?;
        Ok(match name {
            "flip" => Self::Flip(number as usize),
            "cut" => Self::Cut(number as usize),
            "size" => Self::Size(number),
            "more" => Self::More(number as usize),
            "endless" => Self::Endless,
            "stall" => Self::Stall(number as usize),
            other => bail!("there is no lie {other}"),
        })
    }

    pub fn over(self, store: MemStore) -> Liar {
        Liar { lie: self, store }
    }
}

#[derive(Debug, Clone)]
pub struct Liar {
    lie: Lie,
    store: MemStore,
}

impl Liar {
    async fn answer(&self, send: &mut SendStream, receive: &mut RecvStream) -> anyhow::Result<()> {
        let (request, _) = Request::read_async(receive).await?;
        let Request::Get(request) = request else {
            bail!("not a request for a blob");
        };
        let ranges: ChunkRanges = request
            .ranges
            .iter_infinite()
            .next()
            .cloned()
            .ok_or_else(|| anyhow!("nothing was asked for"))?;
        let mut answer = self.store.blobs().export_bao(request.hash, ranges).bao_to_vec().await?;
        match self.lie {
            Lie::Flip(at) => {
                if let Some(byte) = answer.get_mut(at) {
                    *byte ^= 1;
                }
            }
            Lie::Cut(length) | Lie::Stall(length) => answer.truncate(length),
            Lie::Size(size) => answer[..8].copy_from_slice(&size.to_le_bytes()),
            Lie::More(length) => answer.extend(vec![0; length]),
            Lie::Endless => answer.truncate(8),
        }
        send.write_all(&answer).await?;
        if let Lie::Endless = self.lie {
            loop {
                send.write_all(&[0; 16_384]).await?;
            }
        }
        if let Lie::Stall(_) = self.lie {
            send.stopped().await?;
        }
        send.finish()?;
        Ok(())
    }
}

impl ProtocolHandler for Liar {
    async fn accept(&self, connection: Connection) -> Result<(), AcceptError> {
        while let Ok((mut send, mut receive)) = connection.accept_bi().await {
            let liar = self.clone();
            tokio::spawn(async move {
                // Who is lied to hangs up.
                liar.answer(&mut send, &mut receive).await.ok();
            });
        }
        Ok(())
    }
}
