//! The native getter.
use crate::{
    arguments::{numbers, Arguments},
    blob, json, net,
};
use bao_tree::io::BaoContentItem;
use iroh::endpoint::Connection;
use iroh_blobs::{
    get::fsm::{
        self, AtBlobHeaderNextError, AtClosingNextError, BlobContentNext, ConnectedNext, DecodeError, EndBlobNext,
    },
    protocol::{ChunkRanges, GetRequest},
    Hash,
};
use std::{str::FromStr, time::Instant};

/// What was verified and how the transfer ended.
pub struct Fetched {
    /// The length of the blob, as the provider says; unverified where it is not the end of it that was asked for.
    pub size: Option<u64>,
    pub data: Vec<u8>,
    pub seconds: f64,
    /// JSON members.
    pub end: String,
}

fn decode_end(error: &DecodeError) -> String {
    match error {
        DecodeError::Read { source, .. } => net::end_of_io(source),
        error => format!("\"end\":\"mismatch\",\"error\":{}", json::text(&error.to_string())),
    }
}

/// Fetches chunks of a blob over a connection, verifying each.
pub async fn blob(connection: Connection, hash: Hash, ranges: ChunkRanges) -> anyhow::Result<Fetched> {
    let start = Instant::now();
    let request = GetRequest::blob_ranges(hash, ranges);
    let connected = fsm::start(connection, request, Default::default()).next().await?;
    let mut fetched = Fetched {
        size: None,
        data: Vec::new(),
        seconds: 0.0,
        end: String::new(),
    };
    fetched.end = match connected.next().await? {
        // An empty set of chunks: the getter sends the request and expects no answer.
        ConnectedNext::Closing(closing) => closing_end(closing.next().await.err()),
        ConnectedNext::StartChild(_) => anyhow::bail!("a child was not asked for"),
        ConnectedNext::StartRoot(root) => match root.next().next().await {
            Err(AtBlobHeaderNextError::NotFound { .. }) => "\"end\":\"notFound\"".to_string(),
            Err(AtBlobHeaderNextError::Read { source, .. }) => net::end_of_io(&source),
            Ok((mut content, size)) => {
                fetched.size = Some(size);
                loop {
                    match content.next().await {
                        BlobContentNext::More((_, Err(error))) => break decode_end(&error),
                        BlobContentNext::More((next, Ok(item))) => {
                            if let BaoContentItem::Leaf(leaf) = item {
                                fetched.data.extend_from_slice(&leaf.data);
                            }
                            content = next;
                        }
                        BlobContentNext::Done(end) => match end.next() {
                            EndBlobNext::Closing(closing) => break closing_end(closing.next().await.err()),
                            EndBlobNext::MoreChildren(_) => anyhow::bail!("no child was asked for"),
                        },
                    }
                }
            }
        },
    };
    fetched.seconds = start.elapsed().as_secs_f64();
    Ok(fetched)
}

fn closing_end(error: Option<AtClosingNextError>) -> String {
    match error {
        None => "\"end\":\"finished\"".to_string(),
        Some(AtClosingNextError::Read { source, .. }) => net::end_of_io(&source),
    }
}

pub async fn fetch(mut arguments: Arguments) -> anyhow::Result<()> {
    let id = arguments.word("the peer's id")?;
    let addresses = arguments.word("the peer's addresses")?;
    let hash = Hash::from_str(&arguments.word("a hash")?)?;
    let boundaries = match arguments.option("ranges") {
        Some(text) => numbers(&text)?,
        None => vec![0],
    };
    let (secret, relay) = (arguments.option("secret"), arguments.option("relay"));
    let at = arguments.option("bind");
    arguments.end()?;
    let endpoint = net::bind(secret.as_deref(), relay.as_deref(), at.as_deref()).await?;
    let connection = net::connect(&endpoint, net::peer(&id, &addresses, relay.as_deref())?).await?;
    let fetched = blob(connection.clone(), hash, blob::ranges(&boundaries)).await?;
    connection.close(0u32.into(), b"");
    println!(
        "{{\"size\":{},\"bytes\":{},\"blake3\":\"{}\",\"seconds\":{:.6},{}}}",
        fetched.size.map_or("null".to_string(), json::u64),
        fetched.data.len(),
        Hash::new(&fetched.data).to_hex(),
        fetched.seconds,
        fetched.end
    );
    endpoint.close().await;
    Ok(())
}
