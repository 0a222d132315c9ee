//! Jobs for tasks with `trigger` = `cron`.

pub(crate) mod post_notice;
mod test_cron;
