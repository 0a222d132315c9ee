//! `password` and `login`.

use std::{
    io::Write as _,
    process::{Command, Stdio},
};

use crate::support::{Home, LISTEN, Ran};

fn with_line(mut command: Command, line: &str) -> Ran {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(line.as_bytes()).unwrap();
    Ran::of(child.wait_with_output().unwrap())
}

fn password(home: &Home, line: &str) -> Ran {
    let mut command = home.command();
    command.arg("password");
    with_line(command, line)
}

#[test]
fn a_password_becomes_a_hash_that_the_configuration_takes() {
    let home = Home::new("");
    let [one, other] = ["correct horse\n", "correct horse\r\n"].map(|line| password(&home, line));
    assert!(one.stdout.starts_with("$argon2id$v=19$"), "{one:?}");
    assert_ne!(one.stdout, other.stdout, "each has a salt of its own");
    let hash = one.stdout.trim_end();
    let home =
        Home::new(&format!("[http.users.ann]\npassword_hash = {hash:?}\nrole = \"viewer\"\n"));
    let shown = home.ok(&["config", "show"]);
    assert!(shown.contains("http.users.ann") && !shown.contains(hash), "{shown}");
}

#[test]
fn a_short_password_is_refused_and_not_repeated() {
    let ran = password(&Home::new(""), "hunter2\n");
    let expected = "error: the password is too short, expected 8 characters or more\n";
    assert_eq!((ran.code, &*ran.stdout, &*ran.stderr), (1, "", expected));
}

#[test]
fn a_link_leads_to_the_page_of_this_configuration() {
    let home = Home::migrated("");
    let login = |listen: &str| {
        Ran::of(home.command().env(LISTEN, listen).args(["login"]).output().unwrap())
    };
    for (listen, place) in
        [("127.0.0.1:9", "http://127.0.0.1:9/login#"), ("[::1]:9", "http://[::1]:9/login#")]
    {
        let ran = login(listen);
        let code = ran.stdout.trim_end().strip_prefix(place).unwrap_or_else(|| panic!("{ran:?}"));
        assert!(code.len() == 64 && code.bytes().all(|byte| byte.is_ascii_hexdigit()), "{code}");
    }
    let ran = login("off");
    assert_eq!((ran.code, &*ran.stdout), (1, ""));
    assert!(ran.stderr.contains("expected an address: there is no page to log in to"), "{ran:?}");
}
