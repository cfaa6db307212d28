//! A native provider.
use crate::{arguments::Arguments, blob, json, lie::Lie, net};
use iroh::{endpoint::Connection, protocol::Router};
use iroh_blobs::{
    hashseq::HashSeq,
    protocol::ALPN,
    provider::events::{AbortReason, EventMask, EventSender, ProviderMessage, RequestMode},
    store::mem::MemStore,
    ticket::BlobTicket,
    BlobFormat, BlobsProtocol, Hash,
};
use std::time::Duration;
use tokio::io::AsyncReadExt;

/// A store of blobs of the given sizes, their hashes, and the hash sequence of them all.
pub async fn store(sizes: &[u64]) -> anyhow::Result<(MemStore, Vec<(u64, Hash)>, Hash)> {
    let store = MemStore::new();
    let mut blobs = Vec::new();
    for size in sizes {
        let tag = store.blobs().add_bytes(blob::pattern(*size as usize)).await?;
        blobs.push((*size, tag.hash));
    }
    let sequence: HashSeq = blobs.iter().map(|(_, hash)| *hash).collect();
    let tag = store.blobs().add_bytes(sequence.into_inner()).await?;
    Ok((store, blobs, tag.hash))
}

/// Events that answer every request for a blob with this reason.
fn refusing(reason: AbortReason) -> EventSender {
    let mask = EventMask {
        get: RequestMode::Intercept,
        ..EventMask::DEFAULT
    };
    let (events, mut received) = EventSender::channel(16, mask);
    tokio::spawn(async move {
        while let Some(message) = received.recv().await {
            if let ProviderMessage::GetRequestReceived(message) = message {
                message.tx.send(Err(reason)).await.ok();
            }
        }
    });
    events
}

/// Serves until its input ends, so that it never outlives who started it.
pub async fn serve(mut arguments: Arguments) -> anyhow::Result<()> {
    let sizes = crate::arguments::numbers(&arguments.word("a list of sizes")?)?;
    let (secret, relay) = (arguments.option("secret"), arguments.option("relay"));
    let at = arguments.option("bind");
    let events = match arguments.option("refuse").as_deref() {
        None => None,
        Some("permission") => Some(refusing(AbortReason::Permission)),
        Some("limit") => Some(refusing(AbortReason::RateLimited)),
        Some(other) => anyhow::bail!("there is no refusal {other}"),
    };
    let lie = arguments.option("lie").map(|lie| Lie::parse(&lie)).transpose()?;
    arguments.end()?;

    let endpoint = net::bind(secret.as_deref(), relay.as_deref(), at.as_deref()).await?;
    let (store, blobs, sequence) = store(&sizes).await?;
    let addr = net::here(&endpoint, relay.as_deref())?;
    let addresses: Vec<String> = addr.ip_addrs().map(|a| a.to_string()).collect();
    let ticket = |hash, format| BlobTicket::new(addr.clone(), hash, format).to_string();
    let line = format!(
        "{{\"endpoint\":\"{}\",\"addresses\":{},\"crates\":{},\"blobs\":{},\"hashSequence\":{{\"hash\":\"{}\",\"ticket\":\"{}\"}}}}",
        json::hex(endpoint.id().as_bytes()),
        json::list(addresses.iter().map(|a| json::text(a))),
        json::crates(),
        json::list(blobs.iter().map(|(size, hash)| format!(
            "{{\"size\":{size},\"hash\":\"{}\",\"ticket\":\"{}\"}}",
            hash.to_hex(),
            ticket(*hash, BlobFormat::Raw)
        ))),
        sequence.to_hex(),
        ticket(sequence, BlobFormat::HashSeq)
    );
    let router = Router::builder(endpoint.clone());
    let router = match lie {
        Some(lie) => router.accept(ALPN, lie.over(store)).spawn(),
        None => router.accept(ALPN, BlobsProtocol::new(&store, events)).spawn(),
    };
    if relay.is_some() {
        tokio::time::timeout(Duration::from_secs(30), endpoint.online()).await?;
    }
    println!("{line}");
    end_of_input().await?;
    router.shutdown().await?;
    Ok(())
}

pub async fn end_of_input() -> anyhow::Result<()> {
    let mut ignored = [0; 64];
    let mut input = tokio::io::stdin();
    while input.read(&mut ignored).await? > 0 {}
    Ok(())
}

/// An endpoint that serves a store as it is, for those who ask within this process.
pub async fn provider(store: &MemStore) -> anyhow::Result<Router> {
    let endpoint = net::bind(None, None, None).await?;
    Ok(Router::builder(endpoint)
        .accept(ALPN, BlobsProtocol::new(store, None))
        .spawn())
}

/// A connection to a provider of this process.
pub async fn connect(endpoint: &iroh::Endpoint, provider: &Router) -> anyhow::Result<Connection> {
    net::connect(endpoint, net::here(provider.endpoint(), None)?).await
}
