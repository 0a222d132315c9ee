//! Private MariaDB and Redis servers, from the binaries that are installed.
//!
//! ```text
//!   test process ──pipe──▶ keeper (sh) ──▶ mariadbd, its data in a folder of its own under the temp dir
//! ```
//!
//! The keeper waits for the end of the pipe, kills the server and removes the folder. The pipe ends when the
//! server's handle is dropped, and when the test process ends however it ends: by a panic, by `exit`, by
//! `kill -9`. That is what a `Drop` alone cannot give to a server that lives in a static. What comes through the pipe
//! before are wishes: to send the server a signal, or to start it again on the same folder and port.
//!
//! A missing binary skips the tests that need it with one line on stderr; with `REQUIRE_SERVERS=1` in the
//! environment it fails them.

use std::{
    env, fs,
    io::{Read as _, Write as _},
    iter::once,
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, Stdio},
    sync::{
        OnceLock,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use anyhow::{Context as _, Result, bail, ensure};

use crate::poll;

mod redis;

pub use self::redis::{Redis, RedisCluster, RedisWithSentinel, make_certificate};

/// How long a server may take until it answers. It takes about one second; a busy machine takes longer.
const PATIENCE: Duration = Duration::from_secs(60);

/// The MariaDB server that the tests of this process share, each in a database of its own; `None`: not
/// installed.
///
/// # Panics
/// When the server does not start, or is not installed although `REQUIRE_SERVERS=1`.
pub fn mariadb() -> Option<&'static MariaDb> {
    static SHARED: OnceLock<Option<MariaDb>> = OnceLock::new();
    let shared =
        SHARED.get_or_init(|| MariaDb::start().expect("the private MariaDB server starts"));
    if shared.is_none() {
        skipped("mariadbd");
    }
    shared.as_ref()
}

/// The Redis server that the tests of this process share; `None`: not installed.
///
/// # Panics
/// When the server does not start, or is not installed although `REQUIRE_SERVERS=1`.
pub fn redis() -> Option<&'static Redis> {
    static SHARED: OnceLock<Option<Redis>> = OnceLock::new();
    let shared = SHARED.get_or_init(|| Redis::start().expect("the private Redis server starts"));
    if shared.is_none() {
        skipped("redis-server");
    }
    shared.as_ref()
}

#[expect(clippy::print_stderr, reason = "the runner of the tests reads it")]
fn skipped(binary: &str) {
    let is_required = env::var_os("REQUIRE_SERVERS").is_some_and(|value| value == "1");
    assert!(!is_required, "{binary} is not installed, expected it, since REQUIRE_SERVERS=1");
    eprintln!("skipped: {binary} is not installed");
}

/// A private MariaDB server. Its user `root` has no password and every right, over TCP and over the socket.
#[derive(Debug)]
pub struct MariaDb {
    server: Server,
    databases: AtomicU32,
}

impl MariaDb {
    /// Starts a server and waits until it answers; `None`: not installed.
    ///
    /// # Errors
    /// When it does not answer, with what it said.
    pub fn start() -> Result<Option<Self>> {
        Self::start_with(&[])
    }

    /// Starts a server with further options, for example `--sql-mode=`.
    ///
    /// # Errors
    /// When it does not answer, with what it said.
    pub fn start_with(options: &[&str]) -> Result<Option<Self>> {
        Self::start_in(&[], options)
    }

    /// The same with further variables in the server's environment.
    ///
    /// # Errors
    /// When it does not answer, with what it said.
    pub fn start_in(environment: &[(&str, String)], options: &[&str]) -> Result<Option<Self>> {
        let binaries = (
            find(&["mariadbd", "mysqld"]),
            find(&["mariadb-install-db", "mysql_install_db"]),
            find(&["mariadb", "mysql"]),
        );
        let (Some(binary), Some(install), Some(_)) = binaries else {
            return Ok(None);
        };
        let server = Server::start(
            "mariadb",
            |folder, port| {
                install_tables(&install, folder)?;
                let variables = environment.iter().map(|(name, value)| format!("{name}={value}"));
                let mut command: Vec<_> = once("env".to_owned()).chain(variables).collect();
                command.extend(mariadb_command(&binary, folder, port));
                command.extend(options.iter().map(|option| (*option).to_owned()));
                Ok(command)
            },
            greets,
        )?;
        Ok(Some(Self { server, databases: AtomicU32::new(0) }))
    }

    /// The TCP port on 127.0.0.1.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.server.port
    }

    /// The path of the server's socket.
    #[must_use]
    pub fn socket(&self) -> PathBuf {
        self.server.folder.join("socket")
    }

    /// The address of `database` for `root`.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        format!("mysql://root@127.0.0.1:{}/{database}", self.port())
    }

    /// Creates a database that no other test has, and yields its name.
    ///
    /// # Panics
    /// When the server refuses.
    #[must_use]
    pub fn create_database(&self) -> String {
        let name = format!("t_{}", self.databases.fetch_add(1, Ordering::Relaxed) + 1);
        self.client("", &format!("CREATE DATABASE {name}")).expect("root may create a database");
        name
    }

    /// Kills the server, as a power cut would.
    ///
    /// # Errors
    /// When its keeper is gone.
    pub fn kill(&self) -> Result<()> {
        self.server.wish("KILL")
    }

    /// Starts it again after [`kill`](Self::kill), on the same folder and port, and waits until it answers.
    ///
    /// # Errors
    /// When it does not answer.
    pub fn start_again(&self) -> Result<()> {
        self.server.wish("START")?;
        let answer = poll::until(PATIENCE, || greets(self.port()).then_some(()));
        answer.context("the server that was started again does not answer")
    }

    /// Stops the server where it stands: it takes connections and never answers.
    ///
    /// # Errors
    /// When its keeper is gone.
    pub fn freeze(&self) -> Result<()> {
        self.server.wish("STOP")
    }

    /// Lets it go on after [`freeze`](Self::freeze).
    ///
    /// # Errors
    /// When its keeper is gone.
    pub fn thaw(&self) -> Result<()> {
        self.server.wish("CONT")
    }

    /// Runs `sql`, any number of statements, in `database` (empty: in none) through the command line client, as
    /// an operator would. Yields the rows, one line each, columns separated by tabs.
    ///
    /// # Errors
    /// With what the client said.
    pub fn client(&self, database: &str, sql: &str) -> Result<String> {
        let mut child =
            self.client_command(database)?.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        child.stdin.take().context("bug: the client has no stdin")?.write_all(sql.as_bytes())?;
        let output = child.wait_with_output()?;
        ensure!(output.status.success(), "mariadb: {}", String::from_utf8_lossy(&output.stderr));
        Ok(String::from_utf8(output.stdout)?)
    }

    /// The command line client in `database`, which runs what is written into its standard input.
    ///
    /// # Errors
    /// When it is not installed.
    pub fn client_command(&self, database: &str) -> Result<Command> {
        let client = find(&["mariadb", "mysql"]).context("the mariadb client is not installed")?;
        let mut command = Command::new(client);
        command
            .args(["--no-defaults", "--protocol=tcp", "--host=127.0.0.1", "--user=root", "--batch"])
            .args(["--skip-column-names", "--unbuffered", "--default-character-set=utf8mb4"])
            .arg(format!("--port={}", self.port()))
            .arg(database)
            .stdin(Stdio::piped());
        Ok(command)
    }
}

fn install_tables(install: &Path, folder: &Path) -> Result<()> {
    let mut command = Command::new(install);
    command
        .arg("--no-defaults")
        .arg(format!("--datadir={}", folder.join("data").display()))
        .arg(own_tmpdir(folder))
        .args(["--auth-root-authentication-method=normal", "--skip-test-db"])
        .arg("--skip-name-resolve");
    if is_root() {
        command.arg("--user=root");
    }
    let output = command.stdin(Stdio::null()).output()?;
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    ensure!(output.status.success(), "{}: {said}", install.display());
    // One statement a line, run before the first client is let in. Names are not resolved, so clients come from
    // 127.0.0.1; the host `%` would be shadowed by the anonymous user of an older installation.
    fs::write(
        folder.join("init.sql"),
        "CREATE USER IF NOT EXISTS 'root'@'127.0.0.1' IDENTIFIED BY '';\n\
         GRANT ALL PRIVILEGES ON *.* TO 'root'@'127.0.0.1' WITH GRANT OPTION;\n",
    )?;
    Ok(())
}

/// A server that starts removes what it finds of temporary tables in its folder for them: with a common one, those
/// of another server that is starting.
fn own_tmpdir(folder: &Path) -> String {
    format!("--tmpdir={}", folder.display())
}

/// Small and quiet; nothing here changes what a statement means. `innodb_flush_log_at_trx_commit` stays 1.
fn mariadb_command(binary: &Path, folder: &Path, port: u16) -> Vec<String> {
    let path = |name: &str| folder.join(name).display().to_string();
    let mut command = vec![
        binary.display().to_string(),
        "--no-defaults".to_owned(),
        "--skip-grant-tables=0".to_owned(),
        format!("--datadir={}", path("data")),
        own_tmpdir(folder),
        format!("--socket={}", path("socket")),
        format!("--pid-file={}", path("pid")),
        format!("--init-file={}", path("init.sql")),
        format!("--port={port}"),
        "--bind-address=127.0.0.1".to_owned(),
        "--skip-name-resolve".to_owned(),
        "--innodb-flush-log-at-trx-commit=1".to_owned(),
        "--innodb-buffer-pool-size=64M".to_owned(),
        "--innodb-log-file-size=32M".to_owned(),
        "--character-set-server=utf8mb4".to_owned(),
        "--skip-log-bin".to_owned(),
        "--max-connections=300".to_owned(),
        "--max-connect-errors=1000000".to_owned(),
    ];
    if is_root() {
        command.push("--user=root".to_owned());
    }
    command
}

/// A MariaDB that lets clients in greets them: four bytes of length and number, then the protocol's version.
fn greets(port: u16) -> bool {
    let mut greeting = [0; 5];
    let read = connect(port).and_then(|mut stream| stream.read_exact(&mut greeting).ok());
    read.is_some() && greeting[4] == 10
}

/// A server and its keeper.
#[derive(Debug)]
struct Server {
    keeper: Child,
    /// Its end is the keeper's signal.
    lifeline: Option<ChildStdin>,
    folder: PathBuf,
    port: u16,
}

/// `$1` is the folder, the rest the server's command line. Signals to the process group of the tests (Ctrl-C)
/// are the tests' business: the keeper ends by the pipe only.
const KEEPER: &str = r#"
trap '' INT TERM HUP
folder=$1; shift
start() { "$@" >>"$folder/log" 2>&1 </dev/null & server=$!; }
start "$@"
while read -r wish; do
  case $wish in
    START) wait "$server"; start "$@" ;;
    *) kill -s "$wish" "$server" ;;
  esac
done
kill -9 "$server"
wait "$server"
rm -rf "$folder"
"#;

impl Server {
    /// Starts what `command` says for a folder and a port, and waits until it `answers` on that port. A port
    /// that was free may be taken a moment later by somebody else, so this tries three.
    fn start(
        name: &str,
        command: impl Fn(&Path, u16) -> Result<Vec<String>>,
        answers: fn(u16) -> bool,
    ) -> Result<Self> {
        let mut said = String::new();
        for _ in 0..3 {
            let folder =
                tempfile::Builder::new().prefix(&format!("scheduler-{name}-")).tempdir()?.keep();
            let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
            let command = command(&folder, port)?;
            let mut keeper = Command::new("sh")
                .args(["-c", KEEPER, "keeper"])
                .arg(&folder)
                .args(&command)
                .stdin(Stdio::piped())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()?;
            let lifeline = keeper.stdin.take();
            let server = Self { keeper, lifeline, folder, port };
            let log = || fs::read_to_string(server.folder.join("log")).unwrap_or_default();
            let has_given_up =
                || log().contains("Aborting") || log().contains("Address already in use");
            let answered = poll::until(PATIENCE, || match answers(port) {
                true => Some(true),
                false => has_given_up().then_some(false),
            });
            if answered == Some(true) && !has_given_up() {
                return Ok(server);
            }
            said = log();
        }
        bail!("{name} did not answer; it said:\n{said}")
    }
}

impl Server {
    /// Tells the keeper a `wish`: a signal for the server, or `START` once it was killed.
    fn wish(&self, wish: &str) -> Result<()> {
        let mut lifeline = self.lifeline.as_ref().context("bug: the keeper is gone")?;
        Ok(lifeline.write_all(format!("{wish}\n").as_bytes())?)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.lifeline.take());
        // The keeper ends by itself; waiting for it only keeps the process table clean.
        let _ = self.keeper.wait();
    }
}

fn connect(port: u16) -> Option<TcpStream> {
    let stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
    Some(stream)
}

/// The first of `names` that is installed. Servers stand in `sbin`, which users do not have in their `PATH`.
fn find(names: &[&str]) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let folders: Vec<PathBuf> = env::split_paths(&path)
        .chain(
            ["/usr/sbin", "/usr/local/sbin", "/usr/local/bin", "/opt/homebrew/bin"]
                .map(PathBuf::from),
        )
        .collect();
    names.iter().find_map(|name| {
        folders.iter().map(|folder| folder.join(name)).find(|candidate| candidate.is_file())
    })
}

/// Whether the tests run as root: then a server must be told that this is meant.
fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output();
    id.is_ok_and(|output| output.stdout == b"0\n")
}
