//! The rows, and what people do to them.
//!
//! ```text
//!  rows 1 to 30    nobody edits them: every instant must be accounted for
//!  rows 31 to 40   edited by hand; triggers write every edit, claim and end into the table `audit`
//! ```
//!
//! An edit and a claim of one row both hold its lock when their triggers fire, so their order in `audit` is the order
//! in which they were committed.

use std::collections::BTreeMap;

use fastrand::Rng;

/// The rows from 31 on are edited.
pub(super) const UNEDITED: i64 = 30;

const ALL: i64 = 40;

/// How often the row fires, as long as nobody edits it.
pub(super) fn every_secs(task: i64) -> i64 {
    [1, 2, 3, 5, 10][usize::try_from(task % 5).unwrap_or(0)]
}

/// How long its job takes.
pub(super) fn takes_ms(task: i64) -> i64 {
    match task {
        task if task % 10 == 7 => 15_000,
        task if task % 4 == 0 => 2_500,
        _ => 20,
    }
}

/// Forty rows: quick and slow jobs, every second to every ten, that skip, wait, and are tried again when lost.
pub(super) fn rows() -> String {
    (1..=ALL).map(row).collect()
}

fn row(number: i64) -> String {
    let (every, takes) = (every_secs(number), takes_ms(number));
    let extra = match number % 3 {
        0 => "{}",
        1 => r#"{"overlap": "queue"}"#,
        _ => r#"{"on_lost": "retry", "retries": 5}"#,
    };
    format!(
        "INSERT INTO task (task_key, `desc`, execute_func, `trigger`, spec, args, is_valid, status, extra) \
         VALUES ('task {number}', '', 'witness', 'interval', '{every}', '{takes}', 1, 'ready', '{extra}');"
    )
}

/// The table `audit` and the triggers that fill it. `UUID_SHORT()` counts up, and takes no lock as an
/// `AUTO_INCREMENT` would.
pub(super) const AUDIT: &str = "
CREATE TABLE audit (
  seq BIGINT UNSIGNED NOT NULL PRIMARY KEY, at_ms BIGINT NOT NULL, what VARCHAR(8) NOT NULL, task BIGINT NOT NULL,
  is_valid INT NULL, spec VARCHAR(255) NULL, anchor_ms BIGINT NULL, edited_ms BIGINT NULL,
  execution BIGINT NULL, was VARCHAR(16) NULL, status VARCHAR(16) NULL
);
CREATE TRIGGER audit_row AFTER INSERT ON task FOR EACH ROW
  INSERT INTO audit VALUES (UUID_SHORT(), UNIX_TIMESTAMP(NOW(3)) * 1000, 'row', NEW.id, NEW.is_valid, NEW.spec,
    UNIX_TIMESTAMP(NEW.create_at) * 1000, UNIX_TIMESTAMP(NEW.update_at) * 1000, NULL, NULL, NULL);
CREATE TRIGGER audit_edit AFTER UPDATE ON task FOR EACH ROW
  INSERT INTO audit SELECT UUID_SHORT(), UNIX_TIMESTAMP(NOW(3)) * 1000, 'row', NEW.id, NEW.is_valid, NEW.spec,
    UNIX_TIMESTAMP(NEW.create_at) * 1000, UNIX_TIMESTAMP(NEW.update_at) * 1000, NULL, NULL, NULL
    FROM DUAL WHERE NOT (OLD.is_valid = NEW.is_valid AND OLD.spec = NEW.spec AND OLD.update_at = NEW.update_at);
CREATE TRIGGER audit_delete AFTER DELETE ON task FOR EACH ROW
  INSERT INTO audit VALUES (UUID_SHORT(), UNIX_TIMESTAMP(NOW(3)) * 1000, 'gone', OLD.id,
    NULL, NULL, NULL, NULL, NULL, NULL, NULL);
CREATE TRIGGER audit_claim AFTER INSERT ON execute_task FOR EACH ROW
  INSERT INTO audit VALUES (UUID_SHORT(), UNIX_TIMESTAMP(NOW(3)) * 1000, 'claim', NEW.task_id,
    NULL, NULL, NULL, NULL, NEW.id, NULL, NEW.status);
CREATE TRIGGER audit_end AFTER UPDATE ON execute_task FOR EACH ROW
  INSERT INTO audit SELECT UUID_SHORT(), UNIX_TIMESTAMP(NOW(3)) * 1000, 'end', NEW.task_id,
    NULL, NULL, NULL, NULL, NEW.id, OLD.status, NEW.status
    FROM DUAL WHERE NOT (OLD.status = NEW.status AND (OLD.status = 'todo' OR OLD.extra = NEW.extra));
";

/// An edit that found its row locked, as by a program that is cut off from the database in the middle of a claim.
pub(super) const REFUSED: &str = "refused";

/// What people have done how often.
#[derive(Default)]
pub(super) struct People {
    pub(super) edits: BTreeMap<&'static str, u64>,
}

impl People {
    /// How many edits were done.
    pub(super) fn count(&self) -> u64 {
        self.edits.iter().filter(|(what, _)| **what != REFUSED).map(|(_, count)| count).sum()
    }

    pub(super) fn did(&mut self, what: &'static str) {
        *self.edits.entry(what).or_default() += 1;
    }
}

/// Nobody waits for a locked row for long.
pub(super) const IMPATIENT: &str = "SET SESSION innodb_lock_wait_timeout = 1;";

/// An edit, and what it is called.
pub(super) fn edit(rng: &mut Rng) -> (&'static str, String) {
    let number = rng.i64(UNEDITED + 1..=ALL);
    let set = |what| format!("UPDATE task SET {what} WHERE task_key = 'task {number}'");
    match rng.u8(0..12) {
        0..3 => ("is_valid", set("is_valid = 1 - is_valid")),
        3..6 => ("spec", set(&format!("spec = '{}'", rng.u8(1..6)))),
        6 => {
            let bad = ["0", "-5", "never", ""][rng.usize(0..4)];
            ("bad spec", set(&format!("spec = '{bad}'")))
        }
        7 => {
            let status = ["ready", "doing", "gone fishing"][rng.usize(0..3)];
            ("status", set(&format!("status = '{status}'")))
        }
        8 => {
            let extra = [r#"{"overlap": "queue"}"#, r#"{"retries": 2}"#, "{}", "no JSON"];
            ("extra", set(&format!("extra = '{}'", extra[rng.usize(0..extra.len())])))
        }
        9 => ("args", set(&format!("args = '{}'", ["20", "2500", "many"][rng.usize(0..3)]))),
        10 => {
            let delete = format!("DELETE FROM task WHERE task_key = 'task {number}'");
            ("delete and re-create", format!("{delete}; {}", row(number)))
        }
        _ => (
            "manual run",
            format!(
                "INSERT INTO scheduler_request (task_id, requested_at) \
                 SELECT id, CAST(UNIX_TIMESTAMP(NOW(3)) * 1000 AS SIGNED) FROM task WHERE task_key = 'task {number}'"
            ),
        ),
    }
}
