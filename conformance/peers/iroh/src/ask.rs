//! Requests as native iroh-blobs writes them, sent as they are.
use crate::{
    arguments::{numbers, Arguments},
    blob, json, net,
};
use iroh_blobs::{
    protocol::{
        ChunkRanges, ChunkRangesSeq, GetManyRequest, GetRequest, ObserveRequest, PushRequest, Request, RequestType,
    },
    store::mem::MemStore,
    Hash,
};
use std::str::FromStr;

/// A request in the form in which native iroh-blobs puts it on a stream. What is pushed follows separately.
pub fn encode(request: &Request) -> anyhow::Result<Vec<u8>> {
    Ok(match request {
        Request::Push(push) => {
            let body = postcard::to_stdvec(push)?;
            let mut bytes = vec![RequestType::Push as u8];
            bytes.extend(postcard::to_stdvec(&(body.len() as u64))?);
            bytes.extend(body);
            bytes
        }
        other => postcard::to_stdvec(other)?,
    })
}

/// A request to push the blob of so many bytes, and its bytes.
pub async fn push(size: usize) -> anyhow::Result<Vec<u8>> {
    let store = MemStore::new();
    let tag = store.blobs().add_bytes(blob::pattern(size)).await?;
    let mut bytes = encode(&Request::Push(PushRequest::new(tag.hash, ChunkRangesSeq::root())))?;
    let data = store.blobs().export_bao(tag.hash, ChunkRanges::all());
    bytes.extend(data.bao_to_vec().await?);
    Ok(bytes)
}

fn bytes_of(hex: &str) -> anyhow::Result<Vec<u8>> {
    anyhow::ensure!(hex.len() % 2 == 0 && hex.is_ascii(), "not hexadecimal");
    (0..hex.len())
        .step_by(2)
        .map(|at| Ok(u8::from_str_radix(&hex[at..at + 2], 16)?))
        .collect()
}

pub async fn ask(mut arguments: Arguments) -> anyhow::Result<()> {
    let id = arguments.word("the peer's id")?;
    let addresses = arguments.word("the peer's addresses")?;
    let kind = arguments.word("what to ask")?;
    let what = arguments.word("what to ask for")?;
    let (secret, relay) = (arguments.option("secret"), arguments.option("relay"));
    let boundaries = arguments.option("ranges");
    let boundaries = boundaries.map_or(Ok(vec![0]), |text| numbers(&text))?;
    arguments.end()?;
    let request = match kind.as_str() {
        "get" => encode(&GetRequest::blob_ranges(Hash::from_str(&what)?, blob::ranges(&boundaries)).into())?,
        // The sequence and all its children.
        "sequence" => encode(&GetRequest::all(Hash::from_str(&what)?).into())?,
        // A child alone, by its place in the sequence.
        "child" => encode(
            &GetRequest::builder()
                .child(0, ChunkRanges::all())
                .build(Hash::from_str(&what)?)
                .into(),
        )?,
        "many" => {
            let hashes = what.split(',').map(Hash::from_str).collect::<Result<Vec<_>, _>>()?;
            encode(&GetManyRequest::new(hashes, ChunkRangesSeq::all()).into())?
        }
        "observe" => encode(&ObserveRequest::new(Hash::from_str(&what)?).into())?,
        "push" => push(what.parse()?).await?,
        "bytes" => bytes_of(&what)?,
        other => anyhow::bail!("there is no request {other}"),
    };
    let endpoint = net::bind(secret.as_deref(), relay.as_deref(), None).await?;
    let connection = net::connect(&endpoint, net::peer(&id, &addresses, relay.as_deref())?).await?;
    let reply = net::exchange(&connection, &request).await?;
    println!("{{\"request\":{},{}}}", json::bytes(&request), reply.json());
    connection.close(0u32.into(), b"");
    endpoint.close().await;
    Ok(())
}
