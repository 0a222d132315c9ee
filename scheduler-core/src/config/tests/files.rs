//! The files themselves, the environment over them, and many mistakes at once.

use std::fs;

use super::{super::*, Conf};

#[track_caller]
fn says(conf: &Conf, env: &[(&str, &str)], expected: &[&str]) {
    assert_eq!(conf.mistakes(env), expected);
}

/// One variable over the good files.
#[track_caller]
fn variable(name: &str, value: &str, said: &str) {
    says(&Conf::new(), &[(name, value)], &[&format!("environment {name}: {said}")]);
}

#[test]
fn a_file_that_is_none_is_refused() {
    let conf = Conf::new();
    fs::remove_file(conf.path("redis")).unwrap();
    says(&conf, &[], &["redis.toml: no such file, expected one (it may be empty)"]);
    fs::create_dir(conf.path("redis")).unwrap();
    says(&conf, &[], &["redis.toml: is a folder, expected a file"]);
}

#[cfg(unix)]
#[test]
fn a_file_that_cannot_be_read_is_refused_without_waiting() {
    use std::os::unix::{fs::symlink, net::UnixListener};
    let conf = Conf::new();
    fs::remove_file(conf.path("mysql")).unwrap();
    symlink("mysql.toml", conf.path("mysql")).unwrap();
    assert!(conf.mistakes(&[])[0].starts_with("mysql.toml: cannot be read: "));
    fs::remove_file(conf.path("logger")).unwrap();
    let _socket = UnixListener::bind(conf.path("logger")).unwrap();
    assert_eq!(conf.mistakes(&[])[0], "logger.toml: is a device, pipe or socket, expected a file");
}

#[test]
fn a_file_above_one_mebibyte_is_refused() {
    let padded = |bytes: usize| format!("store = \"mysql\"\n#{}", "x".repeat(bytes - 17));
    assert!(Conf::with("common", padded(1024 * 1024)).load(&[]).is_ok());
    let conf = Conf::with("common", padded(1024 * 1024 + 1));
    says(&conf, &[], &["common.toml: is larger than 1 MiB, expected a configuration file"]);
}

#[test]
fn of_a_file_of_any_size_no_more_than_the_limit_is_read() {
    let conf = Conf::new();
    // With a hole, so that it takes no room; whoever reads it all takes a hundred gibibytes.
    let file = fs::File::options().append(true).open(conf.path("redis")).unwrap();
    file.set_len(100 << 30).unwrap();
    says(&conf, &[], &["redis.toml: is larger than 1 MiB, expected a configuration file"]);
}

#[cfg(unix)]
#[test]
fn a_file_without_the_right_to_read_it_is_refused() {
    use std::os::unix::fs::PermissionsExt as _;
    let conf = Conf::new();
    fs::set_permissions(conf.path("redis"), fs::Permissions::from_mode(0o200)).unwrap();
    // Nobody refuses root.
    if fs::read(conf.path("redis")).is_err() {
        says(&conf, &[], &["redis.toml: cannot be read: permission denied"]);
    }
}

#[test]
fn text_of_another_encoding_is_refused_with_its_line() {
    let conf = Conf::with("common", b"store = \"mysql\"\n# caf\xe9\n");
    says(&conf, &[], &["common.toml:2: is not UTF-8 text"]);
}

#[test]
fn a_byte_order_mark_and_windows_line_ends_change_nothing() {
    let text = "\u{feff}store = \"mysql\"\r\n\r\nlease = 0\r\n";
    let said = Conf::with("common", text).mistakes(&[]);
    assert_eq!(said.len(), 1);
    assert!(said[0].starts_with("common.toml:3: lease is 0, expected"), "{said:?}");
    assert!(Conf::with("common", text.replace('0', "9")).load(&[]).is_ok());
}

#[test]
fn a_byte_order_mark_is_not_counted_as_a_column() {
    let said = Conf::with("common", "\u{feff}store = mysql\n").mistakes(&[]);
    assert!(said[0].starts_with("common.toml:1: column 9: "), "{said:?}");
}

#[track_caller]
fn syntax(text: &str, said: &[&str]) {
    says(&Conf::with("common", text), &[], said);
}

#[rustfmt::skip] // One case per line.
#[test]
fn what_is_not_toml_is_refused_with_line_and_column() {
    syntax("store = mysql\n", &["common.toml:1: column 9: expected a number, true, false, or a text in quotes"]);
    syntax("store = \"mysql\"\nlease =\n", &["common.toml:2: column 8: expected a number, true, false, or a text in quotes"]);
    syntax("store = \"mysql\"\nstore = \"mysql\"\n", &["common.toml:2: column 1: duplicate key \"store\", expected each key once"]);
    syntax("store = \"mysql\"\n[jobs]\n[jobs]\n", &["common.toml:3: column 2: duplicate key \"jobs\", expected each key once"]);
    syntax("hunter2\nstore = \"mysql\"\n", &["common.toml:1: column 8: key with no value, expected `=`"]);
    syntax("store = \"mysql\n", &["common.toml:1: column 15: invalid basic string, expected `\"`"]);
}

#[test]
fn a_mistake_of_syntax_does_not_hide_wrong_values_nor_invent_missing_ones() {
    let text = "store = mysql\nlease = true\n";
    let said = Conf::with("common", text).mistakes(&[]);
    assert_eq!(said.len(), 2, "{said:?}");
    assert!(said[1].starts_with("common.toml:2: lease is true, expected 1s to 1h"));
}

#[test]
fn nested_without_end_is_refused_without_overflow() {
    let conf = Conf::with("common", format!("store = {}", "[".repeat(100_000)));
    assert!(!conf.mistakes(&[]).is_empty());
}

#[test]
fn all_mistakes_are_reported_in_order_of_file_and_line() {
    let conf = Conf::with("common", "store = 1\ncoalesce = 2\nx = 3\ny = 4\n\n\n\n\n\nz = 5\n");
    conf.write("logger", "[root]\nlevel = 1\n");
    conf.write(
        "mysql",
        "[default]\nport = 0\nhost = \"h\"\ndb = \"d\"\nuser = \"u\"\npassword = 1\n",
    );
    fs::remove_file(conf.path("redis")).unwrap();
    let env = [("SCHEDULER__REDIS__DEFAULT__PORT", "0"), ("SCHEDULER__NO", ""), ("OTHER", "")];
    let said = conf.mistakes(&env);
    let places: Vec<_> = said.iter().map(|line| line.split(": ").next().unwrap()).collect();
    let expected = [
        "common.toml:1",
        "common.toml:2",
        "common.toml:3",
        "common.toml:4",
        "common.toml:10",
        "logger.toml:2",
        "mysql.toml:2",
        "mysql.toml:6",
        "redis.toml",
        "environment SCHEDULER__NO",
        "environment SCHEDULER__REDIS__DEFAULT__PORT",
    ];
    assert_eq!(places, expected, "{said:#?}");
}

#[test]
fn a_variable_replaces_what_the_file_says() {
    let conf = Conf::with("common", "store = \"sqlite:a.db\"\nlease = 0\n[jobs]\nthreads = 2\n");
    let env = [
        ("SCHEDULER__COMMON__STORE", "mysql"),
        ("SCHEDULER__COMMON__LEASE", "20s"),
        ("SCHEDULER__COMMON__COALESCE", "false"),
        ("SCHEDULER__COMMON__JOBS__THREADS", "7"),
        ("SCHEDULER__LOGGER__ROOT__LEVEL", "DEBUG"),
        ("SCHEDULER__MYSQL__DEFAULT__PORT", "3307"),
        ("SCHEDULER__REDIS__MY__CACHE__URL", "redis://h"),
        ("SCHEDULER_COMMON__STORE", "not ours"),
    ];
    let config = conf.load(&env).unwrap();
    assert_eq!(config.common.store, StoreChoice::Mysql);
    assert_eq!(config.common.lease.as_secs(), 20);
    assert!(!config.common.coalesce);
    assert_eq!(config.common.jobs.threads, 7);
    assert_eq!(config.logger.loggers["root"].level, Level::Debug);
    assert_eq!(config.mysql["default"].port, 3307);
    assert!(config.redis["my__cache"].url.is_some());
}

#[test]
fn a_variable_finds_a_table_of_any_case() {
    let conf = Conf::with("redis", "[Cache]\nhost = \"h\"\n");
    let config = conf.load(&[("SCHEDULER__REDIS__CACHE__DB", "3")]).unwrap();
    assert_eq!(config.redis["Cache"].db, 3);
}

#[rustfmt::skip] // One case per line.
#[test]
fn a_wrong_variable_is_refused_by_its_name() {
    variable("SCHEDULER__MYSQL__DEFAULT__PORT", "x", "\"x\" is refused, expected a whole number, 1 to 65535");
    variable("SCHEDULER__MYSQL__DEFAULT__PORT", "0", "\"0\" is refused, expected 1 to 65535");
    variable("SCHEDULER__MYSQL__DEFAULT__PORT", "", "\"\" is refused, expected a whole number, 1 to 65535");
    variable("SCHEDULER__MYSQL__DEFAULT__HOST", "", "\"\" is refused, expected a host name or an address, without scheme and port");
    variable("SCHEDULER__COMMON__COALESCE", "yes", "\"yes\" is refused, expected true or false");
    variable("SCHEDULER__COMMON__STOER", "x", "unknown key \"stoer\", did you mean \"store\"?");
    variable("SCHEDULER__COMON__STORE", "x", "unknown file \"comon\", did you mean \"common\"?");
    variable("SCHEDULER__HTTP__PORT", "x", "unknown file \"http\", expected one of common, logger, mysql, redis");
    variable("SCHEDULER__COMMON__JOBS", "x", "\"x\" is refused, expected a table");
}

#[rustfmt::skip] // One case per line.
#[test]
fn a_variable_that_names_no_key_is_refused() {
    let shape = "does not name a key, expected SCHEDULER__<FILE>__<TABLE>__<KEY>";
    variable("SCHEDULER__", "x", shape);
    variable("SCHEDULER__COMMON", "x", shape);
    variable("SCHEDULER__COMMON__", "x", shape);
    variable("SCHEDULER__MYSQL____PORT", "x", shape);
    variable("SCHEDULER__MYSQL__DEFAULT", "x", "\"default\" is a table, expected SCHEDULER__<FILE>__<TABLE>__<KEY>");
    variable("SCHEDULER__MYSQL__PORT", "1", "\"port\" stands outside a table, expected one such as [default]");
    variable("SCHEDULER__COMMON__STORE", "a\u{fffd}", "the value is not valid UTF-8");
}

#[test]
fn a_pool_that_only_a_variable_names_must_be_complete() {
    let name = "SCHEDULER__REDIS__DEFALT__PASSWORD";
    variable(name, "x", "[defalt] host is missing, did you mean [default]?");
    let twice = [("SCHEDULER__COMMON__STORE", "mysql"), ("SCHEDULER__COMMON__Store", "mysql")];
    let said = "environment SCHEDULER__COMMON__Store: SCHEDULER__COMMON__STORE sets the same key, expected one of the two";
    says(&Conf::new(), &twice, &[said]);
}

#[test]
fn the_environment_must_be_a_folder() {
    let conf = Conf::new();
    let said = |app_env: &str| {
        let error = Config::load(conf.folder(), app_env, []).unwrap_err().to_string();
        error.replace(&format!("{}/", conf.folder().display()), "")
    };
    assert_eq!(
        said("locl"),
        "locl: no such folder, chosen by APP_ENV \"locl\", did you mean \"local\"?"
    );
    assert_eq!(said(""), "environment APP_ENV: \"\" is refused, expected a name such as \"local\"");
    assert_eq!(
        said("../etc"),
        "environment APP_ENV: \"../etc\" is refused, expected a name such as \"local\""
    );
    assert_eq!(
        said("a\nb"),
        "environment APP_ENV: \"a\\nb\" is refused, expected a name such as \"local\""
    );
}
