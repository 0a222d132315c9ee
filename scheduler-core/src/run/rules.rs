//! From the configuration to the rules of the plan.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use crate::{
    config::Config,
    job::{Args, ArgsError, JobDescriptor, panic_text},
    plan::{
        node::Settings,
        task::{Catalog, JobOptions, JobRefusal, Policy, Reader},
        trigger::Zone,
    },
    registry::Registry,
};

/// How rows are read under `config`, by a program with the jobs of `registry`.
///
/// # Panics
/// Never: the zone's name was checked when the configuration was read.
#[must_use]
pub fn reader(config: &Config, registry: &Arc<Registry>) -> Reader {
    let common = &config.common;
    let zone = Zone::named(&common.timezone).expect("the configuration checked the zone's name");
    let policy = Policy {
        misfire_grace_time: common.misfire_grace_time,
        coalesce: common.coalesce,
        max_instances: common.max_instances,
        ..Policy::default()
    };
    Reader::new(common.cron_dialect, zone, policy, Box::new(Compiled(Arc::clone(registry))))
}

pub(crate) fn settings(config: &Config) -> Settings {
    let common = &config.common;
    Settings {
        sync_interval: common.sync_interval,
        lease: common.lease,
        clock_tolerance: common.clock_tolerance,
        shutdown_timeout: common.shutdown_timeout,
        max_running: common.jobs.max_running,
        ..Settings::default()
    }
}

/// How many names a rejection suggests.
const SUGGESTED: usize = 3;

/// The compiled jobs, as the plan sees them.
struct Compiled(Arc<Registry>);

impl Catalog for Compiled {
    fn accepts(&self, job: &str, args: &str) -> Result<JobOptions, JobRefusal> {
        let Some(descriptor) = self.0.get(job) else {
            let mut nearest = self.0.nearest(job, SUGGESTED);
            if nearest.is_empty() {
                nearest = self.0.iter().map(|job| job.name).take(SUGGESTED).collect();
            }
            return Err(JobRefusal::Unknown(nearest.into_iter().map(str::to_owned).collect()));
        };
        check_args(descriptor, &Args::parse(args)).map_err(JobRefusal::Args)?;
        Ok(descriptor.options)
    }
}

/// Asks the job, whose type of arguments may have a reader of its own. That is the author's code outside of
/// a run: if it panics, the row is rejected, and the scheduler goes on.
fn check_args(descriptor: &JobDescriptor, args: &Args) -> Result<(), String> {
    match catch_unwind(AssertUnwindSafe(|| (descriptor.check_args)(args))) {
        Ok(checked) => checked.map_err(|error| error.to_string()),
        Err(payload) => {
            let text = panic_text(payload);
            Err(ArgsError::new(format!("its type panicked while it read them: {text}")).to_string())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::Body;

    /// A job whose type of arguments is read by `check_args`.
    fn accepts(
        check_args: fn(&Args) -> Result<(), ArgsError>,
        args: &str,
    ) -> Result<JobOptions, JobRefusal> {
        let job: &'static JobDescriptor = Box::leak(Box::new(JobDescriptor {
            name: "add",
            function: "add",
            file: "add.rs",
            line: 1,
            args: "Sum",
            options: JobOptions::NONE,
            body: Body::Blocking(|_| Ok(())),
            check_args,
        }));
        Compiled(Arc::new(Registry::of([job]).expect("one job"))).accepts("add", args)
    }

    #[test]
    fn a_row_is_refused_in_the_words_of_its_jobs_type() {
        let read: fn(&Args) -> _ = |args| args.read::<(i64, i64)>().map(drop);
        assert_eq!(accepts(read, "1,2"), Ok(JobOptions::NONE));
        let reason = r#"value 2 is "x", expected i64"#.to_owned();
        assert_eq!(accepts(read, "1,x"), Err(JobRefusal::Args(reason)));
    }

    #[test]
    fn a_type_that_panics_rejects_the_row_and_harms_nothing_else() {
        let reason = r"its type panicked while it read them: no\u{a}way".to_owned();
        assert_eq!(accepts(|_| panic!("no\nway"), ""), Err(JobRefusal::Args(reason)));
    }
}
