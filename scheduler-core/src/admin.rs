//! What people see and change, by command line as by HTTP: rows as the scheduler would judge them.

mod alarm;
mod board;
mod editor;
mod forecast;
mod instant;
mod job;
mod log;
mod outcomes;
mod verdict;
mod view;
mod why;

pub use self::{
    alarm::{AlarmView, ChannelView},
    board::{Board, BoardRow, Counts, Cursor, Order, TaskFilter},
    editor::{EditError, Editor},
    forecast::{Forecast, ForecastView, MINUTES, Minute},
    instant::{Coming, InstantView, coming, coming_of},
    job::JobView,
    log::{LogView, log_line},
    outcomes::{HourView, OutcomesView},
    verdict::{Judge, Judged, Scheduled, State, Verdict},
    view::{
        Changed, EditPause, EditView, ExecutionView, NodeState, NodeView, PauseView, TaskView, zone,
    },
    why::{AskedTask, WhyView},
};
