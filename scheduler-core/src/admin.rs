//! What people see and change, by command line as by HTTP: rows as the scheduler would judge them.

mod editor;
mod verdict;
mod view;
mod why;

pub use self::{
    editor::{EditError, Editor},
    verdict::{Judge, Judged, Scheduled, Verdict},
    view::{Changed, EditView, ExecutionView, TaskView, zone},
    why::{AskedTask, WhyView},
};
