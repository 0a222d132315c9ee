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
    ] {
        unshown(&Conf::new(), &[(name, value)]);
    }
    let said = unshown(&Conf::new(), &[("SCHEDULER__REDIS__OTHER__URL", MARKER)]);
    let expected = "environment SCHEDULER__REDIS__OTHER__URL: the value (not shown) is refused, expected redis://USER:PASSWORD@HOST:PORT/DB or rediss://…";
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
    for url in ["redis://h", "rediss://u:p@h:1/2", "redis://[::1]:6379", "redis://[::1]/0"] {
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
    assert_eq!(said(b"\n"), format!("{prefix} is empty, expected a password"));
    assert_eq!(
        said(format!("{MARKER}\n\n").as_bytes()),
        format!("{prefix} holds control characters or several lines, expected a password")
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
    let conf = Conf::with("mysql", mysql(&format!("password = \"{MARKER}\"")));
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
    let replaced = [("SCHEDULER__MYSQL__DEFAULT__PASSWORD", MARKER)];
    assert_eq!(warnings(0o644, &replaced).len(), 0);
}
