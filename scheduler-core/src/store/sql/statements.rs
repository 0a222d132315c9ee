//! The statements, one field each. [`sqlite`](super::sqlite) and [`mysql`](super::mysql) give their texts in
//! this order, so that the two read side by side; what differs carries a comment there.
//!
//! A batch travels as one JSON text, so that every statement is a constant, prepared once, whatever the size
//! of the batch. Instants are BIGINT epoch milliseconds in our own columns and whole seconds for the
//! original's timestamps.

/// The instants that can be read: those of chrono, in epoch milliseconds.
macro_rules! readable {
    () => {
        "BETWEEN -8334601228800000 AND 8210266876799999"
    };
}

/// Whether an execution `e` is needed: it is of the instant up to where its task is accounted for, of whatever attempt, or
/// its next attempt waits.
macro_rules! is_needed {
    () => {
        "(EXISTS (SELECT 1 FROM scheduler_retry r WHERE r.task_id = e.task_id AND r.scheduled_at = e.scheduled_at) \
         OR EXISTS (SELECT 1 FROM task t WHERE t.id = e.task_id) \
         AND EXISTS (SELECT 1 FROM execute_task m WHERE m.task_id = e.task_id AND m.scheduled_at = e.scheduled_at \
         AND m.source = 'schedule') \
         AND NOT EXISTS (SELECT 1 FROM execute_task n WHERE n.task_id = e.task_id AND n.source = 'schedule' \
         AND n.scheduled_at > e.scheduled_at))"
    };
}
pub(super) use is_needed;

/// One part of a statement, five times.
macro_rules! united_5 {
    ($part:literal) => {
        concat!(
            $part,
            " UNION ALL ",
            $part,
            " UNION ALL ",
            $part,
            " UNION ALL ",
            $part,
            " UNION ALL ",
            $part
        )
    };
}
pub(super) use united_5;

/// One part of a statement for each of [`RECENT_AT_ONCE`] tasks.
macro_rules! united_25 {
    ($part:literal) => {
        concat!(
            united_5!($part),
            " UNION ALL ",
            united_5!($part),
            " UNION ALL ",
            united_5!($part),
            " UNION ALL ",
            united_5!($part),
            " UNION ALL ",
            united_5!($part)
        )
    };
}
pub(super) use united_25;

/// How many tasks [`Statements::read_recent`] is about.
pub(super) const RECENT_AT_ONCE: usize = 25;

/// [`Statements::read_requests`] in both dialects. What cannot be read hides nothing that can.
pub(super) const READ_REQUESTS: &str = concat!(
    "SELECT id, task_id, requested_at, args FROM (SELECT v.*, \
     ROW_NUMBER() OVER (PARTITION BY task_id, is_readable ORDER BY id) AS place FROM (SELECT r.*, requested_at ",
    readable!(),
    " AS is_readable FROM scheduler_request r) v) w ORDER BY is_readable DESC, place, id LIMIT ?"
);

/// The same for [`Statements::read_retries`].
pub(super) const READ_RETRIES: &str = concat!(
    "SELECT w.task_id, w.scheduled_at, w.attempt, w.due_at, e.extra FROM (SELECT v.*, \
     ROW_NUMBER() OVER (PARTITION BY task_id, is_readable ORDER BY due_at) AS place FROM (SELECT r.*, scheduled_at ",
    readable!(),
    " AND attempt >= 0 AS is_readable FROM scheduler_retry r) v) w \
     LEFT JOIN execute_task e ON e.task_id = w.task_id AND e.scheduled_at = w.scheduled_at \
     AND e.attempt = w.attempt - 1 AND e.extra LIKE '%\"with_args\"%' \
     WHERE place <= ? ORDER BY is_readable DESC, due_at LIMIT ?"
);

/// The texts of one dialect.
#[derive(Debug)]
pub(crate) struct Statements {
    /// Opens a transaction that will write.
    pub(crate) begin: &'static str,

    // Reading.
    /// `(after_id, limit)` → rows of `task` in id order, long values cut one character beyond their limit.
    pub(crate) read_tasks: &'static str,
    /// `(seconds, id, ids, limit)` → the columns of `read_tasks` in id order: rows that were edited within that time, are
    /// beyond that id, or among those.
    pub(crate) read_edited: &'static str,
    /// `(id)` → the same columns.
    pub(crate) read_task: &'static str,
    /// `(ids, ids)` → the same columns of those rows and of all that share a key with one of them, in id order.
    pub(crate) read_twins: &'static str,
    /// `(limit)` → `id, task_id, requested_at, args`, the first of each task before the second of any.
    pub(crate) read_requests: &'static str,
    /// `(limit per task, limit)` → `task_id, scheduled_at, attempt, due_at, extra`, those that are due first at the front; `extra` is
    /// that of the attempt before, where it was asked for with arguments of its own.
    pub(crate) read_retries: &'static str,
    /// `(task_id, limit)` → the columns of `read_requests`, the first that was asked for first.
    pub(crate) requests_of: &'static str,
    /// `(task_id, limit)` → the columns of `read_retries`, the earliest instant first, without what they were asked for with.
    pub(crate) retries_of: &'static str,
    /// `(name)` → `value`.
    pub(crate) read_meta: &'static str,
    /// `(ids)` → `id, scheduled_at` of the newest execution that the schedule asked for.
    pub(crate) read_cursors: &'static str,

    // Claiming.
    /// `(ids)` → `id, is_valid, status, spec, update_at`, locked in the order of `ids`.
    pub(crate) lock_tasks: &'static str,
    /// The same, without those that are locked by somebody else.
    pub(crate) try_lock_tasks: &'static str,
    /// `(ids)` → `id` of those that exist, locked or not.
    pub(crate) existing_tasks: &'static str,
    /// `(ids)` → `task_id`, how many of its executions are open; tasks with none are absent.
    pub(crate) count_open: &'static str,
    /// `(ids)` → `id` of the requests that are still there, locked; not those locked by somebody else.
    pub(crate) lock_requests: &'static str,
    /// `(entries)` → `task_id, scheduled_at, attempt` of the retries that still wait, locked; not those locked by
    /// somebody else.
    pub(crate) lock_retries: &'static str,
    /// `(node_id, entries)`; entries that collide with a fire that is there are left out.
    pub(crate) insert_executions: &'static str,
    /// `(entries)`: manual runs of exactly these instants are the schedule's from now on, and account for them.
    pub(crate) become_fires: &'static str,
    /// `(entries)` → `id, trace_id, status` of whatever stands at their fires.
    pub(crate) read_back: &'static str,
    /// `(ids)`; `update_at` stays.
    pub(crate) set_doing: &'static str,
    /// `(ids)`.
    pub(crate) delete_requests: &'static str,
    /// `(entries)`.
    pub(crate) delete_retries: &'static str,

    // Recording.
    /// `(ids)` → `id` of those that exist, locked or not.
    pub(crate) existing_executions: &'static str,
    /// `(ids)` → `id, trace_id, status`, locked in the order of `ids`, without those locked by somebody else.
    pub(crate) lock_executions: &'static str,
    /// `(outcomes)`; open rows only.
    pub(crate) write_outcomes: &'static str,
    /// `(retries)`; those that wait already stay as they are.
    pub(crate) add_retries: &'static str,
    /// `(ids)`: to `ready` where nothing is open; `update_at` stays.
    pub(crate) release_tasks: &'static str,

    /// `(notes)`; open rows with their trace id only.
    pub(crate) write_notes: &'static str,

    // Being alive.
    /// `(node_id)` by the database's clock.
    pub(crate) renew: &'static str,
    /// `()` → `node_id`, milliseconds since it was heard of, of nodes that did not leave and were heard of within the
    /// longest lease.
    pub(crate) read_nodes: &'static str,
    /// `()` → the database's clock, in microseconds since 1970.
    pub(crate) read_now: &'static str,
    /// `(node_id)`; it stays remembered.
    pub(crate) leave: &'static str,
    /// `(node_id, lease_ms, until)` → `id, task_id, node_id` of open executions whose node did not renew in time, at most
    /// 1,000; none by a clock that is later than `until`.
    pub(crate) find_dead: &'static str,
    /// `(ids)` → `id, attempt, extra, scheduled_at`.
    pub(crate) read_attempts: &'static str,
    /// `(ids)`: the next attempt of these executions waits, due at once by the database's clock.
    pub(crate) retry_lost: &'static str,
    /// `(lost)`; open rows only, `finished_at` by the database's clock.
    pub(crate) mark_lost: &'static str,
    /// Forgets nodes that were not heard of for 30 days.
    pub(crate) forget_nodes: &'static str,

    // People.
    /// `(limit)` → `execution_id, author` of open executions that somebody wants to end.
    pub(crate) read_cancels: &'static str,
    /// `(execution, author)`; harmless when it is there.
    pub(crate) add_cancel: &'static str,
    /// Forgets those of more than a day ago.
    pub(crate) forget_cancels: &'static str,
    /// [`RECENT_AT_ONCE`] times `(task, how many)` → `task_id`, and of its last executions `id, status, scheduled_at,
    /// started_at, finished_at, attempt`, in any order: a list of lists as JSON, since it is the number of rows that costs.
    pub(crate) read_recent: &'static str,
    /// `(content, expires_at, digest)`.
    pub(crate) add_session: &'static str,
    /// `(content, expires_at, digest)`.
    pub(crate) change_session: &'static str,
    /// `(digest)` → `content, expires_at`, unless it has expired.
    pub(crate) read_session: &'static str,
    /// The same, locked.
    pub(crate) lock_session: &'static str,
    /// `(digest)`
    pub(crate) delete_session: &'static str,
    /// Deletes those that have expired.
    pub(crate) forget_sessions: &'static str,
    /// `(id or NULL, key, desc, func, trigger, spec, args, is_valid, extra)`; nothing when the key is taken.
    pub(crate) add_task: &'static str,
    /// `(key)` → `id`, newest first.
    pub(crate) find_key: &'static str,
    /// `(id)` → the columns of `read_task`, locked.
    pub(crate) lock_task: &'static str,
    /// `(key, desc, func, trigger, spec, args, is_valid, extra, id)`; NULL leaves a column as it is.
    pub(crate) change_task: &'static str,
    /// `(task_id, author, via, action, before, after, pause_until, pause_reason)`, by the database's clock.
    pub(crate) add_edit: &'static str,
    /// `(ids)` → the columns of `read_task`, locked in the order of `ids`, without those locked by somebody else.
    pub(crate) try_lock_rows: &'static str,
    /// `(ids)` → `task_id, row_after` of the newest edit of each that was no run; those without one are absent.
    pub(crate) newest_edits: &'static str,
    /// `(via, edits)` by nobody known, by the database's clock.
    pub(crate) add_edits: &'static str,
    /// `(before, limit)` → `id, task_id, edited_at, author, via, action, row_before, row_after`, newest first.
    pub(crate) list_edits: &'static str,
    /// `(task_id, before, limit)` → the same of one task.
    pub(crate) edits_of_task: &'static str,
    /// `(id)`.
    pub(crate) delete_task: &'static str,
    /// `(task_id, from, to, task_id, from, to)` → the instants that requests and executions of the task take.
    pub(crate) read_instants: &'static str,
    /// `(task_id, until, reason, author)`: from now on, in place of one that is there.
    pub(crate) put_pause: &'static str,
    /// `(ids)` → `task_id, paused_at, until, reason, author`.
    pub(crate) read_pauses: &'static str,
    /// `limit` → `task_id`, by id.
    pub(crate) list_pauses: &'static str,
    /// `(limit)` → `task_id` of those that are over.
    pub(crate) due_pauses: &'static str,
    /// `(ids)`.
    pub(crate) drop_pauses: &'static str,
    /// `(task_id, requested_at, args)`.
    pub(crate) request_run: &'static str,
    /// `(task_id or NULL twice, status or NULL twice, from, before, limit)` → executions, newest first, as they stand in the
    /// table.
    pub(crate) list_executions: &'static str,
    /// `(task_id, status or NULL twice, before, limit)` → the same, by the index of tasks.
    pub(crate) list_of_task: &'static str,
    /// `(status, before, limit)` → the same, by an index of states.
    pub(crate) list_in_status: &'static str,
    /// `(task_id)` → how many executions it has.
    pub(crate) count_executions: &'static str,
    /// `(before)` → the newest `id` before, or NULL.
    pub(crate) newest_execution: &'static str,
    /// `(from)` → the first `id` from there on, and when it was created.
    pub(crate) read_created: &'static str,
    /// `(from, until, task_ids or NULL twice)` → hour since 1970, status, count.
    pub(crate) count_outcomes: &'static str,
    /// `(first execution, limit)` → the columns of `list_executions` of the last that failed of each task, how many did, and
    /// whether one succeeded since.
    pub(crate) failing_tasks: &'static str,
    /// `(id)` → the same columns.
    pub(crate) read_execution: &'static str,
    /// `(task_id, scheduled_at)` → the executions of one instant by attempt, at most 100.
    pub(crate) read_fire: &'static str,
    /// `(task_id, scheduled_at)` → the execution of the next accounted instant after it.
    pub(crate) read_next_fire: &'static str,
    /// `(task_id, scheduled_at)` → executions of earlier instants that were to run, the latest first, at most 20.
    pub(crate) read_runs_before: &'static str,
    /// `(parts)`; those that are there stay as they are, and those of no execution are left out.
    pub(crate) append_log: &'static str,
    /// `(execution, after_part)` → `part, content` in order.
    pub(crate) read_log: &'static str,
    /// `(cutoff, cutoff, after_id, limit)` → `id`, whether it is young, whether it goes.
    pub(crate) read_oldest: &'static str,
    /// `(most, after_id, limit)` → `id` of tasks, and the `scheduled_at` of the newest execution but `most`.
    pub(crate) read_crowded: &'static str,
    /// `(task_id, scheduled_at, limit)` → `id` of the executions of earlier instants that go.
    pub(crate) read_before: &'static str,
    /// `(ids)`; closed ones only.
    pub(crate) delete_executions: &'static str,
    /// `(cutoff, cutoff, after_id, limit)` → `execution_id` of logs, whether its execution is young, whether it goes.
    pub(crate) read_logs: &'static str,
    /// `(ids)` of executions.
    pub(crate) delete_logs: &'static str,
    /// `(cutoff, cutoff, after_id, limit)` → `id` of edits, whether it is young, whether it goes.
    pub(crate) read_old_edits: &'static str,
    /// `(ids)` of edits.
    pub(crate) delete_edits: &'static str,
    /// → `node_id, started_at, heartbeat_at, left_at` of the nodes that are remembered, at most 1,000, and the
    /// database's clock; last heard of first.
    pub(crate) list_nodes: &'static str,
    /// `(node_id, alarms)`; those that are there already are brought up to date.
    pub(crate) keep_alarms: &'static str,
    /// `(before_id, limit)` → `id, node_id, rule, about, began_at, last_at, ended_at, count, content`, newest first.
    pub(crate) list_alarms: &'static str,
    /// The same of those that go on.
    pub(crate) open_alarms: &'static str,
    /// `(ms)`: ends those of nodes that left, are forgotten, or were silent for so long.
    pub(crate) end_alarms: &'static str,
    /// `(ms)`: forgets those that are over for so long.
    pub(crate) forget_alarms: &'static str,
    /// `(node_id, card)`.
    pub(crate) put_card: &'static str,
    /// Forgets what nodes said of themselves that are forgotten.
    pub(crate) forget_cards: &'static str,
    /// → how many rows `task` has.
    pub(crate) count_tasks: &'static str,
    /// `(name, value)`; nothing when the name is there.
    pub(crate) add_meta: &'static str,

    // Being fit to run on.
    /// → `table_name, index_name, column_name` of every unique key of the two tables, in key order.
    pub(crate) read_unique_keys: &'static str,
}

impl Statements {
    /// Every statement that can be prepared, with its name.
    #[cfg(feature = "testing")]
    #[expect(clippy::too_many_lines, reason = "a list, one name a line")]
    pub(crate) fn all(&self) -> Vec<(&'static str, &'static str)> {
        macro_rules! list {
            ($($name:ident),* $(,)?) => { vec![$((stringify!($name), self.$name)),*] };
        }
        list![
            read_tasks,
            read_edited,
            read_task,
            read_twins,
            read_requests,
            read_retries,
            requests_of,
            retries_of,
            read_meta,
            read_cursors,
            lock_tasks,
            try_lock_tasks,
            existing_tasks,
            count_open,
            lock_requests,
            lock_retries,
            insert_executions,
            become_fires,
            read_back,
            set_doing,
            delete_requests,
            delete_retries,
            existing_executions,
            lock_executions,
            write_outcomes,
            add_retries,
            release_tasks,
            write_notes,
            renew,
            read_nodes,
            read_now,
            leave,
            find_dead,
            read_attempts,
            retry_lost,
            mark_lost,
            forget_nodes,
            read_cancels,
            add_cancel,
            forget_cancels,
            read_recent,
            add_session,
            change_session,
            read_session,
            lock_session,
            delete_session,
            forget_sessions,
            add_task,
            find_key,
            lock_task,
            change_task,
            add_edit,
            try_lock_rows,
            newest_edits,
            add_edits,
            list_edits,
            edits_of_task,
            delete_task,
            read_instants,
            put_pause,
            read_pauses,
            list_pauses,
            due_pauses,
            drop_pauses,
            request_run,
            list_executions,
            list_of_task,
            list_in_status,
            count_executions,
            newest_execution,
            read_created,
            count_outcomes,
            failing_tasks,
            read_execution,
            read_fire,
            read_next_fire,
            read_runs_before,
            read_oldest,
            read_crowded,
            read_before,
            delete_executions,
            read_logs,
            delete_logs,
            read_old_edits,
            delete_edits,
            append_log,
            read_log,
            list_nodes,
            keep_alarms,
            list_alarms,
            open_alarms,
            end_alarms,
            forget_alarms,
            put_card,
            forget_cards,
            count_tasks,
            add_meta,
            read_unique_keys,
        ]
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Utc};

    #[test]
    fn what_can_be_read_ends_where_chrono_does() {
        let [first, last] =
            [DateTime::<Utc>::MIN_UTC, DateTime::<Utc>::MAX_UTC].map(|end| end.timestamp_millis());
        assert_eq!(readable!(), format!("BETWEEN {first} AND {last}"));
    }
}
