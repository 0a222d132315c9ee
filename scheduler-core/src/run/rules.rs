//! From the configuration to the rules of the plan.

use std::sync::Arc;

use crate::{
    config::Config,
    job::Args,
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
        (descriptor.check_args)(&Args::parse(args))
            .map_err(|error| JobRefusal::Args(error.to_string()))?;
        Ok(descriptor.options)
    }
}
