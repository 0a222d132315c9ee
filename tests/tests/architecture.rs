//! Holds the arrows between the folders of `scheduler-core/src`, and the house rules that no lint knows.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// A folder, the modules of ours it may name, and the foreign crates; `None`: any.
type Arrow = (&'static str, &'static [&'static str], Option<&'static [&'static str]>);

/// Which of our own modules, and which foreign crates where it matters, each folder may name. `None`: any crate.
const ARROWS: [Arrow; 13] = [
    (
        "plan",
        &["plan"],
        Some(&[
            "std",
            "chrono",
            "croner",
            "jiff",
            "thiserror",
            "serde_json",
            "humantime",
            "strsim",
            "proptest",
        ]),
    ),
    ("store", &["plan", "store", "clock"], None),
    ("config", &["config", "plan"], None),
    ("pools", &["pools", "config"], None),
    (
        "run",
        &["plan", "store", "pools", "job", "registry", "config", "clock", "telemetry", "run"],
        None,
    ),
    ("app", &["app", "run", "store", "pools", "job", "registry", "config", "clock", "web"], None),
    ("admin", &["admin", "run", "store", "plan", "job", "registry", "config", "clock"], None),
    ("web", &["web", "admin", "run", "store", "plan", "job", "registry", "config", "clock"], None),
    ("job", &["job", "plan", "pools", "config", "clock"], None),
    ("registry", &["job", "plan"], None),
    ("clock", &["plan", "clock"], None),
    ("telemetry", &["clock", "config", "job", "plan", "telemetry"], None),
    (
        "testing",
        &["testing", "plan", "store", "pools", "run", "job", "registry", "config", "clock"],
        None,
    ),
];

/// Crates that only these corners of `plan` may use.
const CORNERS: [(&str, &[&str]); 3] = [
    ("jiff", &["plan/trigger"]),
    ("croner", &["plan/trigger"]),
    ("humantime", &["plan/duration.rs", "plan/trigger/interval.rs"]),
];

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The Rust files under `folder`, with their path below it.
fn sources(folder: &Path) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in
            fs::read_dir(&next).unwrap_or_else(|error| panic!("{}: {error}", next.display()))
        {
            let path = entry.expect("a folder can be listed").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path
                    .strip_prefix(folder)
                    .expect("it was found there")
                    .to_string_lossy()
                    .into_owned();
                found.push((name, fs::read_to_string(&path).expect("a source is text")));
            }
        }
    }
    found.sort();
    assert!(!found.is_empty(), "{} holds no Rust file", folder.display());
    found
}

/// A source without comments.
fn code(source: &str) -> String {
    source
        .lines()
        .map(|line| line.split("//").next().unwrap_or_default())
        .collect::<Vec<_>>()
        .join("\n")
}

/// The names that follow `crate::` in a source, `crate::{a, b::c}` included.
fn own_modules(code: &str) -> Vec<String> {
    let mut names = Vec::new();
    for (at, _) in code.match_indices("crate::") {
        // `$crate::` in a macro is the same arrow.
        let rest = &code[at + "crate::".len()..];
        let Some(group) = rest.strip_prefix('{') else {
            names.push(identifier(rest));
            continue;
        };
        let mut depth = 0;
        let mut is_start = true;
        for (at, character) in group.char_indices() {
            match character {
                '{' => depth += 1,
                '}' if depth == 0 => break,
                '}' => depth -= 1,
                ',' if depth == 0 => is_start = true,
                character if is_start && (character.is_alphanumeric() || character == '_') => {
                    names.push(identifier(&group[at..]));
                    is_start = false;
                }
                _ => {}
            }
        }
    }
    names
}

fn identifier(text: &str) -> String {
    text.chars().take_while(|character| character.is_alphanumeric() || *character == '_').collect()
}

/// The first segments of the `use` lines of a source that name another crate.
fn foreign_crates(code: &str, known: &[String]) -> Vec<String> {
    let uses = code
        .lines()
        .map(str::trim)
        .filter_map(|line| line.strip_prefix("pub use ").or_else(|| line.strip_prefix("use ")));
    let first: Vec<String> = uses.map(|rest| identifier(rest.trim_start_matches("::"))).collect();
    let used = first.into_iter().filter(|name| known.contains(name));
    let named = known.iter().filter(|name| {
        code.contains(&format!(" {name}::")) || code.contains(&format!("({name}::"))
    });
    let all: BTreeSet<String> = used.chain(named.cloned()).collect();
    all.into_iter().collect()
}

/// The names of all dependencies of `scheduler-core`, as code writes them.
fn dependencies() -> Vec<String> {
    let manifest = fs::read_to_string(workspace().join("scheduler-core/Cargo.toml"))
        .expect("the manifest is there");
    let names = manifest
        .lines()
        .filter_map(|line| line.split(['.', '=']).next().filter(|_| line.contains("workspace")));
    names.map(|name| name.trim().replace('-', "_")).collect()
}

/// What `name` with `code` names that it may not.
fn broken_arrows(name: &str, source: &str) -> Vec<String> {
    let code = code(source);
    let folder = name.split(['/', '.']).next().unwrap_or_default();
    let mut broken = Vec::new();
    for own in own_modules(&code) {
        let is_allowed = ARROWS
            .iter()
            .find(|(of, ..)| *of == folder)
            .is_none_or(|(_, may, _)| may.contains(&own.as_str()));
        // `app` puts a scheduler together.
        let is_face = ["web", "testing", "app"].contains(&own.as_str())
            && folder != own
            && (folder, &*own) != ("app", "web");
        if !is_allowed || is_face {
            broken.push(format!("{name} names crate::{own}"));
        }
    }
    for foreign in foreign_crates(&code, &dependencies()) {
        let may = ARROWS.iter().find(|(of, ..)| *of == folder).and_then(|(.., may)| *may);
        let is_cornered = folder == "plan"
            && CORNERS.iter().any(|(cornered, corners)| {
                *cornered == foreign && !corners.iter().any(|corner| name.starts_with(corner))
            });
        if is_cornered || may.is_some_and(|may| !may.contains(&foreign.as_str())) {
            broken.push(format!("{name} names {foreign}"));
        }
    }
    broken
}

#[test]
fn every_folder_uses_only_what_the_design_lets_it() {
    let core = workspace().join("scheduler-core/src");
    let broken: Vec<String> =
        sources(&core).iter().flat_map(|(name, source)| broken_arrows(name, source)).collect();
    assert!(broken.is_empty(), "{broken:#?}");
}

#[test]
fn a_broken_arrow_is_seen() {
    #[track_caller]
    fn check(name: &str, source: &str, expected: &[&str]) {
        assert_eq!(broken_arrows(name, source), expected, "{source}");
    }
    check("plan/task.rs", "use crate::store::Store;", &["plan/task.rs names crate::store"]);
    check(
        "plan/task.rs",
        "use crate::{\n    plan::task,\n    clock,\n};",
        &["plan/task.rs names crate::clock"],
    );
    check("plan/task.rs", "fn f() { crate::run::go() }", &["plan/task.rs names crate::run"]);
    check("plan/task.rs", "use jiff::tz::TimeZone;", &["plan/task.rs names jiff"]);
    check("plan/trigger/zone.rs", "use jiff::tz::TimeZone;", &[]);
    check("plan/task.rs", "use tokio::time;", &["plan/task.rs names tokio"]);
    check(
        "store/memory.rs",
        "use crate::config::Config;",
        &["store/memory.rs names crate::config"],
    );
    check("run/mod.rs", "use crate::{plan::{task, node}, web};", &["run/mod.rs names crate::web"]);
    check("run/mod.rs", "use crate::app::App;", &["run/mod.rs names crate::app"]);
    check("app/running.rs", "use crate::{app::App, run::StopToken};", &[]);
    check("app.rs", "use crate::plan::task;", &["app.rs names crate::plan"]);
    check("registry.rs", "use crate::testing::Harness;", &["registry.rs names crate::testing"]);
    check("store/mod.rs", "// use crate::web;\nuse crate::plan::claim;", &[]);
}

#[test]
fn every_crate_inherits_the_lints_that_forbid_unsafe_code() {
    let manifest = |path: &str| {
        let path = workspace().join(path);
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    };
    let top = manifest("Cargo.toml");
    assert!(top.contains("unsafe_code = \"forbid\""), "the workspace forbids unsafe code");
    let members = top
        .lines()
        .find_map(|line| line.strip_prefix("members = "))
        .expect("the workspace has members");
    let members: Vec<&str> = members.split('"').skip(1).step_by(2).collect();
    assert!(members.len() >= 5, "{members:?}");
    for member in members {
        let inherits =
            manifest(&format!("{member}/Cargo.toml")).contains("[lints]\nworkspace = true");
        assert!(inherits, "{member}/Cargo.toml has no `[lints]` with `workspace = true`");
    }
}

#[test]
fn no_test_sleeps() {
    // Spelled in two parts, so that this file is not among the found.
    let needle = ["sleep", "("].concat();
    let mut found = Vec::new();
    for folder in
        ["tests/src", "tests/tests", "scheduler/tests", "scheduler-core/src/store/conformance"]
    {
        let folder_path = workspace().join(folder);
        if !folder_path.is_dir() {
            continue;
        }
        for (name, source) in sources(&folder_path) {
            // Polling is the one place where tests wait; what measures waits for its time to pass.
            let may_sleep =
                folder == "tests/src" && (name == "poll.rs" || name.starts_with("bin/"));
            // Jobs may take their time: the clock of the harness does not wait for them.
            let is_job = ["harness/", "docs/", "run/same_as_harness.rs", "torment/witness.rs"]
                .iter()
                .any(|of_jobs| name.starts_with(of_jobs));
            let may_sleep = may_sleep || is_job;
            if code(&source).contains(&needle) && !may_sleep {
                found.push(format!("{folder}/{name}"));
            }
        }
    }
    assert!(found.is_empty(), "await an event, or use tests::poll: {found:?}");
}
