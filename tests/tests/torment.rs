//! Three real programs on a private MariaDB, in trouble for a while. For longer:
//! `cargo run --release -p tests --bin torment -- --nodes 4 --seconds 300`.

use std::{path::Path, time::Duration};

use tests::torment::{Plan, torment};

#[test]
fn real_programs_in_trouble_break_no_rule() {
    let this = Path::new(env!("CARGO_BIN_EXE_torment"));
    let plan = Plan {
        nodes: 3,
        span: Duration::from_secs(24),
        seed: 1,
        kills: 5,
        stops: 5,
        starts: 1,
        edits: 20,
        holds: 4,
        hold: Duration::from_secs(4),
        outages: 1,
        outage: Duration::from_secs(3),
        freeze: Duration::from_secs(8),
    };
    let Some(findings) = torment(this, plan).unwrap() else {
        let is_required = std::env::var_os("REQUIRE_SERVERS").is_some_and(|value| value == "1");
        assert!(!is_required, "mariadbd is not installed, expected it, since REQUIRE_SERVERS=1");
        return;
    };
    assert!(findings.violations.is_empty(), "{findings:#?}");
    assert!(!findings.killed.is_empty() && !findings.stopped.is_empty(), "{findings:#?}");
    assert!(!findings.held.is_empty(), "{findings:#?}");
    assert!(findings.outages.len() == 1 && findings.audited > 0, "{findings:#?}");
}
