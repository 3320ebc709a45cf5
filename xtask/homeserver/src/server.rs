//! The client-server API over HTTP: what the server does not accept is an error that says what was sent.

use std::time::Duration;

use serde_json::{Value, json};
use ureq::{
    Agent,
    http::{Method, Request},
};

use crate::Failure;

/// Longer than any `/sync` waits.
const TIMEOUT: Duration = Duration::from_secs(60);

/// Characters of a refused body that are shown.
const SHOWN: usize = 2_000;

/// The server as anybody sees it.
#[derive(Clone)]
pub(crate) struct Server {
    agent: Agent,
    address: String,
}

impl Server {
    pub(crate) fn new(address: &str) -> Self {
        let config = Agent::config_builder().http_status_as_error(false).proxy(None);
        let agent = config.timeout_global(Some(TIMEOUT)).build().into();
        Self { agent, address: address.to_owned() }
    }

    /// Whether it is there.
    pub(crate) fn answers(&self) -> bool {
        self.accept(None, Method::GET, "/_matrix/client/versions", "").is_ok()
    }

    /// Sends a request, and gives status and body of the answer, whatever they are. No body is the empty one.
    fn send(
        &self,
        token: Option<&str>,
        method: &Method,
        path: &str,
        body: &str,
    ) -> Result<(u16, String), Failure> {
        let mut request = Request::builder().method(method).uri(format!("{}{path}", self.address));
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let mut response = if matches!(*method, Method::GET | Method::DELETE) {
            self.agent.run(request.body(())?)?
        } else {
            self.agent.run(request.header("content-type", "application/json").body(body)?)?
        };
        Ok((response.status().as_u16(), response.body_mut().read_to_string()?))
    }

    /// The same for a request that must be accepted: gives the body of the answer.
    fn accept(&self, token: Option<&str>, method: Method, path: &str, body: &str) -> Result<String, Failure> {
        let (status, answer) = self.send(token, &method, path, body)?;
        if status == 200 { Ok(answer) } else { Err(refused(&method, path, status, &answer, body)) }
    }

    /// Registers a user, whose first device is `device_id`.
    pub(crate) fn register(&self, name: &str, device_id: &str, password: &str) -> Result<Session, Failure> {
        let body = json!({
            "auth": { "type": "m.login.dummy" },
            "username": name,
            "password": password,
            "device_id": device_id,
            "initial_device_display_name": device_id,
        });
        let answer = self.accept(None, Method::POST, "/_matrix/client/v3/register", &body.to_string())?;
        Session::new(self, &answer, password)
    }

    fn log_in(&self, user_id: &str, device_id: &str, password: &str) -> Result<Session, Failure> {
        let body = json!({
            "type": "m.login.password",
            "identifier": { "type": "m.id.user", "user": user_id },
            "password": password,
            "device_id": device_id,
            "initial_device_display_name": device_id,
        });
        let answer = self.accept(None, Method::POST, "/_matrix/client/v3/login", &body.to_string())?;
        Session::new(self, &answer, password)
    }
}

/// The server as a device that is logged in sees it.
pub(crate) struct Session {
    server: Server,
    pub(crate) user_id: String,
    pub(crate) device_id: String,
    pub(crate) access_token: String,
    pub(crate) password: String,
}

impl Session {
    fn new(server: &Server, answer: &str, password: &str) -> Result<Self, Failure> {
        let answer: Value = serde_json::from_str(answer)?;
        let text = |name: &str| match answer[name].as_str() {
            Some(text) => Ok(text.to_owned()),
            None => Err(Failure::from(format!("the server did not say the {name}"))),
        };
        Ok(Self {
            server: server.clone(),
            user_id: text("user_id")?,
            device_id: text("device_id")?,
            access_token: text("access_token")?,
            password: password.to_owned(),
        })
    }

    /// The server's, for other programs.
    pub(crate) fn address(&self) -> &str {
        &self.server.address
    }

    /// Logs the user in on another device.
    pub(crate) fn log_in(&self, device_id: &str) -> Result<Self, Failure> {
        self.server.log_in(&self.user_id, device_id, &self.password)
    }

    pub(crate) fn get(&self, path: &str) -> Result<String, Failure> {
        self.server.accept(Some(&self.access_token), Method::GET, path, "")
    }

    pub(crate) fn post(&self, path: &str, body: &str) -> Result<String, Failure> {
        self.server.accept(Some(&self.access_token), Method::POST, path, body)
    }

    pub(crate) fn put(&self, path: &str, body: &str) -> Result<String, Failure> {
        self.server.accept(Some(&self.access_token), Method::PUT, path, body)
    }

    pub(crate) fn delete(&self, path: &str) -> Result<String, Failure> {
        self.server.accept(Some(&self.access_token), Method::DELETE, path, "")
    }

    /// Posts what needs user-interactive authentication: first without, which the server must refuse, then with the
    /// password. `body` takes the object `auth` as text.
    pub(crate) fn post_with_password(
        &self,
        path: &str,
        body: impl Fn(Option<&str>) -> Result<String, Failure>,
    ) -> Result<String, Failure> {
        let token = Some(self.access_token.as_str());
        let (status, answer) = self.server.send(token, &Method::POST, path, &body(None)?)?;
        if status != 401 {
            return Err(format!("POST {path} without authentication: {status}, not 401: {answer}").into());
        }
        let answer: Value = serde_json::from_str(&answer)?;
        let auth = json!({
            "type": "m.login.password",
            "identifier": { "type": "m.id.user", "user": self.user_id },
            "password": self.password,
            "session": answer["session"],
        });
        self.post(path, &body(Some(&auth.to_string()))?)
    }
}

fn refused(method: &Method, path: &str, status: u16, answer: &str, body: &str) -> Failure {
    let cut: String = body.chars().take(SHOWN).collect();
    let sent = match (body.is_empty(), cut.len() < body.len()) {
        (true, _) => String::new(),
        (_, false) => format!("\nsent was: {cut}"),
        (_, true) => format!("\nsent was: {cut}… ({} bytes)", body.len()),
    };
    format!("the server did not accept {method} {path}: {status} {answer}{sent}").into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_says_what_the_server_said_and_what_was_sent() {
        let answer = r#"{"errcode":"M_INVALID_PARAM"}"#;
        let error = refused(&Method::POST, "/x", 400, answer, "{}").to_string();
        assert_eq!(
            error,
            "the server did not accept POST /x: 400 {\"errcode\":\"M_INVALID_PARAM\"}\nsent was: {}"
        );
        assert!(!refused(&Method::GET, "/x", 404, "", "").to_string().contains("sent"));
        let long = refused(&Method::PUT, "/x", 413, "", &"é".repeat(3_000)).to_string();
        assert!(long.ends_with("é… (6000 bytes)"), "{long}");
    }
}
