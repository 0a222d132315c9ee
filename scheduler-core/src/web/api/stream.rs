//! What a run logs, as it does.

use std::{convert::Infallible, sync::Arc, time::Duration};

use axum::{
    Extension,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{
        IntoResponse,
        sse::{Event, KeepAlive, Sse},
    },
};
use futures_util::{StreamExt as _, stream};
use tokio::sync::OwnedSemaphorePermit;

use super::{
    Problem, Site,
    executions::LogAsked,
    input::{Asked, Id},
};
use crate::{
    clock::{mono, sleep_at_most_5s},
    plan::{execution::ExecutionId, words::quote},
    web::{
        access::Caller,
        seen::{seen_execution, seen_log},
    },
};

/// Between two looks.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// How long a stream lasts: shorter than a connection may. Whoever follows asks again where it ended.
const LONGEST: Duration = Duration::from_secs(50);

/// What a client that knows of streams sends when it asks again.
const LAST_EVENT_ID: &str = "last-event-id";

/// Follows what a run logs.
///
/// Each event `log` has the object that `/log` answers, and as its id the `after` to go on with, which may be sent back as
/// `Last-Event-ID`. After the event `end`, with the same object, nothing follows. A stream ends after 50 s and is to be asked
/// for anew, which `EventSource` does by itself.
#[utoipa::path(get, path = "/api/v1/executions/{id}/log/stream", tag = "executions",
    params(("id" = i64, Path, description = "`execute_task.id`."), LogAsked),
    responses((status = 200, description = "Its events.", body = String, content_type = "text/event-stream")))]
pub(super) async fn follow(
    State(site): State<Site>,
    Extension(caller): Extension<Arc<Caller>>,
    Id(id): Id<ExecutionId>,
    headers: HeaderMap,
    Asked(asked): Asked<LogAsked>,
) -> Result<impl IntoResponse, Problem> {
    let Ok(place) = Arc::clone(&site.streams).try_acquire_owned() else {
        return Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, "too many streams are open"));
    };
    seen_execution(site.store().await?, &caller, id).await?;
    let last = last_event(&headers)?;
    let following = Following {
        site,
        caller,
        id,
        after: last.unwrap_or(asked.after),
        until: mono() + LONGEST,
        is_first: true,
        is_over: false,
        _place: place,
    };
    let events = stream::unfold(following, |mut following| async {
        let event = following.next().await?;
        Some((event, following))
    });
    let events = events.map(Ok::<Event, Infallible>);
    let no_store = [(header::CACHE_CONTROL, "no-store")];
    // Its own header would let it be kept.
    Ok((no_store, Sse::new(events).keep_alive(KeepAlive::default())))
}

/// The id that a client took last.
fn last_event(headers: &HeaderMap) -> Result<Option<u32>, Problem> {
    let Some(given) = headers.get(LAST_EVENT_ID) else { return Ok(None) };
    let text = String::from_utf8_lossy(given.as_bytes());
    let expected = "expected the id of an event, 0 to 4294967295";
    let refused = |_| Problem::bad(format!("Last-Event-ID is {}, {expected}", quote(&text)));
    text.parse().map(Some).map_err(refused)
}

/// Where somebody who follows a log is.
struct Following {
    site: Site,
    caller: Arc<Caller>,
    id: ExecutionId,
    after: u32,
    until: Duration,
    is_first: bool,
    is_over: bool,
    _place: OwnedSemaphorePermit,
}

impl Following {
    /// What comes next; `None`: the stream ends.
    async fn next(&mut self) -> Option<Event> {
        while !self.is_over && mono() < self.until {
            if !std::mem::take(&mut self.is_first) {
                sleep_at_most_5s(LOOK_EVERY).await;
            }
            // A database that does not answer now may do so the next time; until then nothing new is known.
            let look = seen_log(&self.site, &self.caller, self.id, self.after);
            let Ok(view) = look.await else { continue };
            (self.after, self.is_over) = (view.next, view.is_over);
            if view.is_over || !view.lines.is_empty() {
                let event = Event::default().event(if view.is_over { "end" } else { "log" });
                return event.id(view.next.to_string()).json_data(&view).ok();
            }
        }
        None
    }
}
