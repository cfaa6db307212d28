//! Connections to the home server and to what it names: checked addresses, bounded answers (KEZ-REG-006, KEZ-REG-031 to KEZ-REG-033).
use crate::data::members::Members;
use crate::data::strict_json;
use crate::problem::{ensure, Code, Problem, Result};
use crate::statements::addresses::{self, Class};
use serde_json::Value;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs};
use std::time::Duration;
use ureq::http::Uri;
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{DefaultConnector, NextTimeout};
use ureq::{Agent, Error};
use url::Url;

const PROBLEM_LIMIT: u64 = 65_536;
/// As many as a resolver may answer with.
const ADDRESSES: usize = 16;

pub fn unreachable(why: impl std::fmt::Display) -> Problem {
    Code::Unreachable.because(why.to_string())
}

fn look_up(host: &str, port: u16) -> Result<Vec<SocketAddr>> {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    if let Ok(address) = bare.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(address, port)]);
    }
    let name = host.strip_suffix('.').unwrap_or(host);
    if name == "localhost" || name.ends_with(".localhost") {
        let loopback = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];
        return Ok(loopback.map(|address| SocketAddr::new(address, port)).to_vec());
    }
    Ok((host, port).to_socket_addrs().map_err(unreachable)?.collect())
}

fn class_of(address: &SocketAddr) -> Class {
    match address.ip() {
        IpAddr::V4(address) => addresses::v4_class(address),
        IpAddr::V6(address) => addresses::v6_class(address),
    }
}

/// The class of the address at which a home is reached. This client has no TLS, so that only loopback is left.
pub fn home_class(home: &str) -> Result<Class> {
    let url = Url::parse(home).map_err(unreachable)?;
    let host = url.host_str().ok_or_else(|| unreachable("no host"))?;
    let address = look_up(host, url.port_or_known_default().unwrap_or(80))?;
    let class = address.first().map(class_of).ok_or_else(|| unreachable("no address"))?;
    ensure(
        url.scheme() == "http" && class == Class::Loopback,
        Code::AddressForbidden,
        "plain HTTP to another machine",
    )?;
    Ok(class)
}

/// The addresses of a host that a home names, every one of them checked.
pub fn named_addresses(home: Class, host: &str, port: u16) -> Result<Vec<SocketAddr>> {
    addresses::check_named(home, host)?;
    let found = look_up(host, port)?;
    for address in &found {
        addresses::check_address(home, class_of(address))?;
    }
    Ok(found)
}

#[derive(Debug)]
struct Checked(Class);

impl Resolver for Checked {
    fn resolve(
        &self,
        uri: &Uri,
        _: &ureq::config::Config,
        _: NextTimeout,
    ) -> std::result::Result<ResolvedSocketAddrs, Error> {
        let port = uri.port_u16().unwrap_or(80);
        let found = named_addresses(self.0, uri.host().unwrap_or_default(), port);
        let found = found.map_err(|problem| Error::Other(Box::new(problem)))?;
        let mut addresses = self.empty();
        for address in found.into_iter().take(ADDRESSES) {
            addresses.push(address);
        }
        Ok(addresses)
    }
}

/// Requests over HTTP to the home server and its sig-server.
pub struct Http {
    agent: Agent,
    /// How long a request may take.
    pub patience: Duration,
}

pub struct Reply {
    status: u16,
    body: Vec<u8>,
}

impl Http {
    pub fn new(home: Class, patience: Duration) -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .max_idle_connections(0)
            .proxy(None)
            .user_agent("")
            .build();
        let agent = Agent::with_parts(config, DefaultConnector::default(), Checked(home));
        Self { agent, patience }
    }

    pub fn get(&self, url: &str, limit: u64) -> Result<Reply> {
        let request = self.agent.get(url).config().timeout_global(Some(self.patience)).build();
        Self::read(request.call(), limit)
    }

    pub fn post(&self, url: &str, body: &[u8]) -> Result<Reply> {
        let request = self
            .agent
            .post(url)
            .config()
            .timeout_global(Some(self.patience))
            .build();
        Self::read(request.content_type("application/json").send(body), PROBLEM_LIMIT)
    }

    fn read(answer: std::result::Result<ureq::http::Response<ureq::Body>, Error>, limit: u64) -> Result<Reply> {
        let mut answer = answer.map_err(fault)?;
        let status = answer.status().as_u16();
        let limit = if status < 300 { limit } else { PROBLEM_LIMIT };
        let body = answer.body_mut().with_config().limit(limit).read_to_vec();
        Ok(Reply {
            status,
            body: body.map_err(fault)?,
        })
    }
}

fn fault(error: Error) -> Problem {
    match error {
        Error::Other(inner) => match inner.downcast::<Problem>() {
            Ok(problem) => *problem,
            Err(other) => unreachable(other),
        },
        other => unreachable(other),
    }
}

impl Reply {
    /// The body of a success; else the code of the problem.
    pub fn success(self) -> Result<Vec<u8>> {
        if self.status == 200 || self.status == 201 {
            Ok(self.body)
        } else {
            Err(self.problem())
        }
    }

    /// The JSON of a success. What is none comes from something else than the server that was asked.
    pub fn json(self) -> Result<Value> {
        let body = self.success()?;
        strict_json::parse(&body, usize::MAX).map_err(|problem| match problem.code {
            Code::JsonMalformed => unreachable(problem),
            _ => problem,
        })
    }

    /// The code decides, and the status where it is not known (KEZ-ERR-002).
    fn problem(&self) -> Problem {
        let read = || {
            let document = strict_json::parse(&self.body, PROBLEM_LIMIT as usize).ok()?;
            let code = Members::of(&document, Code::Unreachable).ok()?.text("code").ok()?;
            Some(Code::parse(code).unwrap_or(of_status(self.status)))
        };
        let code = Some(self.status).filter(|status| *status >= 400).and_then(|_| read());
        code.unwrap_or(Code::Unreachable)
            .because(format!("the server answered {}", self.status))
    }
}

fn of_status(status: u16) -> Code {
    match status {
        401 | 403 => Code::Unauthorized,
        404 | 410 => Code::NotFound,
        405 => Code::MethodNotAllowed,
        409 => Code::RequestMalformed,
        413 => Code::TooLarge,
        415 => Code::MediaTypeUnsupported,
        429 => Code::RateLimited,
        503 => Code::Unavailable,
        507 => Code::StoreFull,
        500.. => Code::Internal,
        _ => Code::RequestMalformed,
    }
}
