//! A client of NATS over TCP: as much of its protocol as requests and subscriptions need.
use crate::broker::login;
use crate::data::forms;
use crate::identity::keys::Seed;
use crate::identity::nkey;
use crate::problem::{ensure, Code, Result};
use serde_json::{json, Value};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

const LINE_LIMIT: u64 = 65_536;
/// A page with its headers.
const PAYLOAD_LIMIT: usize = 2 << 20;
const WRITE_PATIENCE: Duration = Duration::from_secs(5);

pub struct Message {
    pub subject: String,
    headers: String,
    pub payload: Vec<u8>,
}

impl Message {
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.headers.split("\r\n").skip(1);
        lines.find_map(|line| Some(line.strip_prefix(name)?.strip_prefix(':')?.trim()))
    }

    /// The broker says that nobody serves the subject of a request.
    pub fn is_unserved(&self) -> bool {
        self.payload.is_empty() && self.headers.starts_with("NATS/1.0 503")
    }
}

pub enum Event {
    Message(Message),
    Closed(String),
}

pub struct Connection {
    socket: TcpStream,
    writer: Arc<Mutex<TcpStream>>,
    pub server_id: String,
    pub since: Instant,
}

/// A connection that the broker has greeted, and that is not logged in yet.
pub struct Greeted {
    socket: TcpStream,
    reader: BufReader<TcpStream>,
    nonce: String,
    pub server_id: String,
}

fn broken(message: impl Into<String>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, message.into())
}

fn read_line(reader: &mut impl BufRead) -> io::Result<String> {
    let mut line = Vec::new();
    reader.take(LINE_LIMIT).read_until(b'\n', &mut line)?;
    if line.is_empty() {
        return Err(broken("the broker closed the connection"));
    }
    let line = line
        .strip_suffix(b"\n")
        .ok_or_else(|| broken("a line that does not end"))?;
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    String::from_utf8(line.to_vec()).map_err(|_| broken("a line that is not UTF-8"))
}

fn operation(line: &str) -> (String, &str) {
    let (name, rest) = line.split_once([' ', '\t']).unwrap_or((line, ""));
    (name.to_ascii_uppercase(), rest.trim())
}

impl Greeted {
    pub fn dial(addresses: &[SocketAddr], patience: Duration) -> Result<Self> {
        let mut last = broken("no address");
        for address in addresses {
            match TcpStream::connect_timeout(address, patience) {
                Ok(socket) => return Self::greet(socket, patience).map_err(super::net::unreachable),
                Err(error) => last = error,
            }
        }
        Err(super::net::unreachable(last))
    }

    fn greet(socket: TcpStream, patience: Duration) -> io::Result<Self> {
        socket.set_nodelay(true)?;
        socket.set_read_timeout(Some(patience))?;
        socket.set_write_timeout(Some(WRITE_PATIENCE))?;
        let mut reader = BufReader::new(socket.try_clone()?);
        let line = read_line(&mut reader)?;
        let (name, info) = operation(&line);
        let info: Value = serde_json::from_str(info).map_err(|_| broken("no INFO"))?;
        let text = |name: &str| info[name].as_str().unwrap_or_default().to_owned();
        if name != "INFO" || info["tls_required"] == true {
            return Err(broken("no INFO, or one that asks for TLS"));
        }
        let (nonce, server_id) = (text("nonce"), text("server_id"));
        Ok(Self {
            socket,
            reader,
            nonce,
            server_id,
        })
    }

    /// Logs in for the host that was dialled, and passes on what comes afterwards.
    pub fn login(mut self, seed: &Seed, host: &str, emit: impl Fn(Event) + Send + 'static) -> Result<Connection> {
        let (_, signature) = login::sign(seed, host, &self.nonce)?;
        let connect = json!({
            "verbose": false, "pedantic": false, "headers": true, "no_responders": true, "protocol": 1,
            "name": "", "lang": "", "version": "",
            "nkey": nkey::nkey(&seed.public_key()), "sig": forms::base64url(&signature),
        });
        let unreachable = |error: io::Error| super::net::unreachable(error);
        write!(self.socket, "CONNECT {connect}\r\nPING\r\n").map_err(unreachable)?;
        loop {
            let line = read_line(&mut self.reader).map_err(unreachable)?;
            match operation(&line) {
                (name, _) if name == "PONG" => break,
                (name, why) if name == "-ERR" => return Err(Code::LoginRefused.because(why.to_owned())),
                (name, _) if name == "PING" => write!(self.socket, "PONG\r\n").map_err(unreachable)?,
                (name, _) => ensure(
                    name == "INFO" || name == "+OK",
                    Code::LoginRefused,
                    "no answer to the login",
                )?,
            }
        }
        self.socket.set_read_timeout(None).map_err(unreachable)?;
        let writer = Arc::new(Mutex::new(self.socket.try_clone().map_err(unreachable)?));
        let connection = Connection {
            socket: self.socket,
            writer: Arc::clone(&writer),
            server_id: self.server_id,
            since: Instant::now(),
        };
        thread::spawn(move || {
            let ended = read(self.reader, &writer, &emit);
            emit(Event::Closed(ended));
        });
        Ok(connection)
    }
}

fn lock(writer: &Mutex<TcpStream>) -> std::sync::MutexGuard<'_, TcpStream> {
    writer.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Reads until the connection ends, and says why it did.
fn read(mut reader: BufReader<TcpStream>, writer: &Mutex<TcpStream>, emit: &impl Fn(Event)) -> String {
    let mut complaint = None;
    let mut step = || -> io::Result<()> {
        let line = read_line(&mut reader)?;
        let (name, rest) = operation(&line);
        match name.as_str() {
            "MSG" | "HMSG" => emit(Event::Message(read_message(&mut reader, rest, name == "HMSG")?)),
            "PING" => lock(writer).write_all(b"PONG\r\n")?,
            "-ERR" => complaint = Some(rest.trim_matches('\'').to_owned()),
            "PONG" | "+OK" | "INFO" => (),
            _ => return Err(broken("a line that is not of the protocol")),
        }
        Ok(())
    };
    let error = loop {
        if let Err(error) = step() {
            break error;
        }
    };
    complaint.unwrap_or_else(|| error.to_string())
}

/// `subject sid [reply] [header bytes] total bytes`
fn read_message(reader: &mut impl Read, line: &str, has_headers: bool) -> io::Result<Message> {
    let mut fields: Vec<&str> = line.split_ascii_whitespace().collect();
    let mut size = || fields.pop().and_then(|size| size.parse::<usize>().ok());
    let total = size().filter(|total| *total <= PAYLOAD_LIMIT);
    let total = total.ok_or_else(|| broken("a message of a size that is none"))?;
    let head = if has_headers { size() } else { Some(0) };
    let head = head
        .filter(|head| *head <= total)
        .ok_or_else(|| broken("headers of a size that is none"))?;
    let subject = fields.first().copied().unwrap_or_default().to_owned();
    let mut payload = vec![0; total + 2];
    reader.read_exact(&mut payload)?;
    payload.truncate(total);
    let headers = String::from_utf8_lossy(&payload[..head]).into_owned();
    payload.drain(..head);
    Ok(Message {
        subject,
        headers,
        payload,
    })
}

impl Connection {
    pub fn subscribe(&self, subject: &str, sid: u32) -> io::Result<()> {
        write!(lock(&self.writer), "SUB {subject} {sid}\r\n")
    }

    /// Sends a request, under a `Kez-Id` where there is one.
    pub fn request(&self, subject: &str, reply: &str, kez_id: Option<&str>, payload: &[u8]) -> io::Result<()> {
        let mut bytes = match kez_id {
            None => format!("PUB {subject} {reply} {}\r\n", payload.len()),
            Some(id) => {
                let headers = format!("NATS/1.0\r\nKez-Id: {id}\r\n\r\n");
                let (head, total) = (headers.len(), headers.len() + payload.len());
                format!("HPUB {subject} {reply} {head} {total}\r\n{headers}")
            }
        }
        .into_bytes();
        bytes.extend_from_slice(payload);
        bytes.extend_from_slice(b"\r\n");
        lock(&self.writer).write_all(&bytes)
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        // The reader's thread ends by it.
        let _ = self.socket.shutdown(Shutdown::Both);
    }
}
