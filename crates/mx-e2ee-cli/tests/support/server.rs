//! A server that answers as it is told, on this machine.

#![allow(
    clippy::unwrap_used,
    clippy::std_instead_of_alloc,
    dead_code,
    unreachable_pub,
    reason = "each suite uses a part, on a host"
)]

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpListener,
    sync::{Arc, Mutex},
    thread,
};

use serde_json::Value;

/// A request as it came.
#[derive(Clone, Debug)]
pub struct Request {
    pub method: String,
    pub path: String,
    pub token: Option<String>,
    pub body: String,
}

/// A status, a header if any, and a body.
pub type Response = (u16, Option<(&'static str, String)>, String);

#[derive(Debug)]
pub struct Server {
    pub url: String,
    pub requests: Arc<Mutex<Vec<Request>>>,
}

impl Server {
    pub fn start(answer: impl Fn(&Request) -> Response + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::<Mutex<Vec<Request>>>::default();
        let seen = Arc::clone(&requests);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut reader = BufReader::new(stream.unwrap());
                let Some(request) = read(&mut reader) else { continue };
                seen.lock().unwrap().push(request.clone());
                let (status, header, body) = answer(&request);
                let header = header.map(|(name, value)| format!("{name}: {value}\r\n")).unwrap_or_default();
                let text = format!(
                    "HTTP/1.1 {status} Some\r\nContent-Length: {}\r\nConnection: close\r\n{header}\r\n{body}",
                    body.len()
                );
                let _ = reader.get_mut().write_all(text.as_bytes());
            }
        });
        Self { url, requests }
    }

    /// One that nobody can reach.
    pub fn gone() -> Self {
        Self { url: "http://127.0.0.1:9".to_owned(), requests: Arc::default() }
    }

    pub fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }
}

fn read(reader: &mut BufReader<impl std::io::Read>) -> Option<Request> {
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let mut words = line.split_whitespace();
    let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
    let (mut token, mut len) = (None, 0);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.split_once(':') else { break };
        match name.to_ascii_lowercase().as_str() {
            "authorization" => token = value.trim().strip_prefix("Bearer ").map(str::to_owned),
            "content-length" => len = value.trim().parse().ok()?,
            _ => {}
        }
    }
    let mut body = vec![0; len];
    reader.read_exact(&mut body).ok()?;
    Some(Request { method, path, token, body: String::from_utf8(body).ok()? })
}

pub fn ok(body: &Value) -> Response {
    (200, None, body.to_string())
}

pub fn refused(status: u16, errcode: &str, error: &str) -> Response {
    (status, None, serde_json::json!({ "errcode": errcode, "error": error }).to_string())
}
