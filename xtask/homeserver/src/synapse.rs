//! A Synapse of our own on the loopback interface, in a folder of its own, for as long as this program runs.

use std::{
    fs::{self, DirBuilder, File},
    net::{Ipv4Addr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use mx_types::base64::encode_to_string;
use rand_core::CryptoRng;
use serde_json::{Value, json};

use crate::{Failure, fail, server::Server};

/// The name in user IDs.
const SERVER_NAME: &str = "localhost";

/// A slow machine takes half a minute for the first start.
const LONGEST_START: Duration = Duration::from_secs(120);

/// The running server. It ends, and its folder with it, when this is dropped or this program ends in any other way.
pub(crate) struct Synapse {
    process: Child,
    /// Its own, and for what else is of this run only.
    pub(crate) folder: PathBuf,
    /// The address for clients.
    pub(crate) address: String,
}

impl Synapse {
    /// Starts it with the Python that has it, in a new folder below `folder`, and waits until it answers.
    pub(crate) fn start(rng: &mut dyn CryptoRng, python: &Path, folder: &Path) -> Result<Self, Failure> {
        let folder = std::path::absolute(folder)?.join(format!("run-{}", std::process::id()));
        let mut builder = DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.recursive(true).create(&folder)?;
        let port = free_port()?;
        fs::write(folder.join("homeserver.yaml"), configuration(rng, &folder, port).to_string())?;
        let log = File::create(folder.join(LOG))?;
        let mut command = Command::new(python);
        // Ctrl-C is for this program: that standard input ends is enough for Synapse.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let process = command
            .args(["-c", include_str!("watched.py")])
            .arg(&folder)
            .args(["--config-path", "homeserver.yaml"])
            .current_dir(&folder)
            .stdin(Stdio::piped())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()?;
        let mut synapse = Self { process, folder, address: format!("http://127.0.0.1:{port}") };
        synapse.wait()?;
        Ok(synapse)
    }

    fn wait(&mut self) -> Result<(), Failure> {
        let start = Instant::now();
        let server = Server::new(&self.address);
        while !server.answers() {
            if let Some(status) = self.process.try_wait()? {
                return fail(format!(
                    "Synapse ended while it started, with {status}:\n{}",
                    self.last_words()
                ));
            }
            if start.elapsed() > LONGEST_START {
                return fail(format!("Synapse does not answer:\n{}", self.last_words()));
            }
            thread::sleep(Duration::from_millis(100));
        }
        Ok(())
    }

    /// Keeps the log of this run beside its folder.
    pub(crate) fn keep_log(&self) -> Option<PathBuf> {
        let kept = self.folder.with_file_name(LOG);
        fs::copy(self.folder.join(LOG), &kept).ok().map(|_| kept)
    }

    /// The end of the log.
    fn last_words(&self) -> String {
        const LINES: usize = 15;
        let log = fs::read(self.folder.join(LOG)).unwrap_or_default();
        let log = String::from_utf8_lossy(&log);
        let skipped = log.lines().count().saturating_sub(LINES);
        log.lines().skip(skipped).collect::<Vec<_>>().join("\n")
    }
}

impl Drop for Synapse {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        let _ = self.process.wait(); // there is nothing more to be done about it
        let _ = fs::remove_dir_all(&self.folder); // if it had ended before by itself
    }
}

const LOG: &str = "synapse.log";

/// Free now. Nothing keeps it free until Synapse takes it, but the system hands out others first.
fn free_port() -> Result<u16, Failure> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

/// JSON is YAML. Everybody may register; nothing is slowed down; nobody else is asked for keys.
fn configuration(rng: &mut dyn CryptoRng, folder: &Path, port: u16) -> Value {
    let mut secret = || {
        let mut bytes = [0; 32];
        rng.fill_bytes(&mut bytes);
        encode_to_string(&bytes)
    };
    let at_once = json!({ "per_second": 10_000, "burst_count": 10_000 });
    json!({
        "server_name": SERVER_NAME,
        "listeners": [{
            "port": port,
            "bind_addresses": ["127.0.0.1"],
            "type": "http",
            "resources": [{ "names": ["client"] }],
        }],
        "database": { "name": "sqlite3", "args": { "database": folder.join("homeserver.db") } },
        "media_store_path": folder.join("media"),
        "pid_file": folder.join("homeserver.pid"),
        "signing_key": format!("ed25519 a_1 {}", secret()),
        "macaroon_secret_key": secret(),
        "form_secret": secret(),
        "trusted_key_servers": [],
        "federation_domain_whitelist": [],
        "report_stats": false,
        "enable_registration": true,
        "enable_registration_without_verification": true,
        "bcrypt_rounds": 4,
        // Otherwise a first /sync is answered with what an earlier one said.
        "caches": { "sync_response_cache_duration": 0 },
        "rc_message": at_once,
        "rc_registration": at_once,
        "rc_registration_token_validity": at_once,
        "rc_login": { "address": at_once, "account": at_once, "failed_attempts": at_once },
        "rc_joins": { "local": at_once, "remote": at_once },
        "rc_joins_per_room": at_once,
        "rc_room_creation": at_once,
        "rc_invites": { "per_room": at_once, "per_user": at_once, "per_issuer": at_once },
        "rc_key_requests": at_once,
    })
}
