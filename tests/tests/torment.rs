//! Three real programs on a private MariaDB, killed, frozen and stopped for a while. For longer:
//! `cargo run --release -p tests --bin torment -- --nodes 4 --seconds 300`.

use std::{path::Path, time::Duration};

use tests::torment::{Plan, torment};

#[test]
fn real_programs_in_trouble_break_no_rule() {
    let this = Path::new(env!("CARGO_BIN_EXE_torment"));
    let plan = Plan { nodes: 3, span: Duration::from_secs(20), seed: 1 };
    let Some(findings) = torment(this, plan).unwrap() else {
        let is_required = std::env::var_os("REQUIRE_SERVERS").is_some_and(|value| value == "1");
        assert!(!is_required, "mariadbd is not installed, expected it, since REQUIRE_SERVERS=1");
        return;
    };
    assert!(findings.violations.is_empty(), "{findings:#?}");
    assert!(findings.befell.get("kills").is_some_and(|kills| *kills > 0), "{findings:#?}");
}
