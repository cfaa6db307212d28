//! A relay over plain HTTP.
use crate::arguments::Arguments;
use iroh_relay::server::{RelayConfig, Server, ServerConfig};
use std::{net::IpAddr, str::FromStr};

/// Runs until its input ends. The one line names the relay's URL.
pub async fn relay(mut arguments: Arguments) -> anyhow::Result<()> {
    let at = IpAddr::from_str(arguments.option("bind").as_deref().unwrap_or("127.0.0.1"))?;
    arguments.end()?;
    let mut config = ServerConfig::default();
    config.relay = Some(RelayConfig::new((at, 0)));
    let server = Server::spawn(config).await?;
    let address = server
        .http_addr()
        .ok_or_else(|| anyhow::anyhow!("the relay listens nowhere"))?;
    println!("{{\"url\":\"http://{address}/\"}}");
    crate::serve::end_of_input().await?;
    server.shutdown().await?;
    Ok(())
}
