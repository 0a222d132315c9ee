//! What the operator decides: four files per environment, and variables on top. [`Config::load`] reads them all,
//! refuses them with every mistake at once, and touches nothing else; `docs/configuration.md` explains each key.
//!
//! `problem` collects the mistakes, `document` turns a file into a tree, `overrides` lays the environment over
//! it, `reader` reads typed keys (`value`) and writes down what is in force (`settings`); `common`, `logger` and `pools`
//! are the list of keys with `http`, `alarms` and `otlp`; `redis_place` says what an address of Redis means, `mail` what one
//! of mail does. `app` keeps the keys of the program's own, which serde reads through `serde_value`; `mistake` says what it
//! refuses. A key exists because a reader asks for it, so there is no second list that could differ.
//! `check` looks again at what a program changed.
//!
//! Secrets are [`secrecy::SecretString`] and stand in no message, not even in one about themselves.

mod alarms;
mod app;
mod check;
mod common;
mod document;
mod http;
mod logger;
mod mail;
mod mistake;
mod nearest;
mod otlp;
mod overrides;
mod pools;
mod problem;
mod reader;
mod redis_place;
mod secret_file;
mod serde_value;
mod settings;
#[cfg(test)]
mod tests;
mod value;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

pub use self::{
    alarms::{Alarms, Channel, ChannelKind},
    app::{AppTable, Section, SectionValue},
    common::{Common, JobsTable, MaxAge, Retention, StoreChoice},
    http::{Access, Http, Role, Token, User, hash_password},
    logger::{Level, LogFile, Logger, LoggerTable},
    mail::{Mail, MailServer, Mailbox, Protection},
    otlp::Otlp,
    overrides::environment,
    pools::{MysqlPool, RedisPool, Tls},
    problem::{ConfigError, Place, Problem},
    redis_place::RedisPlace,
    settings::{Origin, Setting},
};
use self::{
    document::{Document, Entry, Tree, Value},
    problem::Report,
};

/// The whole configuration, checked.
#[derive(Debug, Clone)]
pub struct Config {
    /// Name of the environment, which is the name of a folder: `local`, `test`, `online`. Empty without files.
    pub app_env: String,
    /// The folder that holds a folder per environment. Empty without files.
    pub folder: PathBuf,
    /// `common.toml`.
    pub common: Common,
    /// `[http]` in it.
    pub http: Http,
    /// `[alarms]` in it.
    pub alarms: Alarms,
    /// `[otlp]` in it; `None`: nothing is sent.
    pub otlp: Option<Otlp>,
    /// `logger.toml`.
    pub logger: Logger,
    /// `mysql.toml`, by name of the pool.
    pub mysql: BTreeMap<String, MysqlPool>,
    /// `redis.toml`, by name of the pool.
    pub redis: BTreeMap<String, RedisPool>,
    /// `[app]` of `common.toml`, which only the program understands: see [`Config::read_sections`].
    pub app: AppTable,
    /// What is allowed but unwise, one line each: to be logged once at the start.
    pub warnings: Vec<String>,
    /// Each key with what the files and variables put in force and where it came from, in the order of the files; what a
    /// program changes later is not in it. Empty without files.
    pub settings: Vec<Setting>,
}

impl Config {
    /// Reads the four files in `folder`/`app_env` and lays `env` over them. What stands under `[app]` is kept for
    /// [`Config::read_sections`]; a program that knows its sections calls [`Config::load_with`] and hears of the
    /// mistakes in them together with all others.
    ///
    /// `env` is the process environment ([`environment`]); variables that do not begin with `SCHEDULER__` are
    /// not looked at.
    ///
    /// # Errors
    ///
    /// Every mistake in the files and in the variables, each with its place and what was expected.
    ///
    /// # Examples
    ///
    /// ```
    /// use scheduler_core::config::{Config, StoreChoice};
    ///
    /// # let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../conf");
    /// let port = ("SCHEDULER__MYSQL__DEFAULT__PORT".to_owned(), "3307".to_owned());
    /// let config = Config::load(folder.as_ref(), "test", [port])?;
    /// assert_eq!(config.common.store, StoreChoice::Mysql);
    /// assert_eq!(config.mysql["default"].port, 3307);
    /// # Ok::<(), scheduler_core::config::ConfigError>(())
    /// ```
    pub fn load(
        folder: &Path,
        app_env: &str,
        env: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Config, ConfigError> {
        let report = Report::default();
        let mut config = read(folder, app_env, env, &report);
        config.warnings = report.verdict()?;
        Ok(config)
    }

    /// As [`Config::load`], and checks that `sections` can be read from `[app]` and that nothing else stands there.
    ///
    /// # Errors
    ///
    /// Every mistake in the files, in the variables and in the sections.
    pub fn load_with(
        folder: &Path,
        app_env: &str,
        env: impl IntoIterator<Item = (String, String)>,
        sections: &[Section],
    ) -> Result<Config, ConfigError> {
        let report = Report::default();
        let mut config = read(folder, app_env, env, &report);
        config.app.read(sections, &report);
        config.warnings = report.verdict()?;
        Ok(config)
    }

    /// A configuration without files: an SQLite database in `path`, relative to the working directory, and the
    /// default of every other key. Change what should differ.
    ///
    /// ```
    /// use std::time::Duration;
    /// use scheduler_core::config::Config;
    ///
    /// let mut config = Config::sqlite("data/app.db");
    /// config.common.sync_interval = Duration::from_secs(1);
    /// assert_eq!(config.common.timezone, "UTC");
    /// ```
    pub fn sqlite(path: impl Into<PathBuf>) -> Config {
        let (place, value) = (Place::file(Path::new("")), Value::Text("sqlite:any".to_owned()));
        let tree = Tree::from([("store".to_owned(), Entry { place, value })]);
        let document = Document { name: "common", path: PathBuf::new(), tree, is_whole: true };
        let mut common = reader::read_root(&document, &Report::default(), common::read);
        common.store = StoreChoice::Sqlite(path.into());
        Config {
            app_env: String::new(),
            folder: PathBuf::new(),
            common,
            // The program that it is a part of decides what it listens to.
            http: Http::default(),
            alarms: Alarms::default(),
            otlp: None,
            logger: Logger::default(),
            mysql: BTreeMap::new(),
            redis: BTreeMap::new(),
            app: AppTable::default(),
            warnings: Vec::new(),
            settings: Vec::new(),
        }
    }
}

/// Reads everything; what is returned counts only if `report` has no mistake.
fn read(
    folder: &Path,
    app_env: &str,
    env: impl IntoIterator<Item = (String, String)>,
    report: &Report,
) -> Config {
    let mut documents = open_all(folder, app_env, report);
    overrides::apply(&mut documents, env, report);
    let [common, logger, mysql, redis] = &documents;
    let (common_keys, http, alarms, otlp) = reader::read_root(common, report, |t| {
        (common::read(t), http::read(t), alarms::read(t), otlp::read(t))
    });
    let config = Config {
        app_env: app_env.to_owned(),
        folder: folder.to_owned(),
        common: common_keys,
        http,
        alarms,
        otlp,
        app: AppTable::of(common, report),
        logger: logger::read(logger, report),
        mysql: pools::read_mysql(mysql, report),
        redis: pools::read_redis(redis, report),
        warnings: Vec::new(),
        settings: report.take_settings(),
    };
    let wants_mysql = config.common.store == StoreChoice::Mysql;
    if wants_mysql && mysql.is_whole && !config.mysql.contains_key("default") {
        let text = "[default] is missing, expected the pool of the store, since store is \"mysql\"";
        report.problem(Place::file(&mysql.path), text.to_owned());
    }
    config
}

/// The four files, empty if there is no folder for the environment.
fn open_all(folder: &Path, app_env: &str, report: &Report) -> [Document; 4] {
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    let path = folder.join(app_env);
    if app_env.is_empty() || !app_env.chars().all(is_name) {
        let text = format!("{app_env:?} is refused, expected a name such as \"local\"");
        report.problem(Place::Variable("APP_ENV".to_owned()), text);
    } else if !path.is_dir() {
        let environments = environments(folder);
        let help = if environments.is_empty() {
            format!(
                "and {} holds no environment: name the folder with --conf DIR",
                folder.display()
            )
        } else {
            nearest::or_nearest(app_env, environments.iter().map(String::as_str))
        };
        let text = format!("no such folder, chosen by APP_ENV {app_env:?}, {help}");
        report.problem(Place::file(&path), text);
    } else {
        let open = |name| document::open(name, path.join(format!("{name}.toml")), report);
        return FILES.map(open);
    }
    let none = |name| Document { name, path: path.clone(), tree: Tree::new(), is_whole: false };
    FILES.map(none)
}

/// The files of an environment, in the order in which their mistakes are reported.
const FILES: [&str; 4] = ["common", "logger", "mysql", "redis"];

/// The folders in `folder`, in order.
fn environments(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let folders = entries.filter(|entry| entry.path().is_dir());
    let mut names: Vec<_> =
        folders.filter_map(|entry| entry.file_name().into_string().ok()).collect();
    names.sort();
    names
}
