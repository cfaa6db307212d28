//! A relay on loopback, over plain HTTP.
use crate::arguments::Arguments;
use iroh_relay::server::{RelayConfig, Server, ServerConfig};

/// Runs until its input ends. The one line names the relay's URL.
pub async fn relay(arguments: Arguments) -> anyhow::Result<()> {
    arguments.end()?;
    let mut config = ServerConfig::default();
    config.relay = Some(RelayConfig::new(([127, 0, 0, 1], 0)));
    let server = Server::spawn(config).await?;
    let address = server
        .http_addr()
        .ok_or_else(|| anyhow::anyhow!("the relay listens nowhere"))?;
    println!("{{\"url\":\"http://{address}/\"}}");
    crate::serve::end_of_input().await?;
    server.shutdown().await?;
    Ok(())
}
