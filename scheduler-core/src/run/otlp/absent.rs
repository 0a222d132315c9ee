//! In place of [`otlp`](self) in a program that is built without it, whose configuration asks for none.

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::watch::Watch;
use crate::{
    config,
    plan::node::{Event, Run},
};

pub(super) struct Otlp;

pub(super) fn start(
    _otlp: Option<config::Otlp>,
    _node: &str,
    _watch: &Watch,
    _stop: &CancellationToken,
) -> (Otlp, Option<JoinHandle<()>>) {
    (Otlp, None)
}

impl Otlp {
    pub(super) fn heard(&mut self, _event: &Event) {}

    pub(super) fn started(&mut self, _runs: &[Run]) {}
}
