//! What is in force, and where it came from: `scheduler config show`.

use std::fs;

use super::{super::*, Conf};

/// Looked for in everything that is shown.
const MARKER: &str = "hunter2-marker";

/// `key value origin` of each key of a table, without what is by default.
fn given(conf: &Conf, env: &[(&str, &str)], file: &str, table: &str) -> Vec<String> {
    let lines = all(conf, env, file, table).into_iter();
    lines.filter(|line| !line.ends_with(" default")).collect()
}

fn all(conf: &Conf, env: &[(&str, &str)], file: &str, table: &str) -> Vec<String> {
    let config = conf.load(env).unwrap();
    let debug = format!("{config:?}");
    assert!(!debug.contains(MARKER), "{debug}");
    let folder = format!("{}/", conf.folder().join("local").display());
    let of_table =
        config.settings.iter().filter(|setting| setting.file == file && setting.table == table);
    of_table
        .map(|Setting { key, value, origin, .. }| format!("{key} {value} {origin}"))
        .map(|line| line.replace(&folder, "").replace(conf.folder().to_str().unwrap(), "DIR"))
        .collect()
}

#[track_caller]
fn check(conf: &Conf, env: &[(&str, &str)], file: &str, table: &str, expected: &[&str]) {
    assert_eq!(given(conf, env, file, table), expected);
}

#[test]
fn each_value_is_shown_as_it_is_in_force_with_its_file_and_line_or_its_variable() {
    let text = "store = \"sqlite:///var/x.db\"\ntimezone = \"asia/shanghai\"\nlease = \"90\"\n\
                [jobs]\nthreads = 0x10\n[retention]\nmax_age = \"never\"\nmax_log_age = \"NEVER\"\n";
    let conf = Conf::with("common", text.replace("NEVER", "never"));
    let env = [("SCHEDULER__COMMON__CRON_DIALECT", "APScheduler")];
    let root = [
        "store \"sqlite:/var/x.db\" common.toml:1",
        "timezone \"Asia/Shanghai\" common.toml:2",
        "cron_dialect \"apscheduler\" environment SCHEDULER__COMMON__CRON_DIALECT",
        "lease \"90s\" common.toml:3",
    ];
    check(&conf, &env, "common", "", &root);
    check(&conf, &env, "common", "jobs", &["threads 16 common.toml:5"]);
    let retention = ["max_age \"never\" common.toml:7", "max_log_age \"never\" common.toml:8"];
    check(&conf, &env, "common", "retention", &retention);
}

#[test]
fn what_is_not_given_is_shown_as_it_is_by_default() {
    let conf = Conf::new();
    let expected = [
        "store \"sqlite:data/scheduler.db\" common.toml:1",
        "timezone \"UTC\" default",
        "cron_dialect \"standard\" default",
        "demo_rows false default",
        "sync_interval \"10s\" default",
        "misfire_grace_time \"1m\" default",
        "coalesce true default",
        "max_instances 1 default",
        "lease \"30s\" default",
        "clock_tolerance \"2s\" default",
        "shutdown_timeout \"10s\" default",
        "database_timeout \"5s\" default",
    ];
    assert_eq!(all(&conf, &[], "common", ""), expected);
    let retention = [
        "max_age by origin of the database default",
        "max_per_task 0 default",
        "max_log_age \"30d\" default",
        "max_edit_age \"365d\" default",
    ];
    assert_eq!(all(&conf, &[], "common", "retention"), retention);
    let ssl = |env: &[(&str, &str)]| all(&conf, env, "mysql", "default").remove(13);
    assert_eq!(ssl(&[]), "ssl_mode \"preferred\" default");
    let here = [("SCHEDULER__MYSQL__DEFAULT__HOST", "localhost")];
    assert_eq!(ssl(&here), "ssl_mode \"disabled\" default");
}

#[test]
fn each_key_that_has_a_meaning_is_shown_once_in_the_order_of_the_files() {
    let settings = Conf::new().load(&[]).unwrap().settings;
    let report = Report::default();
    read(Conf::new().folder(), "local", [], &report);
    let mut shown: Vec<_> = settings
        .iter()
        .map(|Setting { file, table, key, .. }| {
            let table = if matches!(*file, "common") { table } else { "*" };
            if table.is_empty() {
                (*file, key.clone())
            } else {
                (*file, format!("[{table}] {key}"))
            }
        })
        .collect();
    let files: Vec<_> = shown.iter().map(|(file, _)| *file).collect();
    assert!(files.is_sorted(), "{files:?}");
    shown.sort();
    assert_eq!(shown, report.known().into_iter().collect::<Vec<_>>());
}

#[test]
fn a_logger_shows_what_it_has_from_root() {
    let text = "[jobs]\nfilename = \"./jobs.log\"\n[other]\nlevel = \"critical\"\n\
                [root]\nlevel = \"WARNING\"\nfilename = \"root.log\"\nmaxBytes = 7\n";
    let conf = Conf::with("logger", text);
    let root = [
        "level \"warn\" logger.toml:6",
        "filename \"root.log\" logger.toml:7",
        "maxBytes 7 logger.toml:8",
        "backupCount 5 default",
        "stderr false default",
    ];
    assert_eq!(all(&conf, &[], "logger", "root"), root);
    let other = [
        "level \"error\" logger.toml:4",
        "filename \"root.log\" [root]",
        "maxBytes 7 [root]",
        "backupCount 5 [root]",
        "stderr false [root]",
    ];
    assert_eq!(all(&conf, &[], "logger", "other"), other);
    let jobs = [
        "level \"warn\" [root]",
        "filename \"jobs.log\" logger.toml:2",
        "maxBytes 7 [root]",
        "backupCount 5 [root]",
        "stderr false default",
    ];
    assert_eq!(all(&conf, &[], "logger", "jobs"), jobs);
    let absent = all(&Conf::with("logger", ""), &[], "logger", "root");
    assert_eq!((absent.len(), absent[0].as_str()), (5, "level \"info\" default"));
}

#[test]
fn a_secret_is_shown_as_one_wherever_it_comes_from() {
    let conf = Conf::with(
        "mysql",
        format!("[default]\nhost = \"h\"\ndb = \"d\"\nuser = \"u@h\"\npassword = \"{MARKER}\"\n"),
    );
    let secret = conf.folder().join("secret");
    fs::write(&secret, format!("{MARKER}\n")).unwrap();
    let pool = |password: &[&'static str]| {
        let first = ["host \"h\" mysql.toml:2"].into_iter().chain(password.iter().copied());
        first.chain(["db \"d\" mysql.toml:3", "user (not shown) mysql.toml:4"]).collect::<Vec<_>>()
    };
    check(&conf, &[], "mysql", "default", &pool(&["password (secret) mysql.toml:5"]));
    let name = "SCHEDULER__MYSQL__DEFAULT__PASSWORD";
    let expected = pool(&["password (secret) environment SCHEDULER__MYSQL__DEFAULT__PASSWORD"]);
    check(&conf, &[(name, MARKER)], "mysql", "default", &expected);
    let name = "SCHEDULER__MYSQL__DEFAULT__PASSWORD_FILE";
    let expected = pool(&[
        "password (secret) environment SCHEDULER__MYSQL__DEFAULT__PASSWORD_FILE",
        "password_file \"DIR/secret\" environment SCHEDULER__MYSQL__DEFAULT__PASSWORD_FILE",
    ]);
    check(&conf, &[(name, secret.to_str().unwrap())], "mysql", "default", &expected);
}

#[test]
fn what_a_url_says_is_shown_as_said_by_it() {
    let conf = Conf::with("redis", format!("[default]\nurl = \"redis://:{MARKER}@h/1\"\n"));
    let by_url = |key: &str| format!("{key} by url redis.toml:2");
    let mut expected: Vec<_> =
        ["host", "password", "password_file", "port", "db", "user"].map(by_url).into();
    expected.push("url (secret) redis.toml:2".to_owned());
    assert_eq!(given(&conf, &[], "redis", "default"), expected);
}

#[test]
fn the_keys_of_the_program_are_shown_without_their_values() {
    let text = format!(
        "store = \"mysql\"\n[app.mail]\ntoken = \"{MARKER}\"\nport = 25\n[app.mail.retry]\nlimit = 3\n"
    );
    let conf = Conf::with("common", text);
    let mail = ["port (not shown) common.toml:4", "token (not shown) common.toml:3"];
    check(&conf, &[], "common", "app.mail", &mail);
    check(&conf, &[], "common", "app.mail.retry", &["limit (not shown) common.toml:6"]);
    let env = [("SCHEDULER__COMMON__APP__MAIL__TOKEN_FILE", "/no/such")];
    let mail = [
        "port (not shown) common.toml:4",
        "token (not shown) environment SCHEDULER__COMMON__APP__MAIL__TOKEN_FILE",
    ];
    check(&conf, &env, "common", "app.mail", &mail);
}

#[cfg(feature = "email")]
#[test]
fn who_gets_mail_is_shown_and_where_it_goes_is_not() {
    let text = format!(
        "store = \"mysql\"\n[alarms.channels.ops]\nkind = \"email\"\nurl = \"smtps://me:{MARKER}@h\"\n\
         from = \"值班 <a@b.org>\"\nto = [\"c@d.org\", \"D <d@e.org>\"]\n"
    );
    let conf = Conf::with("common", text);
    let channel = |url: &'static str, to: &'static str| {
        let first = "kind \"email\" common.toml:3";
        [first, "from \"值班 <a@b.org>\" common.toml:5", to, url].to_vec()
    };
    let to = "to [\"c@d.org\", \"D <d@e.org>\"] common.toml:6";
    check(&conf, &[], "common", "alarms.channels.ops", &channel("url (secret) common.toml:4", to));
    let name = "SCHEDULER__COMMON__ALARMS__CHANNELS__OPS__TO";
    let env = [(name, "D <d@e.org>, c@d.org")];
    let to = "to [\"D <d@e.org>\", \"c@d.org\"] environment SCHEDULER__COMMON__ALARMS__CHANNELS__OPS__TO";
    check(&conf, &env, "common", "alarms.channels.ops", &channel("url (secret) common.toml:4", to));
    let secret = conf.folder().join("secret");
    fs::write(&secret, format!("smtp://you:{MARKER}@h:25\n")).unwrap();
    let name = "SCHEDULER__COMMON__ALARMS__CHANNELS__OPS__URL_FILE";
    let config = conf.load(&[(name, secret.to_str().unwrap())]).unwrap();
    let server = config.alarms.channels["ops"].mail_server().unwrap();
    assert_eq!((server.port, server.credentials.unwrap().0), (25, "you".to_owned()));
}
