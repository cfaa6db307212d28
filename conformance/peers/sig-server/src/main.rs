//! A sig-server of another make: see README.md.
mod event;
mod http;
mod json;
mod keys;
mod otherwise;
mod problem;
mod rates;
mod store;

use otherwise::Otherwise;
use rates::Rate;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

const HELP: &str = "kez-sig-server-peer [OPTIONS]

  --bind ADDRESS              127.0.0.1:7878; port 0 takes a free one, which the first line of the output names
  --db FILE                   kez-sig.sqlite
  --store-bytes N             events kept in all (1 GiB)
  --new-chains-per-hour N     of one address (60)
  --bytes-per-day N           of one address (16 MiB)
  --otherwise FACT,...|all    do it in another way than the specification, where KEZ's pages leave that open
";

struct Options {
    bind: SocketAddr,
    db: PathBuf,
    store_bytes: u64,
    new_chains_per_hour: u64,
    bytes_per_day: u64,
    otherwise: Otherwise,
}

fn options() -> Result<Options, String> {
    let mut options = Options {
        bind: SocketAddr::from(([127, 0, 0, 1], 7878)),
        db: "kez-sig.sqlite".into(),
        store_bytes: 1 << 30,
        new_chains_per_hour: 60,
        bytes_per_day: 16 << 20,
        otherwise: Otherwise::default(),
    };
    let mut words = std::env::args().skip(1);
    while let Some(name) = words.next() {
        let value = words.next().ok_or_else(|| format!("{name} takes a value"))?;
        let number = || value.parse::<u64>().map_err(|_| format!("{name} takes a whole number"));
        match name.as_str() {
            "--bind" => options.bind = value.parse().map_err(|_| "--bind takes an address and a port")?,
            "--db" => options.db = value.into(),
            "--store-bytes" => options.store_bytes = number()?,
            "--new-chains-per-hour" => options.new_chains_per_hour = number()?,
            "--bytes-per-day" => options.bytes_per_day = number()?,
            "--otherwise" => options.otherwise = Otherwise::parse(&value)?,
            _ => return Err(format!("there is no option {name}")),
        }
    }
    Ok(options)
}

async fn serve(options: Options) -> Result<(), Box<dyn std::error::Error>> {
    let hours = |hours: u64| Duration::from_secs(hours * 3600);
    let server = Arc::new(http::Server {
        store: store::Store::open(&options.db, options.store_bytes)?,
        new_chains: Rate::new(options.new_chains_per_hour, hours(1)),
        bytes_a_day: Rate::new(options.bytes_per_day, hours(24)),
        otherwise: options.otherwise,
    });
    let listener = tokio::net::TcpListener::bind(options.bind).await?;
    println!("http://{}", listener.local_addr()?);
    let app = http::router(server).into_make_service_with_connect_info::<SocketAddr>();
    axum::serve(listener, app).with_graceful_shutdown(ended()).await?;
    Ok(())
}

/// Ctrl-C, or what `kill` sends.
async fn ended() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{signal, SignalKind};
        if let Ok(mut terminated) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = terminated.recv() => return,
                _ = tokio::signal::ctrl_c() => return,
            }
        }
    }
    let _ = tokio::signal::ctrl_c().await;
}

#[tokio::main]
async fn main() -> std::process::ExitCode {
    if std::env::args().any(|word| word == "--help") {
        print!("{HELP}");
        return std::process::ExitCode::SUCCESS;
    }
    let result = match options() {
        Ok(options) => serve(options).await.map_err(|error| error.to_string()),
        Err(sentence) => Err(format!("{sentence}\n\n{HELP}")),
    };
    if let Err(sentence) = result {
        eprintln!("kez-sig-server-peer: {sentence}");
        return std::process::ExitCode::FAILURE;
    }
    std::process::ExitCode::SUCCESS
}
