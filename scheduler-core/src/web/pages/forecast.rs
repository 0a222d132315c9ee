//! What the next 24 hours bring, minute by minute.

use std::sync::Arc;

use askama::Template;
use axum::{Extension, extract::State, response::Response};
use chrono::{DateTime, TimeDelta, Utc};

use crate::{
    admin::{Forecast, Minute},
    plan::task::TaskId,
    web::{
        access::Caller,
        boards::board,
        frame::{Frame, local, page},
        problem::Problem,
        seen,
        site::Site,
    },
};

/// The busiest minutes that are listed.
const LISTED: usize = 10;

/// Pixels from cell to cell, and the steps of their colour.
const CELL: usize = 12;
const STEPS: usize = 5;

/// An hour of the image.
struct Hour {
    /// When it begins, in the configured zone.
    label: String,
    y: usize,
    cells: Vec<Cell>,
}

/// A minute in which something fires.
struct Cell {
    x: usize,
    step: usize,
    title: String,
}

/// One of the busiest minutes.
struct Busy {
    time: String,
    distance: String,
    fires: u64,
    named: Vec<(TaskId, String)>,
    others: usize,
}

#[derive(Template)]
#[template(path = "forecast.html")]
struct ForecastPage<'a> {
    frame: &'a Frame,
    fires: u64,
    is_whole: bool,
    hours: Vec<Hour>,
    busiest: Vec<Busy>,
}

/// The page.
pub(super) async fn show(
    State(site): State<Site>,
    Extension(caller): Extension<Arc<Caller>>,
    frame: Frame,
) -> Response {
    frame.answer(shown(&site, &caller, &frame).await)
}

async fn shown(site: &Site, caller: &Arc<Caller>, frame: &Frame) -> Result<Response, Problem> {
    let forecast = seen::forecast(site, caller).await?;
    let board = board(site).await?;
    let mut busiest: Vec<(DateTime<Utc>, &Minute)> = forecast.busy().collect();
    busiest.sort_by_key(|(at, minute)| (std::cmp::Reverse(minute.fires), *at));
    busiest.truncate(LISTED);
    let key =
        |id: &TaskId| board.row(*id).map_or_else(|| id.to_string(), |row| row.key.to_string());
    let busiest = busiest.into_iter().map(|(at, minute)| Busy {
        time: local(&frame.zone, at),
        distance: frame.distance(&at),
        fires: minute.fires,
        named: minute.named.iter().map(|id| (*id, key(id))).collect(),
        others: (minute.tasks as usize).saturating_sub(minute.named.len()),
    });
    Ok(page(&ForecastPage {
        frame,
        fires: forecast.minutes.iter().map(|minute| minute.fires).sum(),
        is_whole: forecast.is_whole,
        busiest: busiest.collect(),
        hours: hours(frame, &forecast),
    }))
}

/// A line for each hour by the clock of the zone, of which the first and the last are parts.
fn hours(frame: &Frame, forecast: &Forecast) -> Vec<Hour> {
    let fires = || forecast.minutes.iter().map(|minute| minute.fires);
    let (least, most) = (fires().min().unwrap_or(0), fires().max().unwrap_or(0));
    let mut hours: Vec<Hour> = Vec::new();
    let mut last = 0;
    for (place, minute) in (0..).zip(&forecast.minutes) {
        // `2026-11-28 09:15:00`
        let time = local(&frame.zone, forecast.from + TimeDelta::minutes(place));
        let (Some(hour), Some(x)) = (time.get(11..14), time.get(14..16)) else { continue };
        let x = x.parse().unwrap_or(0);
        // Also where the clock is set back.
        if hours.is_empty() || x <= last {
            let (label, y) = (format!("{hour}00"), hours.len() * CELL);
            hours.push(Hour { label, y, cells: Vec::new() });
        }
        last = x;
        if minute.fires > 0 {
            // What every minute has says nothing. The colour is by the square root: of few and many both can be told apart.
            let share = ((minute.fires - least) * 100 / (most - least).max(1)).isqrt();
            let step = usize::try_from(share).unwrap_or(0) * (STEPS - 1) / 10 + 1;
            let title = format!("{time}: {}", minute.fires);
            let cell = Cell { x: x * CELL, step: step.min(STEPS), title };
            if let Some(hour) = hours.last_mut() {
                hour.cells.push(cell);
            }
        }
    }
    hours
}
