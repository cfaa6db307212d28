//! Captures what native iroh-blobs writes: outboards, what a provider sends for sets of chunks, and tickets.
use crate::{
    blob::{pattern, ranges},
    json::{self, bytes, hex},
};
use bao_tree::{io::outboard::PreOrderMemOutboard, BlockSize};
use iroh::{EndpointAddr, PublicKey, RelayUrl};
use iroh_blobs::{store::mem::MemStore, ticket::BlobTicket, BlobFormat, Hash};
use std::str::FromStr;

pub async fn capture() -> anyhow::Result<()> {
    let k = 1024usize;
    let sizes = [
        0,
        1,
        1023,
        1024,
        1025,
        2048,
        3 * k + 1,
        16 * k - 1,
        16 * k,
        16 * k + 1,
        32 * k,
        32 * k + 1,
        48 * k + 700,
        64 * k - 1,
        64 * k,
        64 * k + 1,
        65552,
        80 * k + 5,
        200 * k + 123,
        k * k - 1,
        k * k,
        k * k + 1,
        k * k + 17 * k + 3,
    ];
    let sets: Vec<Vec<u64>> = vec![
        vec![0],
        vec![],
        vec![0, 1],
        vec![1, 2],
        vec![3, 5],
        vec![0, 16],
        vec![16, 32],
        vec![15, 17],
        vec![8, 24],
        vec![0, 1, 2, 3, 5, 9, 40, 41, 63, 64],
        vec![17],
        vec![60, 65, 66, 67],
        vec![32, 48, 64, 80, 100, 1000, 2000],
        vec![1023],
        vec![1024],
        vec![512, 1030],
        vec![0, 3, 1_000_000, 1_000_001],
        vec![u64::MAX],
        vec![16, 17, 18, 19, 1000],
    ];
    let store = MemStore::new();
    println!("{{\"_comment\":\"Written by conformance/peers/iroh. Blobs are the bytes i mod 251; byte strings of more than 700 bytes are given by their BLAKE3 hash.\",");
    println!("\"crates\":{},", json::crates());
    println!("\"responses\":[");
    let mut first = true;
    for size in sizes {
        let data = pattern(size);
        let ob = PreOrderMemOutboard::create(&data, BlockSize::from_chunk_log(4));
        let tag = store.blobs().add_slice(&data).await?;
        assert_eq!(tag.hash.as_bytes(), ob.root.as_bytes());
        if !first {
            println!(",");
        }
        first = false;
        println!(
            "{{\"size\":{},\"hash\":\"{}\",\"outboard\":{},\"answers\":[",
            size,
            tag.hash.to_hex(),
            bytes(&ob.data)
        );
        for (i, set) in sets.iter().enumerate() {
            let r = ranges(set);
            let b = r
                .boundaries()
                .iter()
                .map(|c| json::u64(c.0))
                .collect::<Vec<_>>()
                .join(",");
            let answer = store
                .blobs()
                .export_bao(tag.hash, r)
                .bao_to_vec()
                .await
                .map_err(|e| anyhow::anyhow!("{e:?}"))?;
            println!(
                "{}{{\"ranges\":[{}],\"answer\":{}}}",
                if i == 0 { "" } else { "," },
                b,
                bytes(&answer)
            );
        }
        println!("]}}");
    }
    println!("],\"tickets\":[");
    let id = PublicKey::from_str("ae58ff8833241ac82d6ff7611046ed67b5072d142c588d0063e942d9a75502b6")?;
    let hash = Hash::from_str("0b84d358e4c8be6c38626b2182ff575818ba6bd3f4b90464994be14cb354a072")?;
    let mut first = true;
    for (relay, addrs, format) in [
        (None, vec![], BlobFormat::Raw),
        (None, vec![], BlobFormat::HashSeq),
        (Some("https://relay.example.com./"), vec![], BlobFormat::Raw),
        (Some("https://relay.example.com"), vec![], BlobFormat::Raw),
        (Some("http://127.0.0.1:3340"), vec!["127.0.0.1:1234"], BlobFormat::Raw),
        (
            None,
            vec![
                "[::1]:65535",
                "10.0.0.2:80",
                "10.0.0.1:443",
                "[2001:db8::1]:127",
                "10.0.0.1:128",
                "10.0.0.1:16384",
            ],
            BlobFormat::Raw,
        ),
    ] {
        let mut addr = EndpointAddr::new(id);
        if let Some(r) = relay {
            addr = addr.with_relay_url(RelayUrl::from_str(r)?);
        }
        for a in &addrs {
            addr = addr.with_ip_addr(a.parse()?);
        }
        let t = BlobTicket::new(addr, hash, format);
        let relay = t.addr().relay_urls().next().map(|r| r.to_string());
        let addrs: Vec<String> = t.addr().ip_addrs().map(|a| a.to_string()).collect();
        println!("{}{{\"relay\":{},\"addresses\":{:?},\"format\":\"{}\",\"endpoint\":\"{}\",\"hash\":\"{}\",\"ticket\":\"{}\"}}",
            if first { "" } else { "," }, relay.map(|r| format!("\"{r}\"")).unwrap_or("null".into()), addrs,
            if format.is_raw() { "raw" } else { "hashSeq" }, hex(id.as_bytes()), hash.to_hex(), t);
        first = false;
    }
    println!("]}}");
    Ok(())
}
