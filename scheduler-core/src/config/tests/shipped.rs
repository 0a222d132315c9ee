//! What is shipped: the files under `conf/`, and the page that explains them.

use std::{collections::BTreeSet, path::Path};

use secrecy::ExposeSecret as _;

use super::{super::*, Conf};

fn shipped(app_env: &str, env: &[(&str, &str)]) -> Result<Config, ConfigError> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../conf");
    let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    Config::load(&folder, app_env, env.iter().map(own))
}

#[test]
fn the_local_files_need_nothing_else() {
    let config = shipped("local", &[]).unwrap();
    assert_eq!(config.common.store, StoreChoice::Sqlite("data/scheduler.db".into()));
    assert!(config.common.demo_rows && config.mysql.is_empty() && config.warnings.is_empty());
}

#[test]
fn the_test_files_name_a_server_on_this_machine() {
    let config = shipped("test", &[]).unwrap();
    let pool = &config.mysql["default"];
    assert_eq!((pool.host.as_str(), pool.password.expose_secret()), ("127.0.0.1", ""));
    assert!(config.warnings.is_empty());
}

#[test]
fn the_online_files_hold_no_password() {
    let refused = shipped("online", &[]).unwrap_err().problems;
    assert_eq!(refused.len(), 1);
    assert_eq!(refused[0].text, "[default] password is missing");
    let config = shipped("online", &[("SCHEDULER__MYSQL__DEFAULT__PASSWORD", "x")]).unwrap();
    assert_eq!(config.mysql["default"].tls, Tls::VerifyIdentity);
    assert!(!config.common.demo_rows && config.warnings.is_empty());
}

/// The keys in the tables of the page, as (file, key); the part before a key is its table.
fn documented() -> BTreeSet<(String, String)> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/configuration.md");
    let page = std::fs::read_to_string(page).unwrap();
    let mut file = None;
    let mut keys = BTreeSet::new();
    for line in page.lines() {
        if let Some(title) = line.strip_prefix("## ") {
            let name = title.trim_matches('`').strip_suffix(".toml");
            file = name.map(str::to_owned);
        } else if let (Some(file), Some(row)) = (&file, line.strip_prefix("| `")) {
            let key = row.split(" |").next().unwrap().replace('`', "");
            keys.insert((file.clone(), key));
        }
    }
    keys
}

#[test]
fn the_page_names_each_key_and_no_other() {
    let report = Report::default();
    // Of some tables there need not be one.
    let some = [
        ("SCHEDULER__COMMON__ALARMS__CHANNELS__OPS__KIND", "slack"),
        ("SCHEDULER__COMMON__HTTP__USERS__ANN__ROLE", "viewer"),
        ("SCHEDULER__COMMON__HTTP__TOKENS__CI__ROLE", "viewer"),
    ];
    let some = some.map(|(key, value)| (key.to_owned(), value.to_owned()));
    read(Conf::new().folder(), "local", some, &report);
    let own = |(file, key): (&str, String)| (file.to_owned(), key.replace("[*] ", ""));
    let known: BTreeSet<_> = report.known().into_iter().map(own).collect();
    assert!(known.len() > 30);
    assert_eq!(documented(), known);
}

/// The variables of ours in `text`, with what is given to each: `NAME: value`, `NAME=value`, `name: NAME, value: value`.
fn variables(text: &str) -> Vec<(&str, &str)> {
    let is_name = |c: char| c.is_ascii_uppercase() || c == '_';
    let lines = text.lines().filter_map(|line| line.find("SCHEDULER__").map(|at| &line[at..]));
    lines
        .map(|line| {
            let (name, rest) = line.split_at(line.find(|c| !is_name(c)).unwrap_or(line.len()));
            let rest = rest.trim_start_matches([',', ':', '=', ' ']);
            (name, rest.trim_start_matches("value: ").trim_end_matches([' ', '}']))
        })
        .collect()
}

#[test]
fn the_variables_of_what_is_packaged_are_right() {
    let secret = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(secret.path(), "password").unwrap();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    for file in
        ["compose.yaml", "packaging/scheduler.service", "packaging/kubernetes/deployment.yaml"]
    {
        let text = std::fs::read_to_string(root.join(file)).unwrap();
        let mut env = variables(&text);
        for (_, path) in env.iter_mut().filter(|(name, _)| name.ends_with("_FILE")) {
            *path = secret.path().to_str().unwrap();
        }
        let config = shipped("online", &env).unwrap_or_else(|error| panic!("{file}: {error}"));
        assert_eq!(config.mysql["default"].password.expose_secret(), "password", "{file}");
    }
}
