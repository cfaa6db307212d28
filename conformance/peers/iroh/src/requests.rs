//! Captures requests as native iroh-blobs writes them, which bytes it does not read, and what its provider answers.
use crate::{ask, json, net, serve};
use bao_tree::{ChunkNum, ChunkRanges};
use iroh::endpoint::VarInt;
use iroh_blobs::{
    protocol::{ChunkRangesSeq, GetManyRequest, GetRequest, ObserveRequest, PushRequest, RangeSpec, Request},
    util::{AsyncReadRecvStream, AsyncReadRecvStreamExtra},
    Hash,
};
use std::io;
use tokio::io::AsyncRead;

/// Bytes of a request that are not on any network.
struct Written<'a>(&'a [u8]);

impl<'a> AsyncReadRecvStreamExtra for Written<'a> {
    fn inner(&mut self) -> &mut (impl AsyncRead + Unpin + Send) {
        &mut self.0
    }
    fn stop(&mut self, _: VarInt) -> io::Result<()> {
        Ok(())
    }
    fn id(&self) -> u64 {
        0
    }
}

async fn reads(bytes: &[u8]) -> Option<Request> {
    let mut stream = AsyncReadRecvStream::new(Written(bytes));
    Request::read_async(&mut stream).await.ok().map(|(request, _)| request)
}

/// Sequences of sets of chunks as JSON: from which blob on each set holds, and its boundaries.
fn sequence(sequence: &ChunkRangesSeq) -> anyhow::Result<String> {
    let written: Vec<(u64, Vec<u64>)> = postcard::from_bytes(&postcard::to_stdvec(sequence)?)?;
    let mut from = 0;
    Ok(json::list(written.iter().map(|(distance, widths)| {
        from += distance;
        format!("{{\"from\":{},\"boundaries\":{}}}", json::u64(from), boundaries(widths))
    })))
}

fn boundaries(widths: &[u64]) -> String {
    let mut at = 0;
    json::list(widths.iter().map(|width| {
        at += width;
        json::u64(at)
    }))
}

fn describe(request: &Request) -> anyhow::Result<String> {
    Ok(match request {
        Request::Get(get) => format!(
            "{{\"kind\":\"get\",\"hash\":\"{}\",\"ranges\":{}}}",
            get.hash.to_hex(),
            sequence(&get.ranges)?
        ),
        Request::Push(push) => format!(
            "{{\"kind\":\"push\",\"hash\":\"{}\",\"ranges\":{}}}",
            push.hash.to_hex(),
            sequence(&push.ranges)?
        ),
        Request::GetMany(many) => format!(
            "{{\"kind\":\"getMany\",\"hashes\":{},\"ranges\":{}}}",
            json::list(many.hashes.iter().map(|hash| json::text(&hash.to_hex()))),
            sequence(&many.ranges)?
        ),
        Request::Observe(observe) => {
            let widths: Vec<u64> = postcard::from_bytes(&postcard::to_stdvec(&observe.ranges)?)?;
            format!(
                "{{\"kind\":\"observe\",\"hash\":\"{}\",\"boundaries\":{}}}",
                observe.hash.to_hex(),
                boundaries(&widths)
            )
        }
        _ => anyhow::bail!("a request without a form"),
    })
}

pub async fn capture() -> anyhow::Result<()> {
    let hash = |n: u8| Hash::from_bytes([n; 32]);
    let range = |from: u64, to: u64| ChunkRanges::from(ChunkNum(from)..ChunkNum(to));
    let from = |from: u64| ChunkRanges::from(ChunkNum(from)..);
    let blob = |ranges: ChunkRanges| Request::Get(GetRequest::blob_ranges(hash(0x11), ranges));
    let many = |count: u64| (0..count).fold(ChunkRanges::empty(), |all, i| all | range(3 * i + 1, 3 * i + 2));
    let written: Vec<(&str, Request)> = vec![
        ("a whole blob", Request::Get(GetRequest::blob(hash(0x11)))),
        ("the first chunk", blob(range(0, 1))),
        ("the second group", blob(range(16, 32))),
        ("from a group on", blob(from(16))),
        ("from chunk 127 on", blob(from(127))),
        ("from chunk 128 on", blob(from(128))),
        ("from chunk 16,384 on", blob(from(16_384))),
        ("up to 2^32 chunks", blob(range(1, (1 << 32) + 1))),
        ("up to 2^53 chunks", blob(range(0, 1 << 53))),
        ("the last chunk, which proves the size", blob(from(u64::MAX))),
        ("two ranges", blob(range(1, 3) | range(9, 13))),
        ("a range and all from another on", blob(range(0, 16) | from(1000))),
        ("a hundred ranges", blob(many(100))),
        ("nothing", blob(ChunkRanges::empty())),
        (
            "a sequence and all its children",
            Request::Get(GetRequest::all(hash(0x22))),
        ),
        (
            "a sequence and the sizes of its children",
            Request::Get(GetRequest::new(hash(0x22), ChunkRangesSeq::verified_child_sizes())),
        ),
        (
            "a child alone",
            Request::Get(GetRequest::builder().child(4, ChunkRanges::all()).build(hash(0x22))),
        ),
        (
            "ranges of two children",
            Request::Get(
                GetRequest::builder()
                    .child(0, range(0, 16))
                    .child(1, range(0, 16))
                    .child(7, from(3))
                    .build(hash(0x22)),
            ),
        ),
        (
            "many, each whole",
            Request::GetMany([hash(0x33), hash(0x11), hash(0x22)].into_iter().collect()),
        ),
        (
            "many, each in part",
            Request::GetMany(
                GetManyRequest::builder()
                    .hash(hash(0x11), range(0, 1))
                    .hash(hash(0x22), from(200))
                    .build(),
            ),
        ),
        (
            "many, none of them",
            Request::GetMany(GetManyRequest::new(vec![], ChunkRangesSeq::all())),
        ),
        ("an observation", Request::Observe(ObserveRequest::new(hash(0x44)))),
        (
            "an observation of a range",
            Request::Observe(ObserveRequest {
                hash: hash(0x44),
                ranges: RangeSpec::new(range(16, 300)),
            }),
        ),
        (
            "a blob to be pushed",
            Request::Push(PushRequest::new(hash(0x55), ChunkRangesSeq::root())),
        ),
        (
            "a sequence to be pushed",
            Request::Push(PushRequest::new(hash(0x55), ChunkRangesSeq::all())),
        ),
    ];
    println!("{{\"_comment\":\"Written by conformance/peers/iroh: requests of /iroh-bytes/4 as native iroh-blobs writes them, bytes that it does or does not read as a request, and what its provider answers. Boundaries are of 1 KiB chunks.\",");
    println!("\"crates\":{},", json::crates());
    let mut requests = Vec::new();
    for (name, request) in &written {
        let bytes = ask::encode(request)?;
        assert_eq!(reads(&bytes).await.as_ref(), Some(request));
        requests.push(format!(
            "{{\"name\":{},\"request\":{},\"bytes\":\"{}\"}}",
            json::text(name),
            describe(request)?,
            json::hex(&bytes)
        ));
    }
    println!("\"requests\":{},", json::list(requests));

    let mut variants = Vec::new();
    for (name, bytes) in variant_bytes()? {
        let as_written = match reads(&bytes).await {
            Some(request) => ask::encode(&request)
                .ok()
                .map_or("null".into(), |bytes| json::text(&json::hex(&bytes))),
            None => "null".to_string(),
        };
        variants.push(format!(
            "{{\"name\":{},\"bytes\":\"{}\",\"readAs\":{as_written}}}",
            json::text(name),
            json::hex(&bytes)
        ));
    }
    println!("\"variants\":{},", json::list(variants));
    println!("\"exchanges\":{}}}", exchanges().await?);
    Ok(())
}

/// Bytes that a careless or hostile peer might send; `readAs` tells what native iroh-blobs makes of them.
fn variant_bytes() -> anyhow::Result<Vec<(&'static str, Vec<u8>)>> {
    let hash = [0x11u8; 32];
    // The same layout as a request for a blob, free of the type's checks.
    let get = |ranges: &[(u64, &[u64])]| -> anyhow::Result<Vec<u8>> {
        let ranges: Vec<(u64, Vec<u64>)> = ranges.iter().map(|(at, widths)| (*at, widths.to_vec())).collect();
        Ok(postcard::to_stdvec(&(0u8, hash, ranges))?)
    };
    let with = |tail: &[u8]| [&[0u8][..], &hash, tail].concat();
    let whole = get(&[(0, &[0]), (1, &[])])?;
    let mut cases = vec![
        ("a whole blob", whole.clone()),
        ("nothing at all", vec![]),
        ("a type alone", vec![0]),
        ("a hash cut short", whole[..20].to_vec()),
        ("no ranges", whole[..33].to_vec()),
        ("ranges cut short", whole[..whole.len() - 1].to_vec()),
        ("a byte too many", [&whole[..], &[0]].concat()),
        ("a whole blob without an end, and so with children", get(&[(0, &[0])])?),
        ("no sets of chunks", get(&[])?),
        ("an empty first set", get(&[(0, &[])])?),
        ("a set twice", get(&[(0, &[0]), (1, &[0])])?),
        ("two sets at one place", get(&[(0, &[0]), (0, &[])])?),
        ("a place beyond 64 bits", get(&[(u64::MAX, &[0]), (1, &[])])?),
        ("a boundary twice", get(&[(0, &[1, 0]), (1, &[])])?),
        ("a boundary beyond 64 bits", get(&[(0, &[u64::MAX, 1]), (1, &[])])?),
        ("the last chunk", get(&[(0, &[u64::MAX]), (1, &[])])?),
        (
            "a count in more bytes than it needs",
            with(&[0x82, 0x00, 0x00, 0x01, 0x00, 0x01, 0x00]),
        ),
        (
            "a width in more bytes than it needs",
            with(&[0x02, 0x00, 0x01, 0x80, 0x00, 0x01, 0x00]),
        ),
        ("a number of more than 64 bits", {
            let mut tail = vec![0x02, 0x00, 0x01];
            tail.extend([0xff; 9]);
            tail.extend([0x02, 0x01, 0x00]);
            with(&tail)
        }),
        ("a count far beyond what follows", {
            let mut tail = vec![];
            tail.extend([0xff; 9]);
            tail.push(0x01);
            with(&tail)
        }),
    ];
    for kind in [2u8, 7, 10, 127, 128, 255] {
        let name: &'static str = match kind {
            2 => "type 2",
            7 => "type 7",
            10 => "type 10",
            127 => "type 127",
            128 => "type 128",
            _ => "type 255",
        };
        cases.push((name, [&[kind], &whole[1..]].concat()));
    }
    Ok(cases)
}

/// What a native provider with three blobs and their sequence answers.
async fn exchanges() -> anyhow::Result<String> {
    let (store, blobs, sequence) = serve::store(&[1, 16_385, 40_000]).await?;
    let provider = serve::provider(&store).await?;
    let endpoint = net::bind(None, None, None).await?;
    let known = blobs[1].1;
    let unknown = Hash::from_bytes([0x66; 32]);
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("a whole blob", ask::encode(&GetRequest::blob(known).into())?),
        (
            "the second group",
            ask::encode(&GetRequest::blob_ranges(known, ChunkRanges::from(ChunkNum(16)..)).into())?,
        ),
        (
            "nothing of a blob",
            ask::encode(&GetRequest::blob_ranges(known, ChunkRanges::empty()).into())?,
        ),
        ("an unknown blob", ask::encode(&GetRequest::blob(unknown).into())?),
        (
            "a sequence and all its children",
            ask::encode(&GetRequest::all(sequence).into())?,
        ),
        ("an unknown sequence", ask::encode(&GetRequest::all(unknown).into())?),
        ("a blob as a sequence", ask::encode(&GetRequest::all(known).into())?),
        (
            "many",
            ask::encode(&GetManyRequest::new(vec![blobs[0].1, known], ChunkRangesSeq::all()).into())?,
        ),
        (
            "many, one of them unknown",
            ask::encode(&GetManyRequest::new(vec![blobs[0].1, unknown], ChunkRangesSeq::all()).into())?,
        ),
        ("an observation", ask::encode(&ObserveRequest::new(known).into())?),
        (
            "an observation of an unknown blob",
            ask::encode(&ObserveRequest::new(unknown).into())?,
        ),
        ("a push", ask::push(1000).await?),
        ("a request of type 2", vec![2]),
        ("a request of type 255", vec![255]),
        ("half a request", vec![0, 0x11, 0x11]),
        ("nothing at all", vec![]),
    ];
    let mut exchanges = Vec::new();
    for (name, request) in cases {
        let connection = serve::connect(&endpoint, &provider).await?;
        let reply = net::exchange(&connection, &request).await?;
        connection.close(0u32.into(), b"");
        // A reset may overtake what was sent before it.
        let answer = match reply.end.contains("reset") {
            true => "null".to_string(),
            false => json::bytes(&reply.bytes),
        };
        exchanges.push(format!(
            "{{\"name\":{},\"request\":{},\"answer\":{answer},{}}}",
            json::text(name),
            json::bytes(&request),
            reply.end
        ));
    }
    provider.shutdown().await?;
    endpoint.close().await;
    Ok(json::list(exchanges))
}
