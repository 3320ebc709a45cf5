//! The requests, sent. What uploads cross-signing keys may ask who sends it.

use mx_key_backup::NewBackup;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::{
    request::{Method, Request},
    setup::Setup,
};
use crate::{
    failure::Failure,
    homeserver::{Answer, Client},
    passphrase::{Descriptor, Passphrase},
};

/// Sends all requests in their order. `document` is where they are written, for what is left where one fails.
pub(super) fn all(
    client: &Client,
    setup: &Setup,
    password: Option<Descriptor>,
    document: &str,
) -> Result<(), Failure> {
    for (at, request) in setup.requests.iter().enumerate() {
        let sent = send(client, &setup.user_id, request, password);
        sent.map_err(|failure| not_all(failure, at, setup.requests.len(), document))?;
    }
    Ok(())
}

fn send(
    client: &Client,
    user_id: &str,
    request: &Request,
    password: Option<Descriptor>,
) -> Result<(), Failure> {
    let segments = request.segments();
    let path = request.path();
    let answer = match request.method {
        Method::Put => client.put(&segments, request.body.get())?,
        Method::Post => client.post(&segments, request.body.get())?,
    };
    let answer = match answer {
        Answer::Refused(refusal) if refusal.status == 401 => match Session::of(&refusal.body) {
            Some(session) => {
                let auth = session.authenticate(user_id, password)?;
                client.post(&segments, &with_auth(request.body.get(), &auth))?
            }
            None => Answer::Refused(refusal),
        },
        answer => answer,
    };
    let body = client.expect(&path, answer)?;
    // Two requests can be accepted in part only.
    let is_to = |end: &[&str]| segments == end;
    let in_part = if is_to(&["keys", "signatures", "upload"]) {
        let mut upload = mx_cross_signing::SignaturesUpload::parse(request.body.get()).unwrap_or_default();
        let failures = upload.answered(&body).map_err(|error| error.to_string());
        failures.and_then(|failures| {
            failures.first().map_or(Ok(()), |failure| Err(format!("{}: {}", failure.key_id, failure.errcode)))
        })
    } else if is_to(&["room_keys", "version"]) {
        NewBackup::version(&body).map(drop).map_err(|error| error.to_string())
    } else {
        Ok(())
    };
    in_part.map_err(|why| Failure::refused(format!("{path}: the server answers: {why}")))
}

/// User-interactive authentication, as a server asks for it.
#[derive(Deserialize)]
struct Session {
    #[serde(default)]
    session: Option<String>,
    flows: Vec<Flow>,
}

#[derive(Deserialize)]
struct Flow {
    stages: Vec<String>,
}

#[derive(Serialize)]
struct PasswordAuth<'a> {
    r#type: &'static str,
    identifier: Identifier<'a>,
    password: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    session: Option<&'a str>,
}

#[derive(Serialize)]
struct Identifier<'a> {
    r#type: &'static str,
    user: &'a str,
}

impl Session {
    /// Nothing, if the server refuses for another reason.
    fn of(body: &str) -> Option<Self> {
        serde_json::from_str(body).ok()
    }

    /// The object `auth`, with the password of the account, if that is enough for the server.
    fn authenticate(
        &self,
        user_id: &str,
        descriptor: Option<Descriptor>,
    ) -> Result<Zeroizing<Vec<u8>>, Failure> {
        if !self.flows.iter().any(|flow| flow.stages == [PASSWORD]) {
            let flows = self.flows.iter().map(|flow| flow.stages.join(" and ")).collect::<Vec<_>>();
            return Err(Failure::refused(format!(
                "the server wants to know who sends this, by {}; only a password can be given here: \
                 send this request with `auth` of your own, see the specification, \"User-Interactive Authentication\"",
                flows.join(" or ")
            )));
        }
        let password = Passphrase::secret(descriptor, &format!("Password of {user_id}"), "--password-fd")?;
        let auth = PasswordAuth {
            r#type: PASSWORD,
            identifier: Identifier { r#type: "m.id.user", user: user_id },
            password: password.as_str(),
            session: self.session.as_deref(),
        };
        let len = user_id.len() + password.as_str().len() + self.session.as_deref().unwrap_or_default().len();
        // What grows leaves copies of the password behind.
        let mut json = Zeroizing::new(Vec::with_capacity(256 + 6 * len));
        serde_json::to_writer(&mut *json, &auth).map_err(Failure::refused)?;
        Ok(json)
    }
}

/// The body, an object with members, with `auth` before them.
fn with_auth(body: &str, auth: &[u8]) -> Zeroizing<String> {
    let mut with_auth = Zeroizing::new(String::with_capacity(body.len() + auth.len() + 16));
    with_auth.push_str("{\"auth\":");
    with_auth.push_str(core::str::from_utf8(auth).unwrap_or_default());
    with_auth.push(',');
    with_auth.push_str(body.strip_prefix('{').unwrap_or_default());
    with_auth
}

const PASSWORD: &str = "m.login.password";

/// Says what is left to be sent.
fn not_all(failure: Failure, at: usize, count: usize, document: &str) -> Failure {
    let left = if at == 0 {
        "nothing was changed on the server".to_owned()
    } else {
        format!("{at} of {count} requests were accepted; the rest is in {document}, to be sent in its order")
    };
    match failure {
        Failure::Refused(message) => Failure::Refused(format!("{message}; {left}")),
        Failure::InputOutput(message) => Failure::InputOutput(format!("{message}; {left}")),
        failure => failure,
    }
}
