//! Jobs for tasks with `trigger` = `interval`.

mod test_interval;
