//! How fast native iroh-blobs gives a blob to itself, over loopback.
use crate::{arguments::Arguments, fetch, net, serve};
use bao_tree::ChunkRanges;
use iroh_blobs::protocol::ALPN;
use std::time::Instant;

pub async fn bench(mut arguments: Arguments) -> anyhow::Result<()> {
    let mebibytes: u64 = arguments.optional_word().map_or(Ok(64), |n| n.parse())?;
    let rounds: usize = arguments.option("rounds").map_or(Ok(3), |n| n.parse())?;
    arguments.end()?;
    let size = mebibytes << 20;
    let (store, blobs, _) = serve::store(&[size]).await?;
    let provider = serve::provider(&store).await?;
    let endpoint = net::bind(None, None, None).await?;
    let connection = serve::connect(&endpoint, &provider).await?;
    let mut fetched = Vec::new();
    for round in 0..=rounds {
        let answer = fetch::blob(connection.clone(), blobs[0].1, ChunkRanges::all()).await?;
        anyhow::ensure!(answer.data.len() as u64 == size, "not all came: {}", answer.end);
        // The first round finds the path's capacity.
        if round > 0 {
            fetched.push(answer.seconds);
        }
    }
    connection.close(0u32.into(), b"");
    provider.shutdown().await?;
    let raw = raw(size, rounds).await?;
    let rates = |seconds: &[f64]| {
        let rates = seconds.iter().map(|s| format!("{:.1}", mebibytes as f64 / s));
        format!("[{}]", rates.collect::<Vec<_>>().join(","))
    };
    println!(
        "{{\"mebibytes\":{mebibytes},\"fetchMebibytesPerSecond\":{},\"streamMebibytesPerSecond\":{}}}",
        rates(&fetched),
        rates(&raw)
    );
    endpoint.close().await;
    Ok(())
}

/// Seconds for as many bytes on a stream of their own, with nothing done to them.
async fn raw(size: u64, rounds: usize) -> anyhow::Result<Vec<f64>> {
    let (from, to) = (net::bind(None, None, None).await?, net::bind(None, None, None).await?);
    let addr = net::here(&from, None)?;
    let server = from.clone();
    let task = tokio::spawn(async move {
        let connection = server.accept().await.expect("an endpoint that is open").await?;
        while let Ok((mut send, mut receive)) = connection.accept_bi().await {
            receive.read_to_end(1).await?;
            let block = vec![7; 65_536];
            for _ in 0..size.div_ceil(65_536) {
                send.write_all(&block).await?;
            }
            send.finish()?;
        }
        anyhow::Ok(())
    });
    let connection = to.connect(addr, ALPN).await?;
    let mut seconds = Vec::new();
    for round in 0..=rounds {
        let start = Instant::now();
        let (mut send, mut receive) = connection.open_bi().await?;
        send.write_all(&[1]).await?;
        send.finish()?;
        while receive.read_chunk(1 << 20).await?.is_some() {}
        if round > 0 {
            seconds.push(start.elapsed().as_secs_f64());
        }
    }
    connection.close(0u32.into(), b"");
    task.await??;
    from.close().await;
    to.close().await;
    Ok(seconds)
}
