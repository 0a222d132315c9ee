//! What nodes found to be wrong, and who is told.

use std::sync::Arc;

use askama::Template;
use axum::{
    Extension,
    extract::{Query, State},
    response::Response,
};
use serde::Deserialize;

use crate::{
    admin::{AlarmView, ChannelView},
    plan::task::TaskId,
    store::{AlarmFilter, AlarmId},
    web::{
        access::Caller,
        frame::{Frame, page},
        problem::Problem,
        seen,
        site::Site,
    },
};

/// How many are on a page.
const SHOWN: u32 = 50;

/// How many that go on are shown at once.
const MOST_OPEN: u32 = 200;

/// An alarm as the lists have it.
pub(super) struct Alarm {
    pub(super) rule: &'static str,
    /// As the configuration names it.
    pub(super) rule_name: String,
    pub(super) about: String,
    pub(super) task_id: Option<TaskId>,
    pub(super) text: String,
    pub(super) count: u64,
    pub(super) began: String,
    /// Of one that goes on for how long, else when it was seen last.
    pub(super) last: String,
    pub(super) node: String,
}

impl Alarm {
    pub(super) fn of(frame: &Frame, view: AlarmView) -> Self {
        let here = |at: Option<&String>| at.map(|at| frame.readable_here(at)).unwrap_or_default();
        Self {
            rule: frame.words.rule(&view.rule),
            began: here(view.began_at.as_ref()),
            last: here(view.ended_at.as_ref().or(view.last_at.as_ref())),
            rule_name: view.rule,
            about: view.task_key.unwrap_or_else(|| frame.said(&view.about).into_owned()),
            task_id: view.task_id,
            text: frame.said(&view.text).into_owned(),
            count: view.count,
            node: view.node_id,
        }
    }
}

/// A channel as the list has it.
struct Channel {
    view: ChannelView,
    arrived: String,
    failed: String,
}

impl Channel {
    fn of(frame: &Frame, view: ChannelView) -> Self {
        let here = |at: &Option<String>| at.as_ref().map(|at| frame.readable_here(at));
        Self {
            arrived: here(&view.arrived_at).unwrap_or_default(),
            failed: here(&view.failed_at).unwrap_or_default(),
            view,
        }
    }
}

#[derive(Template)]
#[template(path = "alarms.html")]
struct AlarmsPage<'a> {
    frame: &'a Frame,
    open: Vec<Alarm>,
    over: Vec<Alarm>,
    channels: Vec<Channel>,
    /// Whether it is the first of its pages.
    is_first: bool,
    next: Option<AlarmId>,
}

/// Where the list goes on.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Asked {
    after: Option<AlarmId>,
}

/// The alarms.
pub(super) async fn list(
    State(site): State<Site>,
    Extension(caller): Extension<Arc<Caller>>,
    frame: Frame,
    Query(asked): Query<Asked>,
) -> Response {
    frame.answer(listed(&site, &caller, &frame, asked.after).await)
}

async fn listed(
    site: &Site,
    caller: &Caller,
    frame: &Frame,
    after: Option<AlarmId>,
) -> Result<Response, Problem> {
    let is_first = after.is_none();
    let open = if is_first { open(site, caller, frame).await? } else { Vec::new() };
    let filter = AlarmFilter { is_open: false, before: after, limit: SHOWN };
    let (all, next) = seen::alarms(site, caller, filter).await?;
    let over = all.into_iter().filter(|alarm| !alarm.is_open);
    let channels = if is_first { seen::channels(site) } else { Vec::new() };
    Ok(page(&AlarmsPage {
        frame,
        open,
        over: over.map(|view| Alarm::of(frame, view)).collect(),
        channels: channels.into_iter().map(|view| Channel::of(frame, view)).collect(),
        is_first,
        next,
    }))
}

/// Those that go on.
pub(super) async fn open(
    site: &Site,
    caller: &Caller,
    frame: &Frame,
) -> Result<Vec<Alarm>, Problem> {
    let filter = AlarmFilter { is_open: true, before: None, limit: MOST_OPEN };
    let (open, _) = seen::alarms(site, caller, filter).await?;
    Ok(open.into_iter().map(|view| Alarm::of(frame, view)).collect())
}
