//! Requests to a homeserver, for the commands that may make some: the only place of this program that opens a connection.
//!
//! Encrypted, except to this machine itself; no redirects, which could carry the access token elsewhere; answers and times
//! are bounded.

use core::{net::IpAddr, time::Duration};
use std::{fs::File, path::PathBuf};

use clap::Args;
use serde::Deserialize;
use ureq::{
    Agent, Body,
    http::{Response, StatusCode, Uri, uri::Scheme},
};
use zeroize::Zeroizing;

use crate::{
    failure::Failure,
    interrupt,
    passphrase::{self, Descriptor},
};

/// Which homeserver, and as whom. All that is done there is done with the access token.
#[derive(Args, Debug)]
pub(crate) struct Server {
    /// Ask this homeserver, by the URL of its client-server API, and send it the result
    #[arg(long, value_name = "URL", value_parser = Base::parse, requires = "token")]
    homeserver: Option<Base>,
    /// A file whose first line is the access token
    #[arg(long, value_name = "FILE", group = "token")]
    token_file: Option<PathBuf>,
    /// Read the access token from this file descriptor
    #[arg(long, value_name = "FD", group = "token", value_parser = Descriptor::parse)]
    token_fd: Option<Descriptor>,
}

impl Server {
    /// Nothing where the command line names no homeserver.
    pub(crate) fn client(&self) -> Result<Option<Client>, Failure> {
        let Some(base) = &self.homeserver else {
            // clap does not insist on an option that conflicts with another one that is there.
            return match (&self.token_file, self.token_fd) {
                (None, None) => Ok(None),
                _ => Err(Failure::misused("an access token is of use with --homeserver only")),
            };
        };
        let token = match (&self.token_file, self.token_fd) {
            (Some(path), _) => {
                let name = path.display().to_string();
                let file = File::open(path);
                let file =
                    file.map_err(|error| Failure::input_output(format!("cannot open {name}"), &error))?;
                passphrase::first_line(file, "the access token", &name)?
            }
            (None, Some(descriptor)) => descriptor.first_line("the access token")?,
            (None, None) => return Err(Failure::misused("--homeserver needs --token-file or --token-fd")),
        };
        Client::new(base, &token).map(Some)
    }
}

/// The URL before `/_matrix`.
#[derive(Clone, Debug)]
struct Base {
    text: String,
    is_encrypted: bool,
}

impl Base {
    fn parse(word: &str) -> Result<Self, String> {
        let uri: Uri = word.parse().map_err(|error| format!("no URL: {error}"))?;
        let (Some(scheme), Some(authority)) = (uri.scheme(), uri.authority()) else {
            return Err("as in: https://matrix.example.org".to_owned());
        };
        if authority.as_str().contains('@') {
            return Err("a name or a password does not belong here".to_owned());
        }
        if uri.query().is_some() || word.contains('#') {
            return Err("only scheme, host, port and perhaps a path".to_owned());
        }
        let is_encrypted = *scheme == Scheme::HTTPS;
        let may_be_plain = *scheme == Scheme::HTTP && is_this_machine(authority.host());
        if !is_encrypted && !may_be_plain {
            return Err("https:// is needed, or the token would be readable on its way; \
                        http:// is for this machine only"
                .to_owned());
        }
        Ok(Self { text: word.trim_end_matches('/').to_owned(), is_encrypted })
    }
}

fn is_this_machine(host: &str) -> bool {
    let address = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    host.eq_ignore_ascii_case("localhost")
        || address.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// A homeserver, as the user of an access token.
pub(crate) struct Client {
    agent: Agent,
    base: String,
    authorization: Zeroizing<String>,
}

impl core::fmt::Debug for Client {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Client").field("base", &self.base).finish_non_exhaustive()
    }
}

/// What a homeserver says to a request.
#[derive(Debug)]
pub(crate) enum Answer {
    /// It did what was asked for.
    Done(String),
    /// It did not.
    Refused(Refusal),
}

/// An error of the Matrix API.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    /// As `M_NOT_FOUND`; empty if the answer is none of a homeserver.
    pub(crate) errcode: String,
    /// The server's words.
    message: String,
    /// All of it.
    pub(crate) body: String,
}

#[derive(Default, Deserialize)]
struct MatrixError {
    #[serde(default)]
    errcode: String,
    #[serde(default)]
    error: String,
}

impl Client {
    fn new(base: &Base, token: &str) -> Result<Self, Failure> {
        if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(Failure::refused(
                "the access token is empty, or has characters that no access token has",
            ));
        }
        let config = Agent::config_builder()
            .https_only(base.is_encrypted)
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .timeout_connect(Some(CONNECT_TIMEOUT))
            .timeout_global(Some(TIMEOUT))
            .user_agent(concat!("mx-e2ee/", env!("CARGO_PKG_VERSION")));
        // Through a proxy only what it cannot read.
        let config = if base.is_encrypted { config } else { config.proxy(None) };
        let authorization = Zeroizing::new(["Bearer ", token].concat());
        Ok(Self { agent: config.build().new_agent(), base: base.text.clone(), authorization })
    }

    /// `GET /_matrix/client/v3/` and these segments.
    pub(crate) fn get(&self, segments: &[&str]) -> Result<Answer, Failure> {
        let request = self.agent.get(self.url(segments)).header("Authorization", self.authorization.as_str());
        self.answer(request.call())
    }

    /// The same with a query of names and values.
    pub(crate) fn get_with(&self, segments: &[&str], query: &[(&str, &str)]) -> Result<Answer, Failure> {
        let mut url = self.url(segments);
        for (index, (name, value)) in query.iter().enumerate() {
            url.push(if index == 0 { '?' } else { '&' });
            url.push_str(&[encoded(name).as_str(), "=", &encoded(value)].concat());
        }
        let request = self.agent.get(url).header("Authorization", self.authorization.as_str());
        self.answer(request.call())
    }

    /// `POST` of a JSON text.
    pub(crate) fn post(&self, segments: &[&str], body: &str) -> Result<Answer, Failure> {
        let request = self.agent.post(self.url(segments)).content_type("application/json");
        self.answer(request.header("Authorization", self.authorization.as_str()).send(body))
    }

    /// `PUT` of a JSON text.
    pub(crate) fn put(&self, segments: &[&str], body: &str) -> Result<Answer, Failure> {
        let request = self.agent.put(self.url(segments)).content_type("application/json");
        self.answer(request.header("Authorization", self.authorization.as_str()).send(body))
    }

    /// What cannot go wrong unless something is wrong: a refusal is a failure.
    pub(crate) fn expect(&self, doing: &str, answer: Answer) -> Result<String, Failure> {
        match answer {
            Answer::Done(body) => Ok(body),
            Answer::Refused(refusal) => Err(Failure::refused(format!("{doing}: {}", self.says(&refusal)))),
        }
    }

    /// A refusal in words.
    pub(crate) fn says(&self, refusal: &Refusal) -> String {
        let Refusal { status, errcode, message, .. } = refusal;
        let words = [errcode.as_str(), message].into_iter().filter(|word| !word.is_empty());
        let words = words.collect::<Vec<_>>().join(": ");
        let hint = match (*status, errcode.as_str()) {
            (300..400, _) => "; a redirect is not followed, give the URL that it leads to",
            (_, "M_UNKNOWN_TOKEN" | "M_MISSING_TOKEN") => "; is it the access token of this server?",
            (_, "") => "; is this the URL of a homeserver's client-server API?",
            _ => "",
        };
        format!("{} answers {status} {words}{hint}", self.base)
    }

    fn url(&self, segments: &[&str]) -> String {
        [&self.base, path(segments).as_str()].concat()
    }

    fn answer(&self, response: Result<Response<Body>, ureq::Error>) -> Result<Answer, Failure> {
        let failed = |error: ureq::Error| {
            if interrupt::is_interrupted() {
                return Failure::Interrupted;
            }
            Failure::InputOutput(format!("{}: {error}", self.base))
        };
        let mut response = response.map_err(failed)?;
        let status = response.status();
        let body = response.body_mut().with_config().limit(MAX_ANSWER_LEN).read_to_vec().map_err(failed)?;
        let body = String::from_utf8(body).unwrap_or_default();
        if status == StatusCode::OK {
            return Ok(Answer::Done(body));
        }
        let MatrixError { errcode, error } = serde_json::from_str(&body).unwrap_or_default();
        let location = response.headers().get("location").and_then(|value| value.to_str().ok());
        let message = if status.is_redirection() { location.unwrap_or_default().to_owned() } else { error };
        Ok(Answer::Refused(Refusal { status: status.as_u16(), errcode, message, body }))
    }
}

/// The path of these segments, `/_matrix/client/v3/...`.
pub(crate) fn path(segments: &[&str]) -> String {
    let mut path = "/_matrix/client/v3".to_owned();
    for segment in segments {
        path.push('/');
        path.push_str(&encoded(segment));
    }
    path
}

/// A text as a part of a URL, or as the name of a file, in which it separates nothing.
pub(crate) fn encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

/// An answer about a user with a thousand devices has one megabyte.
const MAX_ANSWER_LEN: u64 = 64 << 20;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(20);

/// For a whole request, from the name of the server to the last byte of its answer.
const TIMEOUT: Duration = Duration::from_secs(120);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_spoken_to_in_the_clear() {
        for (url, is_encrypted) in [
            ("https://matrix.example.org", true),
            ("https://example.org:8448/prefix/", true),
            ("http://localhost:8008", false),
            ("http://127.0.0.1:8008/", false),
            ("http://127.3.2.1", false),
            ("http://[::1]:8008", false),
        ] {
            let base = Base::parse(url).unwrap();
            assert_eq!(base.is_encrypted, is_encrypted, "{url}");
            assert!(!base.text.ends_with('/'));
        }
        for url in [
            "",
            "example.org",
            "/path",
            "http://example.org",
            "http://localhost.example.org",
            "http://127.0.0.1.example.org",
            "http://10.0.0.1",
            "http://0.0.0.0",
            "ftp://127.0.0.1",
            "https://user:password@example.org",
            "https://example.org?a=b",
            "https://example.org#a",
        ] {
            assert!(Base::parse(url).is_err(), "{url}");
        }
    }

    #[test]
    fn segments_stay_segments_and_the_token_is_not_shown() {
        let base = Base::parse("https://example.org/prefix/").unwrap();
        let client = Client::new(&base, "syt_secret").unwrap();
        assert_eq!(
            client.url(&["user", "@a/b:c", "account_data", "m.x?y#z%/../"]),
            "https://example.org/prefix/_matrix/client/v3/user/%40a%2Fb%3Ac/account_data/m.x%3Fy%23z%25%2F..%2F"
        );
        assert!(!format!("{client:?}").contains("syt_secret"));
        for token in ["", "a b", "a\r\nX: y", "ä"] {
            assert!(Client::new(&base, token).is_err(), "{token:?}");
        }
    }
}
