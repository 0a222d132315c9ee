//! Where secrets are looked for and must not be: what the program prints and logs at every level, its log files, the
//! tables of its database, and the list of processes. Each secret is one that nothing else would say, given in each way
//! in which one can be given; the database accepts it, refuses it, or is not there.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking too")]

mod evidence;
mod program;
mod site;

use tests::servers::mariadb;

use crate::{
    evidence::Evidence,
    site::{Database, Form, Site, Source},
};

/// Does with each kind of database all that shows or could show a secret, which comes from `source`.
fn nothing_shows_a_secret(source: Source) {
    let Some(server) = mariadb() else { return };
    for form in [Form::Password, Form::Url] {
        for database in [Database::Accepts, Database::Refuses, Database::Unreachable] {
            let site = Site::new(server, source, form, database);
            let evidence = Evidence { of: format!("{source:?} {form:?} {database:?}") };
            shows_the_configuration(&site, &evidence);
            match database {
                Database::Accepts => runs(&site, &evidence),
                Database::Refuses => fails(&site, 69, "was refused", &evidence),
                Database::Unreachable => fails(&site, 69, "Connection refused", &evidence),
            }
        }
    }
}

#[test]
fn no_secret_of_a_file_is_shown() {
    nothing_shows_a_secret(Source::File);
}

#[test]
fn no_secret_of_a_variable_is_shown() {
    nothing_shows_a_secret(Source::Variable);
}

#[test]
fn no_secret_of_a_file_that_a_variable_names_is_shown() {
    nothing_shows_a_secret(Source::FileOfVariable);
}

/// What is in force, and what is said of it where there is a mistake beside.
fn shows_the_configuration(site: &Site, evidence: &Evidence) {
    for args in [&["config", "show"][..], &["config", "show", "--json"]] {
        let shown = evidence.ran(site.command(args), 0);
        // The two pools of MySQL, the two of Redis.
        assert!(shown.matches("(secret)").count() >= 4, "{shown}");
        assert!(shown.matches("(not shown)").count() >= 2, "{shown}");
    }
    let mut mistaken = site.command(&["check"]);
    mistaken.env("SCHEDULER__MYSQL__DEFAULT__PASWORD", &site.secrets[0]);
    mistaken.env("SCHEDULER__MYSQL__OTHER__PORT", format!("mysql://u:{}@h/d", site.secrets[1]));
    let said = evidence.ran(mistaken, 78);
    assert!(said.contains("pasword") && said.contains("OTHER__PORT"), "{said}");
}

/// A database that cannot be had.
fn fails(site: &Site, code: i32, because: &str, evidence: &Evidence) {
    for verb in ["check", "run", "migrate"] {
        let said = evidence.ran(site.command(&[verb]), code);
        assert!(said.contains(because), "{verb}: {said}");
    }
    evidence.add("the log file", &site.log_file());
}

/// Jobs that have the secrets panic and fail, and everything is logged.
fn runs(site: &Site, evidence: &Evidence) {
    evidence.ran(site.command(&["migrate"]), 0);
    site.insert("panics", "");
    site.insert("post_notice", "team,text");
    let mut scheduler = site.start(&["run"]);
    site.have_failed(2);
    evidence.lists_processes(scheduler.id());
    scheduler.stop();
    evidence.add("the log on stderr", &scheduler.said());
    let log = site.log_file();
    evidence.add("the log file", &log);
    assert!(log.contains("\"TRACE\""), "everything is logged: {log}");
    assert!(log.contains("alarms do not arrive"), "somebody is to be told: {log}");
    evidence.ran(site.command(&["check"]), 0);
    for id in ["1", "2"] {
        evidence.ran(site.command(&["executions", "show", id]), 0);
        evidence.ran(site.command(&["executions", "log", id, "--json"]), 0);
    }
    let rows = site.rows();
    evidence.add("the tables", &rows);
    assert!(rows.contains("slipped with") && rows.contains("POST http://127.0.0.1"), "{rows}");
}
