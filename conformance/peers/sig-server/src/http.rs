//! The HTTP interface of a sig-server (sigchain.md).
use crate::event;
use crate::keys::{self, is_hex};
use crate::otherwise::Otherwise;
use crate::problem::{ensure, problem, Problem, Result};
use crate::rates::Rate;
use crate::store::{Appended, Head, Store};
use axum::body::{to_bytes, Body, Bytes};
use axum::extract::rejection::PathRejection;
use axum::extract::{ConnectInfo, Path, RawQuery, State};
use axum::http::header::{CONTENT_TYPE, ETAG, IF_NONE_MATCH, RETRY_AFTER};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::Router;
use serde_json::{json, Value};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tower_http::cors::CorsLayer;

const JSON: &str = "application/json";
const BODY_TIMEOUT: Duration = Duration::from_secs(20);
const LARGE_BODY: usize = 2 * 1024 * 1024;

pub struct Server {
    pub store: Store,
    pub new_chains: Rate,
    pub bytes_a_day: Rate,
    pub otherwise: Otherwise,
}

type Key = std::result::Result<Path<String>, PathRejection>;

pub fn router(server: Arc<Server>) -> Router {
    let is = |fact| server.otherwise.is(fact);
    let chain = "/v1/sigchains/ed25519/{key}";
    let mut router = Router::new().route(chain, get(read).post(append));
    if !is("append-url") {
        router = router.route(&format!("{chain}/events"), post(append));
    }
    if !is("head") {
        router = router.route(&format!("{chain}/head"), get(read_head));
    }
    let health_path = if is("health") { "/health" } else { "/v1/healthz" };
    let form = server.clone();
    let other_form = server.clone();
    router
        .route(health_path, get(health))
        .fallback(move || async move { form.refusal(&problem("not_found", "nothing is here")) })
        .method_not_allowed_fallback(move || async move {
            other_form.refusal(&problem("method_not_allowed", "not with this method"))
        })
        .layer(CorsLayer::permissive())
        .with_state(server)
}

fn answer(status: u16, media_type: &str, body: impl Into<Body>) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (status, [(CONTENT_TYPE, media_type)], body.into()).into_response()
}

impl Server {
    fn refusal(&self, problem: &Problem) -> Response {
        if self.otherwise.is("problem-form") {
            let status = match problem.status() {
                404 => 404,
                status if status >= 500 => 500,
                _ => 400,
            };
            return answer(status, JSON, json!({ "error": problem.detail }).to_string());
        }
        let document = problem.document().to_string();
        let mut response = answer(problem.status(), "application/problem+json", document);
        if let Some(seconds) = problem.retry_after {
            response.headers_mut().insert(RETRY_AFTER, seconds.into());
        }
        response
    }

    /// The key of a path: 64 lower-case hexadecimal digits of an admitted key.
    fn key(&self, path: Key) -> Result<String> {
        let Path(mut key) = path.map_err(|_| problem("key_malformed", "the path is not text"))?;
        if self.otherwise.is("key-form") {
            key = key.to_lowercase();
        }
        ensure(
            is_hex(&key, 64),
            "key_malformed",
            "the path has no 64 hexadecimal digits",
        )?;
        keys::parse(&format!("ed25519:{key}")).map(|_| key)
    }

    /// Runs what waits for the disk on a thread of its own, and answers.
    async fn run(self: Arc<Self>, work: impl FnOnce(&Self) -> Result<Response> + Send + 'static) -> Response {
        let server = self.clone();
        let done = tokio::task::spawn_blocking(move || work(&server)).await;
        done.unwrap_or_else(|_| Err(problem("internal", "the request failed")))
            .unwrap_or_else(|problem| self.refusal(&problem))
    }
}

async fn health(State(server): State<Arc<Server>>) -> Response {
    let check = |server: &Server| {
        let unavailable = |_| problem("unavailable", "the store cannot be read");
        server.store.check_health().map_err(unavailable)?;
        Ok(answer(200, JSON, r#"{"status":"ok"}"#))
    };
    server.run(check).await
}

/// The `since` of a query: a whole number as JSON writes it.
fn since(query: Option<&str>) -> Result<u64> {
    let mut values = query.unwrap_or_default().split('&').filter_map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (name == "since").then_some(value)
    });
    let Some(text) = values.next() else { return Ok(0) };
    let number = text.parse::<u64>().ok();
    number
        .filter(|number| number.to_string() == text && values.next().is_none())
        .ok_or_else(|| problem("request_malformed", "since is not one whole number"))
}

fn absent() -> Problem {
    problem("chain_not_found", "this key has no chain here")
}

async fn read(State(server): State<Arc<Server>>, path: Key, RawQuery(query): RawQuery, headers: HeaderMap) -> Response {
    let respond = move |server: &Server| {
        let key = server.key(path)?;
        let otherwise = &server.otherwise;
        let since = if otherwise.is("since") {
            0
        } else {
            since(query.as_deref())?
        };
        let (head, mut lines) = match server.store.lines(&key, since)? {
            Some(found) => found,
            None if otherwise.is("chain-absent") => return Ok(answer(200, "application/jsonl", "")),
            None => return Err(absent()),
        };
        if otherwise.is("canonical-lines") {
            lines = lines.lines().map(reordered).collect();
        }
        let mut response = answer(200, "application/jsonl", lines);
        if !otherwise.is("etag") {
            let tag = format!("\"{}-{}\"", head.seq, head.hash);
            if matches(&headers, &tag) {
                response = StatusCode::NOT_MODIFIED.into_response();
            }
            let tag = tag.parse().map_err(|_| problem("internal", "no tag"))?;
            response.headers_mut().insert(ETAG, tag);
        }
        Ok(response)
    };
    server.run(respond).await
}

/// Whether `If-None-Match` names the tag.
fn matches(headers: &HeaderMap, tag: &str) -> bool {
    headers
        .get_all(IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .any(|one| one == "*" || one.strip_prefix("W/").unwrap_or(one) == tag)
}

/// An envelope with its signature first and blanks.
fn reordered(line: &str) -> String {
    let value: Value = serde_json::from_str(line).unwrap_or_default();
    let member = |name: &str| format!("\"{name}\": {}", value[name]);
    let members = ["signature", "payload", "kez"].map(member);
    format!("{{ {} }}\n", members.join(", "))
}

async fn read_head(State(server): State<Arc<Server>>, path: Key) -> Response {
    let respond = |server: &Server| {
        let head = server.store.head(&server.key(path)?)?.ok_or_else(absent)?;
        Ok(answer(200, JSON, head.json().to_string()))
    };
    server.run(respond).await
}

async fn append(
    State(server): State<Arc<Server>>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    path: Key,
    body: Body,
) -> Response {
    let limit = if server.otherwise.is("event-size") {
        LARGE_BODY
    } else {
        event::LIMIT
    };
    let body = match body_of(body, limit).await {
        Ok(body) => body,
        Err(problem) => return server.refusal(&problem),
    };
    let respond = move |server: &Server| {
        let key = server.key(path)?;
        let event = event::read(&key, &body, &server.otherwise)?;
        let address = client.ip().to_canonical();
        server.bytes_a_day.check(address)?;
        let admit = || server.new_chains.check(address);
        let (status, head) = match server.store.append(&key, &event, &server.otherwise, admit)? {
            Appended::Again(head) => (200, head),
            Appended::New { head, bytes } => {
                server.bytes_a_day.count(address, bytes);
                if head.seq == 0 {
                    server.new_chains.count(address, 1);
                }
                (201, head)
            }
        };
        Ok(appended(status, &head, &server.otherwise))
    };
    server.run(respond).await
}

fn appended(status: u16, head: &Head, otherwise: &Otherwise) -> Response {
    if otherwise.is("append-answer") {
        answer(200, JSON, r#"{"ok":true}"#)
    } else {
        answer(status, JSON, head.json().to_string())
    }
}

/// The whole body; KEZ-CAN-010 has its size checked before it is read as JSON.
async fn body_of(body: Body, limit: usize) -> Result<Bytes> {
    let read = tokio::time::timeout(BODY_TIMEOUT, to_bytes(body, limit)).await;
    let read = read.map_err(|_| problem("request_timeout", "the event took too long to arrive"))?;
    read.map_err(|_| problem("too_large", "more bytes than an event has"))
}
