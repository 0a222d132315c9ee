//! Each key: what it accepts at both ends of its range, what it refuses, and in which words.

use crate::plan::trigger::CronDialect;
use std::{path::PathBuf, time::Duration};

use super::{super::*, Conf, with_line};

#[track_caller]
fn accepts(file: &str, line: &str) -> Config {
    let (text, _) = with_line(file, line);
    Conf::with(file, text).load(&[]).unwrap()
}

/// `said` follows the place, and in a pool the name of the table.
#[track_caller]
fn refuses(file: &str, line: &str, said: &str) {
    let (text, number) = with_line(file, line);
    let table = if file == "common" {
        ""
    } else if file == "logger" {
        "[root] "
    } else {
        "[default] "
    };
    let expected = format!("{file}.toml:{number}: {table}{said}");
    assert_eq!(Conf::with(file, text).mistakes(&[]), [expected], "{line}");
}

#[rustfmt::skip] // One case per line.
#[test]
fn common_refuses_each_wrong_value() {
    const STORE: &str = "\"mysql\" or an SQLite file such as \"sqlite:data/scheduler.db\"";
    const ZONE: &str = "the IANA name of a zone such as \"Europe/Berlin\"";
    const LENGTH: &str = "as whole seconds or as text such as \"10s\" or \"1h30m\"";
    refuses("common", "store = \"\"", &format!("store is \"\", expected {STORE}"));
    refuses("common", "store = 1", &format!("store is 1, expected {STORE}"));
    refuses("common", "store = \"sqlite\"", &format!("store is \"sqlite\", expected {STORE}"));
    refuses("common", "store = \"sqlite:\"", &format!("store is \"sqlite:\", expected {STORE}"));
    refuses("common", "store = \"sqlite::memory:\"", &format!("store is \"sqlite::memory:\", expected {STORE}"));
    refuses("common", "store = \"sqlite:a?mode=ro\"", &format!("store is \"sqlite:a?mode=ro\", expected {STORE}"));
    refuses("common", "store = \"mysql://u:p@h/d\"", &format!("store is a url (not shown), expected {STORE}"));
    refuses("common", "timezone = \"\"", &format!("timezone is \"\", expected {ZONE}"));
    refuses("common", "timezone = 8", &format!("timezone is 8, expected {ZONE}"));
    refuses("common", "timezone = \"Mars/Olympus\"", &format!("timezone is \"Mars/Olympus\", expected {ZONE}"));
    refuses("common", "timezone = \"Asia/Shangai\"", "timezone is \"Asia/Shangai\", expected a known zone: \"Asia/Shanghai\"?");
    refuses("common", "cron_dialect = \"vixie\"", "cron_dialect is \"vixie\", expected one of \"standard\", \"apscheduler\"");
    refuses("common", "cron_dialect = 0", "cron_dialect is 0, expected one of \"standard\", \"apscheduler\"");
    refuses("common", "demo_rows = \"true\"", "demo_rows is \"true\", expected true or false");
    refuses("common", "demo_rows = 1", "demo_rows is 1, expected true or false");
    refuses("common", "coalesce = \"yes\"", "coalesce is \"yes\", expected true or false");
    refuses("common", "sync_interval = \"99ms\"", &format!("sync_interval is \"99ms\", expected 100ms to 1h, {LENGTH}"));
    refuses("common", "sync_interval = 3601", &format!("sync_interval is 3601, expected 100ms to 1h, {LENGTH}"));
    refuses("common", "sync_interval = 0", &format!("sync_interval is 0, expected 100ms to 1h, {LENGTH}"));
    refuses("common", "sync_interval = 1.5", &format!("sync_interval is 1.5, expected 100ms to 1h, {LENGTH}"));
    refuses("common", "sync_interval = \"\"", &format!("sync_interval is \"\", expected 100ms to 1h, {LENGTH}"));
    refuses("common", "sync_interval = \"soon\"", &format!("sync_interval is \"soon\", expected 100ms to 1h, {LENGTH}"));
    refuses("common", "misfire_grace_time = 0", &format!("misfire_grace_time is 0, expected 1s to 366d, {LENGTH}"));
    refuses("common", "misfire_grace_time = 31622401", &format!("misfire_grace_time is 31622401, expected 1s to 366d, {LENGTH}"));
    refuses("common", "max_instances = 0", "max_instances is 0, expected 1 to 10000");
    refuses("common", "max_instances = 10001", "max_instances is 10001, expected 1 to 10000");
    refuses("common", "max_instances = -1", "max_instances is -1, expected 1 to 10000");
    refuses("common", "max_instances = \"1\"", "max_instances is \"1\", expected a whole number, 1 to 10000");
    refuses("common", "max_instances = [1]", "max_instances is an array, expected a whole number, 1 to 10000");
    refuses("common", "max_instances = 2026-01-01", "max_instances is a date or time, expected a whole number, 1 to 10000");
    refuses("common", "max_instances = 99999999999999999999", "max_instances is 99999999999999999999, expected 1 to 10000");
    refuses("common", "lease = \"999ms\"", &format!("lease is \"999ms\", expected 1s to 1h, {LENGTH}"));
    refuses("common", "lease = \"1h1s\"", &format!("lease is \"1h1s\", expected 1s to 1h, {LENGTH}"));
    refuses("common", "lease = -1", &format!("lease is -1, expected 1s to 1h, {LENGTH}"));
    refuses("common", "lease = \"-1s\"", &format!("lease is \"-1s\", expected 1s to 1h, {LENGTH}"));
    refuses("common", "clock_tolerance = \"99ms\"", &format!("clock_tolerance is \"99ms\", expected 100ms to 1h, {LENGTH}"));
    refuses("common", "shutdown_timeout = 3601", &format!("shutdown_timeout is 3601, expected 0s to 1h, {LENGTH}"));
    refuses("common", "database_timeout = \"99ms\"", &format!("database_timeout is \"99ms\", expected 100ms to 5m, {LENGTH}"));
    refuses("common", "database_timeout = 301", &format!("database_timeout is 301, expected 100ms to 5m, {LENGTH}"));
    refuses("common", "jobs = 4", "jobs is 4, expected a table");
    refuses("common", "jobs.threads = 1025", "[jobs] threads is 1025, expected 0 to 1024");
    refuses("common", "jobs.max_running = 0", "[jobs] max_running is 0, expected 1 to 100000");
    refuses("common", "jobs.max_running = 100001", "[jobs] max_running is 100001, expected 1 to 100000");
    refuses("common", "jobs.threads = -1", "[jobs] threads is -1, expected 0 to 1024");
    refuses("common", "jobs.thread = 1", "[jobs] unknown key \"thread\", did you mean \"threads\"?");
    refuses("common", "timezon = \"UTC\"", "unknown key \"timezon\", did you mean \"timezone\"?");
    refuses("common", "[job]", "unknown table \"job\", did you mean \"jobs\"?");
}

#[test]
fn http_refuses_each_wrong_value() {
    const LISTEN: &str = "expected an address and a port such as \"127.0.0.1:8888\", or \"off\"";
    refuses("common", "http.listen = \"8888\"", &format!("[http] listen is \"8888\", {LISTEN}"));
    refuses("common", "http.listen = 8888", &format!("[http] listen is 8888, {LISTEN}"));
    refuses(
        "common",
        "http.listen = \"localhost:8888\"",
        &format!("[http] listen is \"localhost:8888\", {LISTEN}"),
    );
    refuses(
        "common",
        "http.listen = \"0.0.0.0:8888\"",
        "[http] listen lets other machines ask, expected a user or a token beside it",
    );
    const TOKEN: &str = "expected 16 to 1024 letters, digits and signs of ASCII, without blanks";
    refuses(
        "common",
        "http.token = \"fifteen-letters\"",
        &format!("[http] token is wrong (not shown), {TOKEN}"),
    );
    refuses(
        "common",
        "http.token = \"sixteen letters!\"",
        &format!("[http] token is wrong (not shown), {TOKEN}"),
    );
    refuses(
        "common",
        "http.secure_cookies = 1",
        "[http] secure_cookies is 1, expected true or false",
    );
}

#[test]
fn people_and_programs_are_refused_that_are_not_whole() {
    let user = |text: &str, said: &str| refuses("common", &format!("http.users.{text}"), said);
    let hash = format!("password_hash = {:?}", hash_password("x"));
    user("ann = 1", "[http] ann is 1, expected a table such as [http.users.ops]");
    user(&format!("ann = {{ {hash} }}"), "[http.users.ann] role is missing");
    user("ann = { role = \"viewer\" }", "[http.users.ann] password_hash is missing");
    user(
        &format!("ann = {{ {hash}, role = \"root\" }}"),
        "[http.users.ann] role is \"root\", expected one of \"viewer\", \"operator\", \"admin\"",
    );
    const HASH: &str = "expected a hash by argon2id, as `scheduler password` prints it";
    let other = "$argon2i$v=19$m=16,t=2,p=1$c2FsdHNhbHQ$Jb7vRGmaTt0ZoPK9sW2Ezw";
    for wrong in ["secret", "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ", other] {
        user(
            &format!("ann = {{ password_hash = {wrong:?}, role = \"viewer\" }}"),
            &format!("[http.users.ann] password_hash is wrong (not shown), {HASH}"),
        );
    }
    user(
        &format!("\"a b\" = {{ {hash}, role = \"viewer\" }}"),
        "[http.users.a b] is no name, expected 1 to 64 letters, digits and . _ - @",
    );
    user(
        &format!("ann = {{ {hash}, role = \"viewer\", tasks = [] }}"),
        "[http.users.ann] tasks is an array, expected an array of 1 to 100, each a task_key, with * for any characters, not 0",
    );
    let token = "http.tokens.ci = { role = \"viewer\", token = \"short\" }";
    const TOKEN: &str = "expected 16 to 1024 letters, digits and signs of ASCII, without blanks";
    refuses("common", token, &format!("[http.tokens.ci] token is wrong (not shown), {TOKEN}"));
    refuses(
        "common",
        "http.tokens.ci = { role = \"viewer\" }",
        "[http.tokens.ci] token is missing",
    );
}

#[test]
fn people_and_programs_are_read_with_what_they_may() {
    let hash = hash_password("x");
    assert_ne!(hash, hash_password("x"), "each has a salt of its own");
    let lines = format!(
        "http = {{ listen = \"0.0.0.0:1\", users.\"ann@example.org\" = {{ password_hash = {hash:?}, role = \"Operator\", \
         tasks = [\"billing_*\", \"x\"] }}, tokens.ci = {{ token = \"sixteen-letters!\", role = \"admin\" }} }}"
    );
    let http = accepts("common", &lines).http;
    assert!(http.secure_cookies, "other machines may ask");
    let ann = &http.users["ann@example.org"].access;
    let tasks = vec!["billing_*".to_owned(), "x".to_owned()];
    assert_eq!(*ann, Access { role: Role::Operator, tasks });
    assert_eq!(http.tokens["ci"].access, Access::full());
    assert!(!accepts("common", "http.listen = \"[::1]:1\"").http.secure_cookies);
}

#[test]
fn alarms_refuse_each_wrong_value() {
    refuses("common", "alarms.failing = 1", "[alarms] failing is 1, expected 2 to 1000");
    refuses("common", "alarms.channels = 1", "[alarms] channels is 1, expected a table");
    refuses(
        "common",
        "alarms.channels.ops = 1",
        "[alarms] ops is 1, expected a table such as [alarms.channels.ops]",
    );
    let ops = |keys: &str| format!("alarms.channels.ops = {{ {keys} }}");
    let url = "url = \"https://oapi.dingtalk.com/robot/send?access_token=x\"";
    const AT: &str = "[alarms.channels.ops]";
    refuses("common", &ops(url), &format!("{AT} kind is missing"));
    refuses("common", &ops("kind = \"slack\""), &format!("{AT} url is missing"));
    refuses(
        "common",
        &ops(&format!("kind = \"sms\", {url}")),
        &format!(
            "{AT} kind is \"sms\", expected one of \"dingtalk\", \"feishu\", \"wecom\", \"slack\", \"webhook\", \"email\""
        ),
    );
    refuses(
        "common",
        &ops(&format!("kind = \"webhook\", {url}")),
        &format!("{AT} secret is missing"),
    );
    refuses(
        "common",
        &ops(&format!("kind = \"slack\", secret = \"x\", {url}")),
        &format!("{AT} secret is given, expected none: this kind of channel signs nothing"),
    );
    for key in ["from = \"a@b.org\"", "to = [\"a@b.org\"]"] {
        let (name, _) = key.split_once(' ').unwrap();
        refuses(
            "common",
            &ops(&format!("kind = \"slack\", {key}, {url}")),
            &format!("{AT} {name} is given, expected none: this kind of channel sends no mail"),
        );
    }
    for wrong in [
        "http://example.org/x",
        "smtps://example.org",
        "https://user:pass@example.org/x",
        "example.org",
    ] {
        let line = ops(&format!("kind = \"slack\", url = \"{wrong}\""));
        refuses(
            "common",
            &line,
            &format!(
                "{AT} url is wrong (not shown), expected an address that begins with https://, or http:// to this machine"
            ),
        );
    }
    let names = "expected an array of \"database\", \"clock\", \"node_lost\", \"overdue\", \"failing\", \"failed\", \"missed\", \"late\", \"slow\", \"skipped\", \"rejected\"";
    refuses(
        "common",
        &ops(&format!("kind = \"slack\", rules = [\"late\", \"all\"], {url}")),
        &format!("{AT} rules is an array, {names}, of which number 2, \"all\", is none"),
    );
    refuses(
        "common",
        &ops(&format!("kind = \"slack\", rules = \"failed\", {url}")),
        &format!("{AT} rules is \"failed\", {names}"),
    );
}

#[cfg(feature = "email")]
#[test]
fn mail_refuses_each_wrong_value() {
    const AT: &str = "[alarms.channels.ops]";
    const FORM: &str = "smtps://USER:PASSWORD@HOST:465, or smtp://USER:PASSWORD@HOST:587 with STARTTLS, with both of user \
                        and password or neither";
    const MAILBOX: &str = "a mailbox such as \"ops@example.org\" or \"Night watch <ops@example.org>\", in ASCII after the name";
    let right = [
        ("url", "\"smtps://u:p@h\""),
        ("from", "\"Scheduler <s@example.org>\""),
        ("to", "[\"ops@example.org\"]"),
    ];
    let with = |key: &str, value: &str| {
        let mut keys: Vec<_> = right.into_iter().filter(|(other, _)| *other != key).collect();
        if !value.is_empty() {
            keys.push((key, value));
        }
        let keys: Vec<_> = keys.iter().map(|(key, value)| format!("{key} = {value}")).collect();
        format!("alarms.channels.ops = {{ kind = \"email\", {} }}", keys.join(", "))
    };
    let wrong = |key: &str, value: &str, said: &str| {
        refuses("common", &with(key, value), &format!("{AT} {key} {said}"));
    };
    for key in ["url", "from", "to"] {
        wrong(key, "", "is missing");
    }
    for url in ["https://h", "smtps://u@h", "smtp://h/x", "mail.example.org"] {
        wrong("url", &format!("{url:?}"), &format!("is wrong (not shown), expected {FORM}"));
    }
    wrong("from", "\"ops\"", &format!("is \"ops\", expected {MAILBOX}"));
    wrong("from", "\"a@b@c\"", &format!("is text with an @ (not shown), expected {MAILBOX}"));
    wrong("from", "[\"a@b.org\"]", &format!("is an array, expected {MAILBOX}"));
    let list = format!("expected an array of 1 to 50, each {MAILBOX}");
    wrong("to", "[]", &format!("is an array, {list}, not 0"));
    let many = vec!["\"a@b.org\""; 51].join(", ");
    wrong("to", &format!("[{many}]"), &format!("is an array, {list}, not 51"));
    accepts("common", &with("to", &format!("[{}]", &many[..many.len() - 11])));
    wrong("to", "\"a@b.org\"", &format!("is text with an @ (not shown), {list}"));
    wrong("to", "[\"a@b.org\", \"b\"]", &format!("is an array, {list}, which number 2 is not"));
    wrong("to", "[1]", &format!("is an array, {list}, which number 1 is not"));
    wrong("ssl_ca", "\"/no/ca\"", "is \"/no/ca\", expected the path of an existing file");
    let said = "is given, expected none: this kind of channel signs nothing";
    wrong("secret", "\"x\"", said);
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "x").unwrap();
    wrong("secret_file", &format!("{:?}", file.path()), said);
}

#[cfg(feature = "email")]
#[test]
fn mail_is_plain_only_to_this_machine_and_only_where_no_certificate_is_given() {
    let protection = |url: &str, ssl_ca: &str| {
        let line = format!(
            "alarms.channels.ops = {{ kind = \"email\", url = {url:?}, from = \"a@b.org\", to = [\"c@d.org\"]{ssl_ca} }}"
        );
        let channel = accepts("common", &line).alarms.channels.remove("ops").unwrap();
        channel.mail_server().unwrap().protection
    };
    let ssl_ca = ", ssl_ca = \"Cargo.toml\"";
    assert_eq!(protection("smtp://127.0.0.1", ""), Protection::Nothing);
    assert_eq!(protection("smtp://127.0.0.1", ssl_ca), Protection::StartTls);
    assert_eq!(protection("smtp://mail", ""), Protection::StartTls);
    assert_eq!(protection("smtps://127.0.0.1", ""), Protection::Tls);
}

#[cfg(not(feature = "email"))]
#[test]
fn a_program_without_mail_says_that_it_is_one() {
    refuses(
        "common",
        "alarms.channels.ops = { kind = \"email\", url = \"smtps://h\", from = \"a@b.org\", to = [\"c@d.org\"] }",
        "[alarms.channels.ops] kind is \"email\", and this program was built without the feature email, expected one with \
         it (cargo run -p scheduler --features email), or another kind",
    );
}

#[test]
fn common_accepts_the_ends_of_each_range() {
    for line in [
        "store = \"sqlite:///var/lib/scheduler.db\"",
        "sync_interval = \"100ms\"",
        "sync_interval = 3600",
        "sync_interval = \"3600\"",
        "sync_interval = \"1h\"",
        "misfire_grace_time = 1",
        "misfire_grace_time = 31622400",
        "max_instances = 1",
        "max_instances = 10_000",
        "max_instances = 0x10",
        "lease = 1",
        "lease = \"1h\"",
        "clock_tolerance = \"100ms\"",
        "clock_tolerance = 3600",
        "shutdown_timeout = 0",
        "http.listen = \"off\"",
        "alarms = { failing = 2, late = \"1d\", slow = 100, repeat = \"1m\" }",
        "alarms.channels.here = { kind = \"webhook\", url = \"http://127.0.0.1:9/x\", secret = \"x\", rules = [\"Failed\", \"late\"] }",
        "http.listen = \"[::1]:1\"",
        "http = { listen = \"0.0.0.0:8888\", token = \"sixteen-letters!\" }",
        "shutdown_timeout = 3600",
        "database_timeout = \"100ms\"",
        "database_timeout = \"5m\"",
        "jobs.threads = 0",
        "jobs.threads = 1024",
        "jobs.max_running = 1",
        "jobs.max_running = 100000",
        "cron_dialect = \"APScheduler\"",
        "timezone = \"America/Argentina/Buenos_Aires\"",
    ] {
        accepts("common", line);
    }
}

#[test]
fn values_arrive_as_they_were_written() {
    let common = |line| accepts("common", line).common;
    assert_eq!(common("sync_interval = \"1m30s\"").sync_interval, Duration::from_secs(90));
    assert_eq!(common("sync_interval = \"20\"").sync_interval, Duration::from_secs(20));
    assert_eq!(common("cron_dialect = \"apscheduler\"").cron_dialect, CronDialect::Apscheduler);
    assert_eq!(common("timezone = \"asia/shanghai\"").timezone, "Asia/Shanghai");
    assert_eq!(
        common("store = \"sqlite://a/b.db\"").store,
        StoreChoice::Sqlite(PathBuf::from("a/b.db"))
    );
    assert_eq!(common("store = \"mysql\"").store, StoreChoice::Mysql);
    assert!(!common("coalesce = false").coalesce);
    assert_eq!(accepts("mysql", "charset = \"utf8\"").mysql["default"].charset, "utf8mb4");
    assert_eq!(accepts("mysql", "ssl_mode = \"verify_ca\"").mysql["default"].tls, Tls::VerifyCa);
}

#[test]
fn what_is_not_written_has_the_documented_default() {
    let config = Conf::new().load(&[]).unwrap();
    let secs = Duration::from_secs;
    let expected = Common {
        store: StoreChoice::Sqlite(PathBuf::from("data/scheduler.db")),
        timezone: "UTC".to_owned(),
        cron_dialect: CronDialect::Standard,
        demo_rows: false,
        sync_interval: secs(10),
        misfire_grace_time: secs(60),
        coalesce: true,
        max_instances: 1,
        lease: secs(30),
        clock_tolerance: secs(2),
        shutdown_timeout: secs(10),
        database_timeout: secs(5),
        jobs: JobsTable { threads: 0, max_running: 10_000 },
        retention: Retention {
            max_age: MaxAge::ByOrigin,
            max_per_task: 0,
            max_log_age: Some(secs(30 * 86_400)),
            max_edit_age: Some(secs(365 * 86_400)),
        },
    };
    assert_eq!(config.http.listen, "127.0.0.1:8888".parse().ok());
    assert!(config.http.token.is_none());
    assert_eq!(config.common, expected);
    let mysql = &config.mysql["default"];
    assert_eq!((mysql.port, mysql.maxsize, mysql.autocommit), (3306, 10, true));
    assert_eq!((mysql.stale_timeout, mysql.connect_timeout), (secs(300), secs(3)));
    let redis = &config.redis["default"];
    assert_eq!((redis.port, redis.db, redis.maxsize), (6379, 0, 10));
    assert!(redis.password.is_none() && redis.user.is_none() && redis.url.is_none());
}

#[rustfmt::skip] // One case per line.
#[test]
fn a_pool_of_mysql_refuses_each_wrong_value() {
    const HOST: &str = "a host name or an address, without scheme and port";
    const LENGTH: &str = "as whole seconds or as text such as \"10s\" or \"1h30m\"";
    refuses("mysql", "host = \"\"", &format!("host is \"\", expected {HOST}"));
    refuses("mysql", "host = \"db:3306\"", &format!("host is \"db:3306\", expected {HOST}"));
    refuses("mysql", "host = \"a b\"", &format!("host is \"a b\", expected {HOST}"));
    refuses("mysql", "port = 0", "port is 0, expected 1 to 65535");
    refuses("mysql", "port = -1", "port is -1, expected 1 to 65535");
    refuses("mysql", "port = 65536", "port is 65536, expected 1 to 65535");
    refuses("mysql", "port = 70000", "port is 70000, expected 1 to 65535");
    refuses("mysql", "port = \"3306\"", "port is \"3306\", expected a whole number, 1 to 65535");
    refuses("mysql", "db = \"\"", "db is \"\", expected a name that is not empty");
    refuses("mysql", "db = 3", "db is 3, expected a name that is not empty");
    refuses("mysql", "user = \"\"", "user is \"\", expected a name that is not empty");
    refuses("mysql", "user = \"a\\u0007\"", "user is \"a\\u{7}\", expected a name that is not empty");
    refuses("mysql", "charset = \"latin1\"", "charset is \"latin1\", expected one of \"utf8mb4\", \"utf8\"");
    refuses("mysql", "autocommit = false", "autocommit is false, expected true: transactions are begun where needed");
    refuses("mysql", "autocommit = 1", "autocommit is 1, expected true or false");
    refuses("mysql", "stale_timeout = 0", &format!("stale_timeout is 0, expected 1s to 1d, {LENGTH}"));
    refuses("mysql", "stale_timeout = 86401", &format!("stale_timeout is 86401, expected 1s to 1d, {LENGTH}"));
    refuses("mysql", "maxsize = 0", "maxsize is 0, expected 1 to 1000");
    refuses("mysql", "maxsize = 1001", "maxsize is 1001, expected 1 to 1000");
    refuses("mysql", "connect_timeout = \"99ms\"", &format!("connect_timeout is \"99ms\", expected 100ms to 5m, {LENGTH}"));
    refuses("mysql", "ssl_mode = \"on\"", "ssl_mode is \"on\", expected one of \"disabled\", \"preferred\", \"required\", \"verify_ca\", \"verify_identity\"");
    refuses("mysql", "ssl_ca = \"/no/such/file\"", "ssl_ca is \"/no/such/file\", expected the path of an existing file");
    refuses("mysql", "password = 5", "password is wrong (not shown), expected text without control characters");
    refuses("mysql", "passwd = \"x\"", "unknown key \"passwd\", did you mean \"password\"?");
    refuses("mysql", "collation = 1", "unknown key \"collation\", expected one of host, password, password_file, port, db, user, charset, autocommit, stale_timeout, maxsize, url, url_file, connect_timeout, ssl_mode, ssl_ca");
    refuses("mysql", "urls.port = 1", "unknown table \"urls\", did you mean \"url\"?");
}

#[rustfmt::skip] // One case per line.
#[test]
fn a_pool_of_redis_refuses_each_wrong_value() {
    refuses("redis", "db = 16", "db is 16, expected 0 to 15");
    refuses("redis", "db = -1", "db is -1, expected 0 to 15");
    refuses("redis", "port = 0", "port is 0, expected 1 to 65535");
    refuses("redis", "maxsize = 1001", "maxsize is 1001, expected 1 to 1000");
    refuses("redis", "password = true", "password is wrong (not shown), expected text without control characters");
    refuses("redis", "connect_timeout = 301", "connect_timeout is 301, expected 100ms to 5m, as whole seconds or as text such as \"10s\" or \"1h30m\"");
    refuses("redis", "user = \"\"", "user is \"\", expected a name that is not empty");
    refuses("redis", "charset = \"utf8\"", "unknown key \"charset\", expected one of host, password, password_file, port, db, user, maxsize, url, url_file, connect_timeout, response_timeout, ssl_ca, sentinel_user, sentinel_password, sentinel_password_file");
    refuses("redis", "response_timeout = 0", "response_timeout is 0, expected 100ms to 5m, as whole seconds or as text such as \"10s\" or \"1h30m\"");
    refuses("redis", "sentinel_user = \"me\"", "sentinel_user needs sentinels, expected a url that begins with \"redis+sentinel\"");
    refuses("redis", "sentinel_password = \"sesame\"", "sentinel_password needs sentinels, expected a url that begins with \"redis+sentinel\"");
    refuses("redis", "ssl_ca = \"/\"", "ssl_ca is \"/\", expected the path of an existing file");
}

#[test]
fn pools_accept_the_ends_of_each_range() {
    for line in [
        "port = 1",
        "port = 65535",
        "maxsize = 1",
        "maxsize = 1000",
        "host = \"::1\"",
        "host = \"a_b-c.d\"",
    ] {
        accepts("mysql", line);
        accepts("redis", line);
    }
    for line in [
        "stale_timeout = 1",
        "stale_timeout = \"1d\"",
        "autocommit = true",
        "connect_timeout = \"100ms\"",
    ] {
        accepts("mysql", line);
    }
    accepts("redis", "db = 0");
    accepts("redis", "db = 15");
}

#[test]
fn tls_is_off_by_default_on_this_machine_only() {
    for (host, expected) in [
        ("localhost", Tls::Disabled),
        ("127.0.0.1", Tls::Disabled),
        ("127.8.8.8", Tls::Disabled),
        ("::1", Tls::Disabled),
        ("10.0.0.1", Tls::Preferred),
        ("localhost.example", Tls::Preferred),
    ] {
        let config = accepts("mysql", &format!("host = \"{host}\""));
        assert_eq!(config.mysql["default"].tls, expected, "{host}");
    }
}

#[test]
fn retention_is_a_span_or_never_and_a_number() {
    let load = |lines: &str| {
        let text = format!("store = \"sqlite:x\"\n[retention]\n{lines}\n");
        Conf::with("common", text)
    };
    let retention = |lines: &str| load(lines).load(&[]).unwrap().common.retention;
    let hours = |hours: u64| MaxAge::After(Duration::from_secs(hours * 3600));
    assert_eq!(retention("max_age = \"30d\"").max_age, hours(30 * 24));
    assert_eq!(retention("max_age = 3600").max_age, hours(1));
    assert_eq!(retention("max_age = \"never\"").max_age, MaxAge::Never);
    assert_eq!(retention("max_per_task = 1000").max_per_task, 1_000);
    assert_eq!(retention("max_log_age = \"never\"").max_log_age, None);
    assert_eq!(retention("max_edit_age = \"never\"").max_edit_age, None);
    assert_eq!(retention("max_log_age = \"1d\"").max_log_age, Some(Duration::from_secs(86_400)));
    let wrong = |lines: &str| load(lines).mistakes(&[]);
    for value in ["59m", "3661d", "always"] {
        let expected = format!(
            "common.toml:3: [retention] max_age is {value:?}, expected \"never\", or 1h to 3660d, as whole seconds or as \
             text such as \"90d\""
        );
        assert_eq!(wrong(&format!("max_age = {value:?}")), [expected]);
    }
    let many = "common.toml:3: [retention] max_per_task is 1000001, expected 0 to 1000000";
    assert_eq!(wrong("max_per_task = 1000001"), [many]);
}

#[rustfmt::skip] // One case per line.
#[test]
fn a_logger_refuses_each_wrong_value() {
    const NAMES: &str = "one of \"trace\", \"debug\", \"info\", \"warn\", \"error\", \"off\", \"warning\", \"critical\"";
    refuses("logger", "level = \"loud\"", &format!("level is \"loud\", expected {NAMES}"));
    refuses("logger", "level = \"\"", &format!("level is \"\", expected {NAMES}"));
    refuses("logger", "level = 3", &format!("level is 3, expected {NAMES}"));
    refuses("logger", "levl = \"info\"", "unknown key \"levl\", did you mean \"level\"?");
    const FILE: &str = "the path of a file such as \"logs/root.log\"";
    refuses("logger", "filename = \"\"", &format!("filename is \"\", expected {FILE}"));
    refuses("logger", "filename = \"logs/\"", &format!("filename is \"logs/\", expected {FILE}"));
    refuses("logger", "filename = 1", &format!("filename is 1, expected {FILE}"));
    refuses("logger", "maxBytes = 5", "maxBytes is given without filename, expected both or none");
    refuses("logger", "backupCount = 5", "backupCount is given without filename, expected both or none");
    refuses("logger", "stderr = true", "stderr is given without filename, expected both or none");
    let more = |line: &str| Conf::with("logger", format!("[root]\nfilename = \"x\"\n{line}\n")).mistakes(&[]);
    assert_eq!(more("maxBytes = -1"), ["logger.toml:3: [root] maxBytes is -1, expected 0 to 1099511627776"]);
    assert_eq!(more("maxBytes = \"10MB\""), ["logger.toml:3: [root] maxBytes is \"10MB\", expected a whole number, 0 to 1099511627776"]);
    assert_eq!(more("backupCount = 1001"), ["logger.toml:3: [root] backupCount is 1001, expected 0 to 1000"]);
    assert_eq!(more("stderr = 1"), ["logger.toml:3: [root] stderr is 1, expected true or false"]);
    let twice = more("[other]\nfilename = \"./x\"\nmaxBytes = 7");
    assert_eq!(twice, ["logger.toml: [root] x stands in two tables with different maxBytes or backupCount, expected the same"]);
    let older = more("[other]\nfilename = \"x.5\"");
    assert_eq!(older, ["logger.toml: x.5 is what x is renamed to, expected another filename"]);
    assert!(more("[other]\nfilename = \"x.6\"").is_empty());
    let many: String = (0..33).map(|number| format!("[a{number}]\nfilename = \"{number}\"\n")).collect();
    let many = Conf::with("logger", many).mistakes(&[]);
    assert_eq!(many, ["logger.toml: names 33 different files, expected 32 at most"]);
}

#[test]
fn what_a_logger_does_not_say_is_as_in_root() {
    let file = |path: &str, max_bytes, backups| {
        Some(LogFile { path: PathBuf::from(path), max_bytes, backups })
    };
    let load = |text: &str| Conf::with("logger", text).load(&[]).unwrap();
    let plain = load("[other]\n").logger.loggers;
    assert_eq!(plain["other"], plain["root"]);
    assert_eq!(plain["root"], LoggerTable { level: Level::Info, file: None, stderr: true });
    let alone = load("[jobs]\nfilename = \"./logs/./jobs.log\"\n").logger.loggers;
    assert_eq!(alone["jobs"].file, file("logs/jobs.log", 10 << 20, 5));
    let config = load(
        "[root]\nlevel = \"WARNING\"\nfilename = \"logs/root.log\"\nmaxBytes = 1000\nbackupCount = 2\n\
         [other]\nlevel = \"error\"\n\
         [jobs]\nfilename = \"logs/jobs.log\"\nstderr = true\n",
    );
    let loggers = config.logger.loggers;
    let root = file("logs/root.log", 1_000, 2);
    let of_root = |level| LoggerTable { level, file: root.clone(), stderr: false };
    assert_eq!(loggers["root"], of_root(Level::Warn));
    assert_eq!(loggers["other"], of_root(Level::Error));
    let jobs = file("logs/jobs.log", 1_000, 2);
    assert_eq!(loggers["jobs"], LoggerTable { level: Level::Warn, file: jobs, stderr: true });
    assert!(config.warnings.is_empty(), "{:?}", config.warnings);
    let warned = load("[root]\nfilename = \"x\"\nbackupCount = 0\n").warnings;
    assert!(
        warned.len() == 1 && warned[0].ends_with(
            "logger.toml:3: [root] backupCount is 0: the file never rolls over, and grows without bound"
        ),
        "{warned:?}"
    );
    assert!(load("[root]\nfilename = \"x\"\nmaxBytes = 0\nbackupCount = 0\n").warnings.is_empty());
}

#[test]
fn a_level_may_be_written_in_any_case_and_as_python_does() {
    let text = "[other]\nlevel = \"WARNING\"\n[apscheduler]\nlevel = \"critical\"\n[\"sqlx::query\"]\nlevel = \"Off\"\n";
    let logger = Conf::with("logger", text).load(&[]).unwrap().logger;
    let level = |name: &str| logger.loggers[name].level;
    assert_eq!((level("root"), level("other")), (Level::Info, Level::Warn));
    assert_eq!((level("apscheduler"), level("sqlx::query")), (Level::Error, Level::Off));
}

#[test]
fn what_is_missing_is_named() {
    let mysql = Conf::with("mysql", "[default]\n").mistakes(&[]);
    let line = |key: &str| format!("mysql.toml:1: [default] {key} is missing");
    assert_eq!(mysql, ["db", "host", "password", "user"].map(line));
    let redis = Conf::with("redis", "[default]\n").mistakes(&[]);
    assert_eq!(redis, ["redis.toml:1: [default] host is missing"]);
    let common = Conf::with("common", "").mistakes(&[]);
    assert_eq!(common, ["common.toml: store is missing"]);
}

#[test]
fn the_store_mysql_needs_the_default_pool() {
    let conf = Conf::with("common", "store = \"mysql\"\n");
    conf.write("mysql", "");
    let said = "mysql.toml: [default] is missing, expected the pool of the store, since store is \"mysql\"";
    assert_eq!(conf.mistakes(&[]), [said]);
    conf.write("common", "store = \"sqlite:a.db\"\n");
    assert!(conf.load(&[]).is_ok());
}

#[test]
fn a_key_outside_a_table_is_refused_where_tables_are_pools() {
    let said = Conf::with("redis", "host = \"h\"\n").mistakes(&[]);
    assert_eq!(
        said,
        ["redis.toml:1: \"host\" stands outside a table, expected one such as [default]"]
    );
    let said = Conf::with("redis", "[\"\"]\nhost = \"h\"\n").mistakes(&[]);
    assert_eq!(said, ["redis.toml:1: [] has no name, expected letters or digits"]);
}
