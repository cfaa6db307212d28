//! A native iroh-blobs peer for tests of interoperation. Each mode prints JSON on its output; `serve` goes on until its
//! input ends. Blobs are the bytes i mod 251.
mod arguments;
mod ask;
mod bench;
mod blob;
mod capture;
mod fetch;
mod json;
mod lie;
mod net;
mod relay;
mod requests;
mod serve;

const USAGE: &str = "kez-chat-native-peer
  serve SIZE,... [--secret HEX] [--refuse permission|limit] [--relay URL | --bind IP]
                 [--lie flip:AT|cut:LENGTH|size:BYTES|more:LENGTH|stall:LENGTH|endless]
  fetch ID ADDRESS,... HASH [--ranges BOUNDARY,...] [--secret HEX] [--relay URL | --bind IP]
  ask   ID ADDRESS,... get|sequence|child|observe HASH [--ranges BOUNDARY,...] [--secret HEX] [--relay URL | --bind IP]
  ask   ID ADDRESS,... many HASH,... | push SIZE | bytes HEX
  bench [MEBIBYTES] [--rounds N]
  relay [--bind IP]
  capture trees|requests";

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let mut arguments = arguments::Arguments::new(std::env::args().skip(1))?;
    match arguments.optional_word().as_deref() {
        Some("serve") => serve::serve(arguments).await,
        Some("fetch") => fetch::fetch(arguments).await,
        Some("ask") => ask::ask(arguments).await,
        Some("relay") => relay::relay(arguments).await,
        Some("bench") => bench::bench(arguments).await,
        Some("capture") => match arguments.optional_word().as_deref() {
            Some("trees") => capture::capture().await,
            Some("requests") => requests::capture().await,
            _ => anyhow::bail!(USAGE),
        },
        _ => anyhow::bail!(USAGE),
    }
}
