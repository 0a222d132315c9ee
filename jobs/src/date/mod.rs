//! Jobs for tasks with `trigger` = `date`.

mod test_date;
