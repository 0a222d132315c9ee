//! Jobs for tasks with `trigger` = `cron`.

mod test_cron;
