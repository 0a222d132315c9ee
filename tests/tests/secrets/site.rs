//! A folder with a configuration whose secrets come from one source, and the database that belongs to it.

use std::{
    collections::BTreeMap,
    fs,
    io::Write as _,
    net::TcpListener,
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::Duration,
};

use tempfile::TempDir;
use tests::{poll, program::signal, servers::MariaDb};

use crate::{evidence::NEEDLE, program};

const PATIENCE: Duration = Duration::from_secs(60);

/// Where each secret is given.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Source {
    File,
    Variable,
    FileOfVariable,
}

/// How the store is told the password of its user.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Form {
    Password,
    Url,
}

/// What becomes of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Database {
    Accepts,
    Refuses,
    Unreachable,
}

pub(crate) struct Site {
    folder: TempDir,
    server: &'static MariaDb,
    database: String,
    /// All that were given, the password of the store first.
    pub(crate) secrets: Vec<String>,
    source: Source,
    /// Lines by file and table.
    lines: BTreeMap<(&'static str, &'static str), Vec<String>>,
    variables: Vec<(String, String)>,
}

impl Site {
    pub(crate) fn new(
        server: &'static MariaDb,
        source: Source,
        form: Form,
        database: Database,
    ) -> Self {
        let mut site = Self {
            folder: tempfile::tempdir().unwrap(),
            server,
            database: server.create_database(),
            secrets: Vec::new(),
            source,
            lines: BTreeMap::new(),
            variables: Vec::new(),
        };
        let port = match database {
            Database::Accepts | Database::Refuses => server.port(),
            // It was free a moment ago.
            Database::Unreachable => {
                TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
            }
        };
        site.give_that_of_the_store(form, port, database == Database::Accepts);
        site.give_the_others();
        site.write();
        site
    }

    fn give_that_of_the_store(&mut self, form: Form, port: u16, is_right: bool) {
        let (password, name) = (self.secret("store"), self.database.clone());
        let accepted = if is_right { &password } else { "another" };
        let sql = format!(
            "CREATE USER '{name}'@'127.0.0.1' IDENTIFIED BY '{accepted}'; \
             GRANT ALL ON {name}.* TO '{name}'@'127.0.0.1';"
        );
        self.server.client("", &sql).unwrap();
        match form {
            Form::Password => {
                self.line("mysql", "default", format!("host = \"127.0.0.1\"\nport = {port}"));
                self.line("mysql", "default", format!("db = \"{name}\"\nuser = \"{name}\""));
                self.give("mysql", "default", "password", &password);
            }
            Form::Url => {
                let url = format!("mysql://{name}:{password}@127.0.0.1:{port}/{name}");
                self.give("mysql", "default", "url", &url);
            }
        }
    }

    fn give_the_others(&mut self) {
        let url = format!("mysql://u:{}@127.0.0.1/d", self.secret("pool"));
        self.give("mysql", "other", "url", &url);
        self.line("redis", "default", "host = \"127.0.0.1\"".to_owned());
        let password = self.secret("redis");
        self.give("redis", "default", "password", &password);
        let url = format!("redis://:{}@127.0.0.1/1", self.secret("cache"));
        self.give("redis", "cache", "url", &url);
        let token = self.secret("token");
        self.give("common", "app.sealed", "token", &token);
        // Somebody is there who speaks, but not HTTP.
        let url = format!("http://127.0.0.1:{}/{}", self.server.port(), self.secret("webhook"));
        self.give("common", "app.webhooks.urls", "team", &url);
        let token = self.secret("metrics");
        self.line("common", "http", "listen = \"127.0.0.1:0\"".to_owned());
        self.give("common", "http", "token", &token);
        // It is told that the jobs fail, and does not understand.
        let url = format!("http://127.0.0.1:{}/{}", self.server.port(), self.secret("channel"));
        self.line("common", "alarms.channels.ops", "kind = \"webhook\"".to_owned());
        self.give("common", "alarms.channels.ops", "url", &url);
        let secret = self.secret("signature");
        self.give("common", "alarms.channels.ops", "secret", &secret);
        // Mail, to the same.
        let secret = self.secret("mail");
        let url = format!("smtp://me:{secret}@127.0.0.1:{}", self.server.port());
        self.line("common", "alarms.channels.night", "kind = \"email\"".to_owned());
        self.line("common", "alarms.channels.night", "from = \"a@b.org\"".to_owned());
        self.line("common", "alarms.channels.night", "to = [\"c@d.org\"]".to_owned());
        self.give("common", "alarms.channels.night", "url", &url);
    }

    fn secret(&mut self, of: &str) -> String {
        self.secrets.push(format!("{NEEDLE}-{of}"));
        self.secrets[self.secrets.len() - 1].clone()
    }

    fn line(&mut self, file: &'static str, table: &'static str, line: String) {
        self.lines.entry((file, table)).or_default().push(line);
    }

    fn give(&mut self, file: &'static str, table: &'static str, key: &str, value: &str) {
        let path = format!("{file}.{table}.{key}");
        let variable = format!("SCHEDULER__{}", path.replace('.', "__").to_uppercase());
        match self.source {
            Source::File => self.line(file, table, format!("{key} = \"{value}\"")),
            Source::Variable => self.variables.push((variable, value.to_owned())),
            Source::FileOfVariable => {
                let path = self.path(&path);
                fs::write(&path, format!("{value}\n")).unwrap();
                self.variables.push((format!("{variable}_FILE"), path.display().to_string()));
            }
        }
    }

    fn write(&self) {
        let folder = self.path("conf/local");
        fs::create_dir_all(&folder).unwrap();
        let logger = "[root]\nlevel = \"trace\"\nfilename = \"logs/all.log\"\nstderr = true\n\
                      [\"sqlx_core::pool::inner\"]\nlevel = \"trace\"\n";
        let common = "store = \"mysql\"\nsync_interval = \"100ms\"\nshutdown_timeout = \"1s\"\n";
        for (file, head) in [("common", common), ("logger", logger), ("mysql", ""), ("redis", "")] {
            let tables = self.lines.iter().filter(|((of, _), _)| *of == file);
            let tables =
                tables.map(|((_, table), lines)| format!("[{table}]\n{}\n", lines.join("\n")));
            let text = head.to_owned() + &tables.collect::<String>();
            fs::write(folder.join(format!("{file}.toml")), text).unwrap();
        }
    }

    pub(crate) fn path(&self, file: &str) -> PathBuf {
        self.folder.path().join(file)
    }

    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = program::command(self.folder.path(), args);
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command
    }

    pub(crate) fn start(&self, args: &[&str]) -> Running {
        let log = self.path("stderr");
        let mut command = self.command(args);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(fs::File::create(&log).unwrap());
        Running { child: command.spawn().unwrap(), log }
    }

    pub(crate) fn log_file(&self) -> String {
        fs::read_to_string(self.path("logs/all.log")).unwrap()
    }

    /// A row that fires at once.
    pub(crate) fn insert(&self, job: &str, args: &str) {
        let sql = format!(
            "INSERT INTO task (task_key, `desc`, execute_func, `trigger`, spec, args, is_valid, status, extra) \
             VALUES ('{job}', '', '{job}', 'date', 'now', '{args}', 1, 'ready', '{{}}');"
        );
        self.server.client(&self.database, &sql).unwrap();
    }

    /// Waits until so many tasks have a run that failed.
    #[track_caller]
    pub(crate) fn have_failed(&self, tasks: usize) {
        let sql = "SELECT COUNT(DISTINCT task_id) FROM execute_task WHERE status = 'fail'";
        let failed = || self.server.client(&self.database, sql).unwrap().trim().parse::<usize>();
        let failed = poll::until(PATIENCE, || (failed().unwrap() >= tasks).then_some(()));
        assert!(failed.is_some(), "{}", self.rows());
    }

    /// Every row of every table; of what is binary, that of it which is text.
    pub(crate) fn rows(&self) -> String {
        let tables =
            "SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE()";
        let tables = self.server.client(&self.database, tables).unwrap();
        let all: String =
            tables.lines().map(|table| format!("SELECT * FROM `{table}`;\n")).collect();
        let mut client = self.server.client_command(&self.database).unwrap();
        let mut client = client.stdout(Stdio::piped()).spawn().unwrap();
        client.stdin.take().unwrap().write_all(all.as_bytes()).unwrap();
        let output = client.wait_with_output().unwrap();
        assert!(output.status.success(), "{all}");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }
}

/// A scheduler that runs. Killed when this is dropped.
pub(crate) struct Running {
    child: Child,
    log: PathBuf,
}

impl Running {
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    #[track_caller]
    pub(crate) fn stop(&mut self) {
        signal(&self.child, "TERM").unwrap();
        let status = poll::until(PATIENCE, || self.child.try_wait().unwrap());
        assert_eq!(status.and_then(|status| status.code()), Some(0), "{}", self.said());
    }

    pub(crate) fn said(&self) -> String {
        fs::read_to_string(&self.log).unwrap()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
