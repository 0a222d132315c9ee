//! Passwords and urls: where they come from, and that they are shown nowhere.

use std::{fs, path::Path};

use secrecy::ExposeSecret as _;

use super::Conf;

/// Looked for in everything that is shown.
const MARKER: &str = "hunter2-marker";

fn mysql(lines: &str) -> String {
    format!("[default]\nhost = \"h\"\ndb = \"d\"\nuser = \"u\"\n{lines}\n")
}

#[track_caller]
fn unshown(conf: &Conf, env: &[(&str, &str)]) -> Vec<String> {
    let result = conf.load(env);
    let debug = format!("{result:?} {result:#?}");
    let said = conf.mistakes(env);
    assert!(!debug.contains(MARKER), "{debug}");
    assert!(!said.join("\n").contains(MARKER), "{said:?}");
    said
}

#[test]
fn a_secret_is_never_shown_wherever_it_was_put() {
    for (file, text) in [
        ("mysql", mysql(&format!("password = \"{MARKER}\""))),
        ("mysql", mysql(&format!("password = {MARKER}"))),
        ("mysql", mysql(&format!("password = \"{MARKER}"))),
        ("mysql", mysql(&format!("password = \"\"\"{MARKER}\n"))),
        ("mysql", mysql(&format!("password = [\"{MARKER}\"]"))),
        ("mysql", mysql(&format!("password = \"{MARKER}\\u0000\""))),
        ("mysql", mysql(&format!("password \"{MARKER}\""))),
        ("mysql", mysql(&format!("pasword = \"{MARKER}\""))),
        ("mysql", mysql(&format!("password = \"\"\n{MARKER}"))),
        ("mysql", mysql(&format!("password = \"\"\nport = \"mysql://u:{MARKER}@h\""))),
        ("mysql", mysql(&format!("port = \"\"\"\npassword = {MARKER}"))),
        ("mysql", format!("[default]\nurl = \"postgres://u:{MARKER}@h/d\"\n")),
        ("mysql", format!("[default]\nurl = \"mysql://u:{MARKER}@h:port/d\"\n")),
        ("mysql", format!("[default]\nurl = \"mysql://u:{MARKER}@h/d\"\n")),
        ("mysql", format!("default = \"mysql://u:{MARKER}@h/d\"\n")),
        ("redis", format!("[default]\nurl = \"redis://:{MARKER}@\"\n")),
        ("redis", format!("[default]\nurl = \"redis://:{MARKER}@h/1\"\n")),
        ("redis", format!("[default]\nhost = \"redis://:{MARKER}@h/1\"\n")),
        ("redis", format!("[default]\nhost = \"h\"\npassword = \"{MARKER}\"\n")),
        ("common", format!("store = \"mysql://u:{MARKER}@h/d\"\n")),
    ] {
        unshown(&Conf::with(file, text), &[]);
    }
}

#[test]
fn a_secret_in_a_variable_is_never_shown() {
    let url = format!("mysql://u:{MARKER}@h:port/d");
    for (name, value) in [
        ("SCHEDULER__MYSQL__DEFAULT__PASSWORD", MARKER),
        ("SCHEDULER__MYSQL__DEFAULT__PASWORD", MARKER),
        ("SCHEDULER__MYSQL__DEFAULT__URL", MARKER),
        ("SCHEDULER__MYSQL__DEFAULT__URL", &url),
        ("SCHEDULER__COMMON__STORE", &url),
        ("SCHEDULER__MYSQL__PASSWORD", MARKER),
        ("SCHEDULER__MYSQL__OTHER__URL_FILE", &url),
    ] {
        unshown(&Conf::new(), &[(name, value)]);
    }
    let said = unshown(&Conf::new(), &[("SCHEDULER__REDIS__OTHER__URL", MARKER)]);
    let expected = "environment SCHEDULER__REDIS__OTHER__URL: the value (not shown) is refused, expected redis://USER:PASSWORD@HOST:PORT/DB, rediss://… with TLS, redis+sentinel://USER:PASSWORD@HOST:PORT,HOST:PORT/MASTER/DB or redis+cluster://USER:PASSWORD@HOST:PORT,HOST:PORT";
    assert_eq!(said, [expected]);
}

#[test]
fn a_url_takes_the_place_of_the_single_keys() {
    let text = format!("[default]\nurl = \"mysql://u:{MARKER}@h:3307/d\"\n");
    let config = Conf::with("mysql", &text).load(&[]).unwrap();
    let url = config.mysql["default"].url.as_ref().unwrap();
    assert_eq!(url.expose_secret(), format!("mysql://u:{MARKER}@h:3307/d"));
    let both = format!("{text}port = 1\nssl_mode = \"required\"\n");
    let said = unshown(&Conf::with("mysql", both), &[]);
    let expected = [
        "mysql.toml:3: [default] port is given beside url, expected one of the two",
        "mysql.toml:4: [default] ssl_mode is given beside url, expected one of the two",
    ];
    assert_eq!(said, expected);
}

#[test]
fn a_url_must_be_one_of_its_kind() {
    let is_good = |file: &str, url: &str| {
        Conf::with(file, format!("[default]\nurl = \"{url}\"\n")).load(&[]).is_ok()
    };
    for url in [
        "redis://h",
        "rediss://u:p@h:1/2",
        "redis://[::1]:6379",
        "redis://[::1]/0",
        "redis+sentinel://a,b/m",
    ] {
        assert!(is_good("redis", url), "{url}");
    }
    for url in ["", "h", "http://h", "redis://", "redis://h:0", "redis://h:x", "redis://h h"] {
        assert!(!is_good("redis", url), "{url}");
    }
    for url in ["mysql://u@h/d", "mariadb://u:p@h:3307/d"] {
        assert!(is_good("mysql", url), "{url}");
    }
    for url in ["", "h", "redis://h", "mysql://u@h:70000/d", "mysql://u@h:x/d"] {
        assert!(!is_good("mysql", url), "{url}");
    }
}

#[track_caller]
fn password_file(content: &[u8]) -> Result<String, Vec<String>> {
    let conf = Conf::new();
    let path = conf.folder().join("secret");
    fs::write(&path, content).unwrap();
    conf.write("mysql", mysql(&format!("password_file = \"{}\"", path.display())));
    let said =
        unshown(&conf, &[]).into_iter().map(|line| line.replace(path.to_str().unwrap(), "F"));
    let said: Vec<_> = said.collect();
    let read = |config: super::Config| config.mysql["default"].password.expose_secret().to_owned();
    conf.load(&[]).map(read).map_err(|_| said)
}

#[test]
fn a_password_file_loses_one_line_end() {
    for content in [MARKER.to_owned(), format!("{MARKER}\n"), format!("{MARKER}\r\n")] {
        assert_eq!(password_file(content.as_bytes()).unwrap(), MARKER);
    }
    assert_eq!(password_file(b" spaces stay \n").unwrap(), " spaces stay ");
}

#[test]
fn a_password_file_that_holds_no_password_is_refused() {
    let said = |content: &[u8]| password_file(content).unwrap_err().join("\n");
    let prefix = "mysql.toml:5: [default] password_file names F, which";
    assert_eq!(said(b"\n"), format!("{prefix} is empty, expected a secret"));
    assert_eq!(
        said(format!("{MARKER}\n\n").as_bytes()),
        format!("{prefix} holds control characters or several lines, expected a secret")
    );
    assert_eq!(said(&[b'x'; 65_537]), format!("{prefix} is larger than 64 KiB"));
    assert!(password_file(&[b'x'; 65_536]).is_ok());
    let missing = Conf::with("mysql", mysql("password_file = \"/no/such\"")).mistakes(&[]);
    let text = "[default] password_file names /no/such, which cannot be read: entity not found";
    assert_eq!(missing, [format!("mysql.toml:5: {text}")]);
    let both = mysql("password = \"\"\npassword_file = \"/dev/null\"");
    let said = Conf::with("mysql", both).mistakes(&[]);
    assert_eq!(
        said[0],
        "mysql.toml:5: [default] password is given beside password_file, expected one of the two"
    );
}

#[test]
fn a_check_of_certificates_is_needed_for_their_file() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
    let text =
        |mode: &str| mysql(&format!("password = \"\"\nssl_ca = {path:?}\nssl_mode = \"{mode}\""));
    assert!(Conf::with("mysql", text("verify_ca")).load(&[]).is_ok());
    let said = Conf::with("mysql", text("required")).mistakes(&[]);
    let expected = "mysql.toml:6: [default] ssl_ca needs a check, expected ssl_mode \"verify_ca\" or \"verify_identity\"";
    assert_eq!(said, [expected]);
}

#[cfg(unix)]
#[test]
fn a_password_in_a_file_that_others_may_read_is_a_warning() {
    use std::os::unix::fs::PermissionsExt as _;
    // However many: the file is the same.
    let second = format!("[other]\nurl = \"mysql://u:{MARKER}@127.0.0.1/db\"");
    let conf = Conf::with("mysql", mysql(&format!("password = \"{MARKER}\"\n{second}")));
    let warnings = |mode: u32, env: &[(&str, &str)]| {
        fs::set_permissions(conf.path("mysql"), fs::Permissions::from_mode(mode)).unwrap();
        conf.load(env).unwrap().warnings
    };
    assert_eq!(warnings(0o600, &[]).len(), 0);
    assert_eq!(warnings(0o640, &[]).len(), 1);
    assert!(
        warnings(0o644, &[])[0]
            .ends_with("has mode 0644, expected 0600, or the password elsewhere")
    );
    let url = format!("mysql://u:{MARKER}@127.0.0.1/db");
    let replaced =
        [("SCHEDULER__MYSQL__DEFAULT__PASSWORD", MARKER), ("SCHEDULER__MYSQL__OTHER__URL", &*url)];
    assert_eq!(warnings(0o644, &replaced).len(), 0);
}

/// A secret from the file that a variable names: what `read` finds of it, else the mistakes, where F is the file.
#[track_caller]
fn variable_file(conf: &Conf, name: &str, content: &[u8]) -> Result<super::Config, Vec<String>> {
    let path = conf.folder().join("secret");
    fs::write(&path, content).unwrap();
    let path = path.to_str().unwrap();
    let said = unshown(conf, &[(name, path)]).into_iter().map(|line| line.replace(path, "F"));
    let said: Vec<_> = said.collect();
    conf.load(&[(name, path)]).map_err(|_| said)
}

#[test]
fn a_variable_may_name_a_file_for_each_secret_and_takes_the_place_of_what_the_file_says() {
    let read = |secret: Option<&secrecy::SecretString>| secret.unwrap().expose_secret().to_owned();
    let conf = Conf::with("mysql", mysql("password = \"written\""));
    let config = variable_file(&conf, "SCHEDULER__MYSQL__DEFAULT__PASSWORD_FILE", b"filed\n");
    assert_eq!(config.unwrap().mysql["default"].password.expose_secret(), "filed");
    let conf = Conf::with("mysql", mysql("password_file = \"/no/such\""));
    let config = conf.load(&[("SCHEDULER__MYSQL__DEFAULT__PASSWORD", "given")]).unwrap();
    assert_eq!(config.mysql["default"].password.expose_secret(), "given");
    let config = variable_file(&Conf::new(), "SCHEDULER__REDIS__DEFAULT__PASSWORD_FILE", b"filed");
    assert_eq!(read(config.unwrap().redis["default"].password.as_ref()), "filed");
    let url = format!("redis://:{MARKER}@h/1");
    let config = variable_file(&Conf::new(), "SCHEDULER__REDIS__OTHER__URL_FILE", url.as_bytes());
    assert_eq!(read(config.unwrap().redis["other"].url.as_ref()), url);
    let url = format!("mysql://u:{MARKER}@h/d");
    let config = variable_file(&Conf::new(), "SCHEDULER__MYSQL__OTHER__URL_FILE", url.as_bytes());
    assert_eq!(read(config.unwrap().mysql["other"].url.as_ref()), url);
}

#[rustfmt::skip] // One case per line.
#[test]
fn a_file_of_a_variable_that_holds_no_secret_is_refused_by_variable_and_path() {
    let said = |name: &str, content: &[u8], reason: &str| {
        let said = variable_file(&Conf::new(), name, content).map(drop).unwrap_err();
        assert_eq!(said, [format!("environment {name}: {reason}")]);
    };
    const PASSWORD: &str = "SCHEDULER__MYSQL__DEFAULT__PASSWORD_FILE";
    const URL: &str = "SCHEDULER__REDIS__OTHER__URL_FILE";
    let wrong = format!("http://{MARKER}");
    said(PASSWORD, b"", "[default] password_file names F, which is empty, expected a secret");
    said(PASSWORD, b"a\nb", "[default] password_file names F, which holds control characters or several lines, expected a secret");
    said(PASSWORD, &[b'x'; 65_537], "[default] password_file names F, which is larger than 64 KiB");
    said(PASSWORD, b"\xff", "[default] password_file names F, which cannot be read: invalid data");
    said(URL, b"\r\n", "[other] url_file names F, which is empty, expected a secret");
    said(URL, wrong.as_bytes(), "[other] url_file names F, which is wrong (not shown), expected redis://USER:PASSWORD@HOST:PORT/DB, rediss://… with TLS, redis+sentinel://USER:PASSWORD@HOST:PORT,HOST:PORT/MASTER/DB or redis+cluster://USER:PASSWORD@HOST:PORT,HOST:PORT");
    let plain = |name: &str, value: &str| unshown(&Conf::new(), &[(name, value)]).join("\n").replace(&format!("environment {name}: "), "");
    assert_eq!(plain(PASSWORD, "/no/such"), "[default] password_file names /no/such, which cannot be read: entity not found");
    assert_eq!(plain(PASSWORD, "/tmp"), "[default] password_file names /tmp, which is not a file");
    assert_eq!(plain(PASSWORD, ""), "\"\" is refused, expected the path of a file");
    assert_eq!(plain("SCHEDULER__MYSQL__DEFAULT__HOST_FILE", "/no/such"), "[default] unknown key \"host_file\", expected one of host, password, password_file, port, db, user, charset, autocommit, stale_timeout, maxsize, url, url_file, connect_timeout, ssl_mode, ssl_ca");
}

#[test]
fn a_secret_from_two_variables_is_refused_by_both_names() {
    for key in ["PASSWORD", "URL"] {
        let (one, other) =
            (format!("SCHEDULER__MYSQL__X__{key}"), format!("SCHEDULER__MYSQL__X__{key}_FILE"));
        let conf = Conf::new();
        conf.write("mysql", mysql("").replace("default", "x"));
        let said = unshown(&conf, &[(&one, MARKER), (&other, "/no/such")]);
        let expected =
            format!("environment {other}: {one} gives the same value, expected one of the two");
        assert!(said.contains(&expected), "{said:?}");
    }
}
