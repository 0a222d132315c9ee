//! What a program may have changed in a configuration after it was read, or made without files: the parts on which
//! others rely are looked at again.

use std::{fmt, ops::RangeInclusive, time::Duration};

use secrecy::ExposeSecret as _;

use super::{
    Common, Config, ConfigError, Otlp, Place, StoreChoice,
    common::{range, zone_name},
    pools::{MYSQL_FORM, is_mysql_url},
    problem::Report,
    redis_place::FORMS,
    value::{limits_of_durations, limits_of_numbers},
};

impl Config {
    /// Checks what a program can set and would break: the zone, every number of [`Common`], the pool of the store,
    /// where each pool is, and [`Otlp`]. What was read from files has passed this already.
    ///
    /// ```
    /// use std::time::Duration;
    /// use scheduler_core::config::Config;
    ///
    /// let mut config = Config::sqlite("data/app.db");
    /// config.common.lease = Duration::from_millis(1);
    /// let refused = config.check().unwrap_err();
    /// assert_eq!(refused.to_string(), "the program: lease is 1ms, expected 1s to 1h");
    /// ```
    ///
    /// # Errors
    /// Every mistake.
    pub fn check(&self) -> Result<(), ConfigError> {
        let report = Report::default();
        let refuse = |text: String| report.problem(Place::Program, text);
        mistakes(&self.common).into_iter().for_each(refuse);
        self.otlp.iter().filter_map(Otlp::mistake).for_each(refuse);
        if self.common.store == StoreChoice::Mysql && !self.mysql.contains_key("default") {
            refuse("mysql has no pool \"default\", expected that of the store".to_owned());
        }
        for (name, pool) in &self.mysql {
            if pool.url.as_ref().is_some_and(|url| !is_mysql_url(url.expose_secret())) {
                refuse(format!("mysql [{name}] url (not shown) is refused, expected {MYSQL_FORM}"));
            }
        }
        for (name, pool) in &self.redis {
            if pool.place().is_none() {
                refuse(format!("redis [{name}] url (not shown) is refused, expected {FORMS}"));
            }
        }
        report.verdict().map(drop)
    }
}

fn mistakes(common: &Common) -> Vec<String> {
    let Common { jobs, .. } = common;
    let zone = zone_name(&common.timezone).err();
    let zone = zone.map(|expected| refusal("timezone", &common.timezone, &expected));
    [
        zone,
        duration("sync_interval", common.sync_interval, &range::SYNC_INTERVAL),
        duration("misfire_grace_time", common.misfire_grace_time, &range::MISFIRE_GRACE_TIME),
        number("max_instances", common.max_instances, &range::MAX_INSTANCES),
        duration("lease", common.lease, &range::LEASE),
        duration("clock_tolerance", common.clock_tolerance, &range::CLOCK_TOLERANCE),
        duration("shutdown_timeout", common.shutdown_timeout, &range::SHUTDOWN_TIMEOUT),
        duration("database_timeout", common.database_timeout, &range::DATABASE_TIMEOUT),
        number("[jobs] threads", jobs.threads, &range::THREADS),
        number("[jobs] max_running", jobs.max_running, &range::MAX_RUNNING),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn number<T>(key: &str, found: T, range: &RangeInclusive<T>) -> Option<String>
where
    T: fmt::Debug + fmt::Display + PartialOrd,
{
    (!range.contains(&found)).then(|| refusal(key, found, &limits_of_numbers(range)))
}

fn duration(key: &str, found: Duration, range: &RangeInclusive<Duration>) -> Option<String> {
    (!range.contains(&found)).then(|| refusal(key, found, &limits_of_durations(range)))
}

fn refusal(key: &str, found: impl fmt::Debug, expected: &str) -> String {
    format!("{key} is {found:?}, expected {expected}")
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
                "the program: [jobs] max_running is 0, expected 1 to 100000",
                "the program: max_instances is 0, expected 1 to 10000",
                "the program: mysql has no pool \"default\", expected that of the store",
                "the program: sync_interval is 0ns, expected 100ms to 1h",
                "the program: timezone is \"Mars/Olympus\", expected the IANA name of a zone such as \"Europe/Berlin\"",
            ],
        );
        check(
            |config| config.common.timezone = "Europe/Berlim".to_owned(),
            &[
                "the program: timezone is \"Europe/Berlim\", expected a known zone: \"Europe/Berlin\"?",
            ],
        );
    }

    #[test]
    fn a_program_may_give_pools_of_its_own_and_not_such_that_are_nowhere() {
        use crate::config::{MysqlPool, RedisPool};
        let redis = |url: &'static str| {
            move |config: &mut Config| drop(config.redis.insert("a".into(), RedisPool::at(url)))
        };
        let mysql = |url: &'static str| {
            move |config: &mut Config| drop(config.mysql.insert("a".into(), MysqlPool::at(url)))
        };
        check(redis("redis+cluster://h"), &[]);
        check(mysql("mysql://me:hunter2@h/d"), &[]);
        let refused =
            format!("the program: redis [a] url (not shown) is refused, expected {FORMS}");
        check(redis("redis://:hunter2@"), &[&refused]);
        let refused =
            format!("the program: mysql [a] url (not shown) is refused, expected {MYSQL_FORM}");
        check(mysql("redis://:hunter2@h"), &[&refused]);
        let (mysql, redis) = (MysqlPool::at("mysql://h"), RedisPool::at("redis://h"));
        assert_eq!((mysql.maxsize, redis.maxsize), (10, 10));
        assert_eq!(redis.response_timeout, Duration::from_secs(5));
    }

    /// Accepts `last` and refuses `beyond`, in the words of the file.
    #[track_caller]
    fn limit<T: fmt::Debug + Copy>(
        key: &str,
        set: fn(&mut Common, T),
        [last, beyond]: [T; 2],
        limits: &str,
    ) {
        check(|config| set(&mut config.common, last), &[]);
        let said = format!("the program: {key} is {beyond:?}, expected {limits}");
        check(|config| set(&mut config.common, beyond), &[&said]);
    }

    #[rustfmt::skip] // One case per line.
    #[test]
    fn a_program_may_set_what_a_file_may_and_nothing_beyond() {
        let (secs, ms, ns) = (Duration::from_secs, Duration::from_millis, Duration::from_nanos(1));
        let (sync_interval, hour) = (|common: &mut Common, value| common.sync_interval = value, secs(3600));
        limit("sync_interval", sync_interval, [ms(100), ms(100) - ns], "100ms to 1h");
        limit("sync_interval", sync_interval, [hour, hour + ns], "100ms to 1h");
        let misfire_grace_time = |common: &mut Common, value| common.misfire_grace_time = value;
        limit("misfire_grace_time", misfire_grace_time, [secs(1), ms(999)], "1s to 366d");
        limit("misfire_grace_time", misfire_grace_time, [secs(366 * 86_400), secs(366 * 86_400) + ns], "1s to 366d");
        let max_instances = |common: &mut Common, value| common.max_instances = value;
        limit("max_instances", max_instances, [1, 0], "1 to 10000");
        limit("max_instances", max_instances, [10_000, 10_001], "1 to 10000");
        let lease = |common: &mut Common, value| common.lease = value;
        limit("lease", lease, [secs(1), ms(999)], "1s to 1h");
        limit("lease", lease, [hour, hour + ns], "1s to 1h");
        let clock_tolerance = |common: &mut Common, value| common.clock_tolerance = value;
        limit("clock_tolerance", clock_tolerance, [ms(100), ms(100) - ns], "100ms to 1h");
        limit("clock_tolerance", clock_tolerance, [hour, hour + ns], "100ms to 1h");
        let shutdown_timeout = |common: &mut Common, value| common.shutdown_timeout = value;
        limit("shutdown_timeout", shutdown_timeout, [hour, hour + ns], "0s to 1h");
        check(|config| config.common.shutdown_timeout = Duration::ZERO, &[]);
        let database_timeout = |common: &mut Common, value| common.database_timeout = value;
        limit("database_timeout", database_timeout, [ms(100), ms(100) - ns], "100ms to 5m");
        limit("database_timeout", database_timeout, [secs(300), secs(300) + ns], "100ms to 5m");
        let threads = |common: &mut Common, value| common.jobs.threads = value;
        limit("[jobs] threads", threads, [1024, 1025], "0 to 1024");
        let max_running = |common: &mut Common, value| common.jobs.max_running = value;
        limit("[jobs] max_running", max_running, [1, 0], "1 to 100000");
        limit("[jobs] max_running", max_running, [100_000, 100_001], "1 to 100000");
    }
}
