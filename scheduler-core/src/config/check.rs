//! What a program may have changed in a configuration after it was read, or made without files: the parts on which
//! others rely are looked at again.

use std::time::Duration;

use secrecy::ExposeSecret as _;

use super::{Config, ConfigError, Place, StoreChoice, pools::is_mysql_url, problem::Report};
use crate::plan::trigger::Zone;

impl Config {
    /// Checks what a program can set and would break: the zone, the numbers that must not be 0, and the pool of
    /// the store. What was read from files has passed this already.
    ///
    /// # Errors
    /// Every mistake.
    pub fn check(&self) -> Result<(), ConfigError> {
        let report = Report::default();
        let refuse = |text: String| report.problem(Place::Program, text);
        let common = &self.common;
        if Zone::named(&common.timezone).is_err() {
            refuse(format!("timezone is {:?}, expected the IANA name of a zone", common.timezone));
        }
        for (key, value) in [
            ("sync_interval", common.sync_interval),
            ("misfire_grace_time", common.misfire_grace_time),
            ("lease", common.lease),
            ("database_timeout", common.database_timeout),
        ] {
            if value == Duration::ZERO {
                refuse(format!("{key} is 0s, expected more"));
            }
        }
        if common.max_instances == 0 {
            refuse("max_instances is 0, expected 1 or more".to_owned());
        }
        if common.jobs.max_running == 0 {
            refuse("[jobs] max_running is 0, expected 1 or more".to_owned());
        }
        if common.store == StoreChoice::Mysql {
            match self.mysql.get("default").map(|pool| &pool.url) {
                None => {
                    refuse("mysql has no pool \"default\", expected that of the store".to_owned())
                }
                Some(Some(url)) if !is_mysql_url(url.expose_secret()) => {
                    refuse("the url of [default] (not shown) is no url of MySQL".to_owned());
                }
                Some(_) => {}
            }
        }
        report.verdict().map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(change: impl FnOnce(&mut Config), expected: &[&str]) {
        let mut config = Config::sqlite("a.db");
        change(&mut config);
        let said = config.check().err().map_or_else(String::new, |error| error.to_string());
        assert_eq!(said.lines().collect::<Vec<_>>(), expected);
    }

    #[test]
    fn a_configuration_without_files_has_the_documented_defaults_and_is_good() {
        check(|_| {}, &[]);
        let common = Config::sqlite("a:b?.db").common;
        assert_eq!(common.store, StoreChoice::Sqlite("a:b?.db".into()));
        assert_eq!(
            (common.sync_interval, common.lease),
            (Duration::from_secs(10), Duration::from_secs(30))
        );
        assert!(common.coalesce && !common.demo_rows);
    }

    #[test]
    fn what_a_program_sets_wrong_is_refused_and_not_panicked_over() {
        check(
            |config| {
                config.common.timezone = "Mars/Olympus".to_owned();
                config.common.sync_interval = Duration::ZERO;
                config.common.max_instances = 0;
                config.common.jobs.max_running = 0;
                config.common.store = StoreChoice::Mysql;
            },
            &[
                "the program: [jobs] max_running is 0, expected 1 or more",
                "the program: max_instances is 0, expected 1 or more",
                "the program: mysql has no pool \"default\", expected that of the store",
                "the program: sync_interval is 0s, expected more",
                "the program: timezone is \"Mars/Olympus\", expected the IANA name of a zone",
            ],
        );
    }
}
