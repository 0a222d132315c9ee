//! Private Redis servers: one alone, one behind a sentinel, a cluster.

use std::{
    fs,
    io::{Read as _, Write as _},
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use anyhow::{Context as _, Result, bail, ensure};

use super::{PATIENCE, Server, connect, find};
use crate::poll;

/// A private Redis server that keeps nothing on disk.
#[derive(Debug)]
pub struct Redis {
    server: Server,
}

impl Redis {
    /// Starts a server and waits until it answers; `None`: not installed.
    ///
    /// # Errors
    /// When it does not answer, with what it said.
    pub fn start() -> Result<Option<Self>> {
        Self::start_with(&[])
    }

    /// Starts a server with further options, for example `["--maxmemory", "1mb"]`.
    ///
    /// # Errors
    /// When it does not answer, with what it said.
    pub fn start_with(options: &[&str]) -> Result<Option<Self>> {
        let Some(binary) = find(&["redis-server"]) else {
            return Ok(None);
        };
        let server = Server::start(
            "redis",
            |folder, port| {
                let mut command = vec![binary.display().to_string()];
                let folder = folder.display().to_string();
                let port = port.to_string();
                let own = ["--bind", "127.0.0.1", "--port", &port, "--save", "", "--appendonly"];
                let own = own.into_iter().chain(["no", "--dir", &folder]);
                command.extend(own.chain(options.iter().copied()).map(str::to_owned));
                Ok(command)
            },
            pongs,
        )?;
        Ok(Some(Self { server }))
    }

    /// The TCP port on 127.0.0.1.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.server.port
    }

    /// The address of database 0.
    #[must_use]
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/0", self.port())
    }

    /// What the command line client prints for a command.
    ///
    /// # Errors
    /// With what the client said.
    pub fn client(&self, command: &[&str]) -> Result<String> {
        client(self.port(), "", command)
    }

    /// Kills the server.
    ///
    /// # Errors
    /// When its keeper is gone.
    pub fn kill(&self) -> Result<()> {
        self.server.wish("KILL")?;
        let gone = poll::until(PATIENCE, || connect(self.port()).is_none().then_some(()));
        gone.context("the server that was killed still answers")
    }

    /// Starts it again after [`kill`](Self::kill), empty, and waits until it answers.
    ///
    /// # Errors
    /// When it does not answer.
    pub fn start_again(&self) -> Result<()> {
        self.server.wish("START")?;
        let answer = poll::until(PATIENCE, || pongs(self.port()).then_some(()));
        answer.context("the server that was started again does not answer")
    }

    /// Stops the server where it stands: it takes connections and never answers.
    ///
    /// # Errors
    /// When its keeper is gone.
    pub fn freeze(&self) -> Result<()> {
        self.server.wish("STOP")?;
        let silent = poll::until(PATIENCE, || (!answers_soon(self.port())).then_some(()));
        silent.context("the server that was stopped still answers")
    }

    /// Lets it go on after [`freeze`](Self::freeze).
    ///
    /// # Errors
    /// When its keeper is gone.
    pub fn thaw(&self) -> Result<()> {
        self.server.wish("CONT")
    }
}

/// A master with a replica, and a sentinel that watches them and finds the master dead after a second.
#[derive(Debug)]
pub struct RedisWithSentinel {
    /// The master at the beginning.
    pub master: Redis,
    /// The replica at the beginning.
    pub replica: Redis,
    sentinel: Server,
    sentinel_password: String,
}

impl RedisWithSentinel {
    /// Starts them, the servers with `password` and the sentinel with one of its own, and waits until it knows both;
    /// `None`: not installed.
    ///
    /// # Errors
    /// When one does not answer, with what it said.
    pub fn start(password: &str, sentinel_password: &str) -> Result<Option<Self>> {
        let secret = ["--requirepass", password, "--masterauth", password];
        let (Some(master), Some(binary)) = (Redis::start_with(&secret)?, find(&["redis-server"]))
        else {
            return Ok(None);
        };
        let port = master.port().to_string();
        let of = [&secret[..], &["--replicaof", "127.0.0.1", &port]].concat();
        let replica = Redis::start_with(&of)?.context("it was installed a moment ago")?;
        let sentinel = Server::start(
            "sentinel",
            |folder, own_port| {
                let path = folder.join("sentinel.conf");
                let file = format!(
                    "port {own_port}\nbind 127.0.0.1\ndir {}\n\
                     requirepass {sentinel_password}\n\
                     sentinel monitor mymaster 127.0.0.1 {port} 1\n\
                     sentinel auth-pass mymaster {password}\n\
                     sentinel down-after-milliseconds mymaster 1000\n\
                     sentinel failover-timeout mymaster 5000\n",
                    folder.display()
                );
                fs::write(&path, file)?;
                let words = [&*binary.display().to_string(), &*path.display().to_string()];
                Ok(words.into_iter().chain(["--sentinel"]).map(str::to_owned).collect())
            },
            pongs,
        )?;
        let sentinel_password = sentinel_password.to_owned();
        let this = Self { master, replica, sentinel, sentinel_password };
        let knows = || {
            let said = this.ask(&["sentinel", "replicas", "mymaster"]);
            said.is_ok_and(|said| said.contains("ip")).then_some(())
        };
        poll::until(PATIENCE, knows).context("the sentinel finds no replica")?;
        Ok(Some(this))
    }

    /// The TCP port of the sentinel.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.sentinel.port
    }

    /// What the sentinel answers.
    fn ask(&self, command: &[&str]) -> Result<String> {
        client(self.sentinel.port, &self.sentinel_password, command)
    }

    /// The port of the master that the sentinel names now.
    #[must_use]
    pub fn master_port(&self) -> Option<u16> {
        let asked = ["sentinel", "get-master-addr-by-name", "mymaster"];
        self.ask(&asked).ok()?.lines().nth(1)?.parse().ok()
    }
}

/// Three masters that share the slots.
#[derive(Debug)]
pub struct RedisCluster {
    /// The nodes.
    pub nodes: Vec<Redis>,
}

impl RedisCluster {
    /// Starts them and waits until the cluster is whole; `None`: not installed.
    ///
    /// # Errors
    /// When one does not answer, or no cluster comes about.
    pub fn start() -> Result<Option<Self>> {
        let Some(binary) = find(&["redis-cli"]) else { return Ok(None) };
        let mut nodes = Vec::new();
        for _ in 0..3 {
            // The bus has a port of its own, which is 10,000 higher unless it is named.
            let bus = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port().to_string();
            let options = ["--cluster-enabled", "yes", "--cluster-port", &bus];
            let Some(node) = Redis::start_with(&options)? else { return Ok(None) };
            nodes.push(node);
        }
        let addresses = nodes.iter().map(|node| format!("127.0.0.1:{}", node.port()));
        let made = Command::new(binary)
            .args(["--cluster", "create"])
            .args(addresses)
            .args(["--cluster-replicas", "0", "--cluster-yes"])
            .stdin(Stdio::null())
            .output()?;
        let said = String::from_utf8_lossy(&made.stdout);
        ensure!(made.status.success(), "redis-cli --cluster create: {said}");
        let is_whole = || {
            let states = nodes.iter().map(|node| node.client(&["cluster", "info"]));
            let is_ok =
                |state: Result<String>| state.is_ok_and(|state| state.contains("cluster_state:ok"));
            states.into_iter().all(is_ok).then_some(())
        };
        if poll::until(PATIENCE, is_whole).is_none() {
            bail!("the cluster does not become whole: {said}");
        }
        Ok(Some(Self { nodes }))
    }
}

/// What the command line client prints; an empty password is none.
fn client(port: u16, password: &str, command: &[&str]) -> Result<String> {
    let binary = find(&["redis-cli"]).context("redis-cli is not installed")?;
    let port = port.to_string();
    let output = Command::new(binary)
        .args(["-h", "127.0.0.1", "-p", &port])
        .args(command)
        .envs((!password.is_empty()).then_some(("REDISCLI_AUTH", password)))
        .stdin(Stdio::null())
        .output()?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let error = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "redis-cli: {said}{error}");
    Ok(said)
}

/// Whether something answers within a tenth of a second.
fn answers_soon(port: u16) -> bool {
    let answer = connect(port).and_then(|mut stream| {
        stream.set_read_timeout(Some(Duration::from_millis(100))).ok()?;
        stream.write_all(b"PING\r\n").ok()?;
        stream.read_exact(&mut [0]).ok()
    });
    answer.is_some()
}

/// Whether a Redis answers, if only that it wants a password.
fn pongs(port: u16) -> bool {
    let mut answer = [0; 7];
    let read = connect(port).and_then(|mut stream| {
        stream.write_all(b"PING\r\n").ok()?;
        stream.read_exact(&mut answer).ok()
    });
    read.is_some() && (answer == *b"+PONG\r\n" || answer == *b"-NOAUTH")
}

/// A certificate for 127.0.0.1, signed by itself, and its key, in `folder`: `cert.pem` and `key.pem`. `None`: no `openssl`.
///
/// # Errors
/// With what `openssl` said.
pub fn make_certificate(folder: &Path) -> Result<Option<()>> {
    let Some(binary) = find(&["openssl"]) else { return Ok(None) };
    let made = Command::new(binary)
        .current_dir(folder)
        .args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"])
        .args(["-keyout", "key.pem", "-out", "cert.pem", "-subj", "/CN=127.0.0.1"])
        .args(["-addext", "subjectAltName=IP:127.0.0.1"])
        .args(["-addext", "basicConstraints=critical,CA:FALSE"])
        .stdin(Stdio::null())
        .output()?;
    ensure!(made.status.success(), "openssl: {}", String::from_utf8_lossy(&made.stderr));
    Ok(Some(()))
}
