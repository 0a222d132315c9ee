//! One suite that every store must pass, each case named by the promise it checks.
//!
//! | list | tables at the start | runs on |
//! |---|---|---|
//! | [`store_cases!`](crate::store_cases) | migrated, empty | memory, SQLite, MySQL |
//! | [`fresh_cases!`](crate::fresh_cases) | not there | memory, SQLite, MySQL |
//! | [`sql_cases!`](crate::sql_cases) | migrated, empty | SQLite, MySQL |
//!
//! A list hands its names to a macro of the caller, which makes a test of each; `tests/tests/stores.rs` does.
//! A case gets a [`Fixture`]: three handles on the same tables, as three nodes have them, and the [`Operator`],
//! who does to the tables what a person does by SQL. [`random`] applies the same steps to several stores and
//! compares what they say; [`rush`] lets all handles work at the same time and compares what they are told with the
//! rows.
#![expect(missing_docs, reason = "the name of a case is its sentence")]
#![expect(clippy::unwrap_used, reason = "a case is a test, and fails by panicking")]

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::mysql::MySqlConnectOptions;

pub use self::operator::Operator;
use super::{
    ExecutionFilter, ExecutionRow, MysqlPlace, NewTask, SharedStore, SqlStore, StoreError,
    TaskSelection, memory::MemoryStore,
};
use crate::{
    clock,
    plan::{
        claim::{Claim, Entry, Origin, Refusal, Verdict},
        execution::{ExecutionId, Outcome, Recorded, Status},
        task::{TaskId, TaskRow},
    },
};

pub mod alarms;
pub mod alive;
pub mod by_hand;
pub mod cancels;
pub mod claiming;
pub mod contention;
pub mod deadlines;
pub mod edits;
pub mod fresh;
pub mod logs;
mod operator;
pub mod pauses;
pub mod people;
pub mod plans;
pub mod pruning;
pub mod random;
pub mod reading;
pub mod recording;
pub mod requests;
pub mod retries;
pub mod rush;
pub mod sessions;
mod told;
pub mod turns;

/// Hands the names of all cases that start on migrated, empty tables to the macro `$make`.
#[macro_export]
macro_rules! store_cases {
    ($make:ident) => {
        $make! {
            reading: rows_are_read_in_id_order_with_every_column,
            reading: what_was_edited_lately_is_read_without_the_others,
            reading: where_a_row_came_between_others_or_went_all_are_read,
            reading: a_value_is_cut_one_character_beyond_its_limit,
            reading: a_text_does_not_end_at_a_nul,
            reading: the_adoption_stays_where_the_first_migration_put_it,
            reading: cursors_are_the_newest_instants_that_were_not_manual,
            claiming: a_claim_writes_a_row_that_says_who_runs_what,
            claiming: a_claimed_task_is_doing,
            claiming: an_instant_is_claimed_once,
            claiming: an_instant_is_claimed_by_one_of_two_nodes,
            claiming: older_instants_are_recorded_missed_with_the_run,
            claiming: a_claim_of_missed_instants_only_leaves_the_task_ready,
            claiming: a_skipped_fire_leaves_the_task_doing,
            claiming: a_skipped_fire_leaves_a_ready_task_ready,
            claiming: a_disabled_task_refuses,
            claiming: a_deleted_task_refuses,
            claiming: a_new_spec_refuses_what_was_due_after_the_edit,
            claiming: a_new_spec_lets_be_accounted_what_was_due_until_the_edit,
            claiming: a_busy_task_refuses_a_run,
            claiming: a_task_that_may_overlap_runs_twice,
            claiming: older_instants_than_the_newest_accounted_are_refused,
            claiming: verdicts_stand_in_the_order_of_the_claims,
            claiming: a_batch_of_a_thousand_is_claimed_and_recorded,
            claiming: an_empty_batch_is_nothing,
            claiming: a_row_number_beyond_the_originals_integers_is_gone,
            claiming: settling_tells_what_was_written,
            contention: every_fire_is_won_once_by_one_of_two_nodes,
            contention: a_task_that_may_not_overlap_is_won_for_one_of_two_instants,
            contention: claims_records_and_reaping_go_on_side_by_side,
            contention: two_migrations_at_once_both_end_well,
            recording: a_success_closes_the_row_and_frees_the_task,
            recording: a_failure_and_a_timeout_keep_their_reason,
            recording: notes_stand_in_the_open_row_until_its_outcome_comes,
            recording: an_outcome_recorded_twice_stands_both_times,
            recording: an_outcome_with_a_foreign_trace_is_refused,
            recording: a_terminal_row_never_changes,
            recording: of_two_outcomes_for_one_row_the_first_stands,
            recording: an_unknown_execution_is_not_recorded,
            recording: a_task_is_freed_when_its_last_open_run_ends,
            recording: a_refused_outcome_leaves_its_task_alone,
            recording: a_deleted_tasks_outcome_is_recorded,
            recording: any_text_comes_back_as_it_was,
            recording: our_own_writing_is_no_edit,
            logs: a_log_is_read_in_the_order_of_its_parts,
            logs: a_part_that_is_kept_already_stays_as_it_is,
            pruning: what_ended_before_goes_but_for_the_newest_fire_of_each_task,
            pruning: what_ended_later_stays,
            pruning: of_a_deleted_task_all_that_ended_before_goes,
            pruning: all_attempts_at_an_instant_stay_or_go_together,
            pruning: an_execution_whose_next_attempt_waits_stays,
            pruning: of_each_task_as_many_stay_as_are_wanted,
            pruning: a_manual_run_that_became_a_fire_stays_for_it,
            pruning: manual_runs_leave_the_newest_fire_where_it_is,
            pruning: many_go_a_hundred_at_a_time,
            pruning: logs_go_before_their_executions_and_after_them,
            pauses: a_paused_task_is_off_until_its_pause_is_over,
            pauses: who_switches_a_task_on_or_off_or_deletes_it_ends_its_pause,
            pauses: a_pause_without_end_is_ended_by_nobody,
            alarms: an_alarm_is_one_row_that_is_brought_up_to_date,
            alarms: alarms_come_in_pages_newest_first,
            alarms: the_alarms_of_a_node_that_is_gone_are_over,
            alarms: alarms_are_remembered_for_30_days,
            alarms: what_a_node_says_of_itself_stands_beside_its_heartbeat,
            people: outcomes_are_counted_by_hour_and_status,
            requests: a_request_is_claimed_once,
            requests: one_of_two_nodes_takes_a_request,
            requests: a_request_of_a_busy_task_waits,
            requests: a_request_off_the_whole_second,
            requests: two_requests_in_one_millisecond_both_run,
            requests: a_request_beside_a_fire_of_its_millisecond_runs,
            requests: a_manual_run_in_the_millisecond_of_a_fire_is_that_fire,
            requests: a_manual_run_in_the_millisecond_of_a_missed_fire_is_it_too,
            requests: a_manual_run_does_not_stand_for_a_fire,
            requests: a_request_of_a_deleted_task_is_recorded_cancelled,
            requests: a_request_of_a_disabled_task_runs_not_but_is_recorded_cancelled,
            requests: requests_of_one_task_hide_no_others,
            requests: a_reading_is_whole_up_to_the_limit_of_requests,
            requests: a_request_for_no_task_is_refused,
            requests: a_run_may_be_asked_for_with_arguments_of_its_own,
            requests: what_waits_of_a_task_is_told_and_nothing_of_others,
            retries: a_recorded_failure_lets_its_retry_wait,
            retries: an_outcome_recorded_twice_lets_one_retry_wait,
            retries: a_discarded_outcome_lets_no_retry_wait,
            retries: a_retry_is_an_execution_of_its_own_and_is_claimed_once,
            retries: one_of_two_nodes_takes_a_retry,
            retries: a_retry_of_a_busy_task_waits,
            retries: a_retry_may_be_for_an_older_instant_than_the_newest,
            retries: a_retry_of_a_manual_run_does_not_stand_for_a_fire,
            retries: a_retry_keeps_the_arguments_that_were_asked_for,
            retries: a_retry_that_cannot_run_is_recorded_cancelled,
            retries: a_retry_whose_row_somebody_wrote_by_hand_waits_no_longer,
            retries: settling_a_retry_tells_what_was_written,
            retries: retries_are_read_with_the_soonest_at_the_front,
            retries: a_lost_run_is_tried_again_where_its_row_asks_for_it,
            retries: a_lost_run_is_not_tried_again_unless_its_row_asks_for_it,
            retries: a_lost_run_is_not_tried_again_after_its_last_retry,
            retries: a_lost_row_without_an_instant_is_not_tried_again,
            retries: retries_of_one_task_hide_no_others,
            alive: a_reading_names_the_nodes_and_how_long_they_were_silent,
            alive: the_databases_clock_is_that_of_its_rows,
            alive: a_node_that_renews_keeps_its_runs,
            alive: a_dead_nodes_runs_are_lost_and_its_tasks_ready,
            alive: a_lost_run_keeps_what_its_job_noted,
            alive: nobody_is_dead_by_a_clock_that_is_later_than_agreed,
            alive: a_node_that_was_silent_for_days_is_dead,
            alive: a_node_that_never_renewed_has_one_lease_from_its_claim,
            alive: an_outcome_after_lost_is_refused,
            alive: a_task_with_another_open_run_stays_doing,
            alive: a_run_of_nobody_is_lost_after_the_lease,
            alive: a_task_set_doing_by_hand_is_healed,
            alive: a_task_with_an_open_run_is_not_healed,
            alive: a_task_that_nobody_suspects_is_left_alone,
            alive: a_node_that_left_is_remembered_and_not_among_the_living,
            edits: an_edit_is_remembered_with_its_author_and_both_texts,
            edits: an_edit_that_changes_nothing_is_not_remembered,
            edits: an_edit_of_an_older_version_changes_nothing,
            edits: of_two_edits_of_one_version_one_is_done,
            edits: an_edit_takes_no_key_of_another_row,
            edits: a_row_comes_with_those_that_share_its_key,
            edits: what_was_edited_by_sql_is_noticed_once,
            edits: edits_and_looks_for_others_do_not_mistake_each_other,
            edits: old_edits_go_but_for_the_newest_of_each_row,
            edits: the_history_comes_in_pages_newest_first,
            edits: what_was_made_by_the_program_has_no_name,
            cancels: a_reading_brings_the_wish_that_a_run_ends_until_it_has,
            cancels: nothing_ends_that_has_ended_or_never_was,
            sessions: a_session_is_found_by_its_digest_until_it_ends,
            sessions: a_session_that_has_expired_is_not_there,
            sessions: of_several_who_end_a_session_one_is_given_it,
            people: a_new_task_reads_back_as_it_was_given,
            people: a_key_is_taken_once,
            people: a_value_that_does_not_fit_is_refused_or_kept_whole,
            people: an_id_is_taken_once,
            people: an_id_never_comes_back,
            people: switching_moves_update_at_only_when_it_changes_something,
            people: a_spec_moves_update_at_only_when_it_changes_something,
            people: a_spec_that_differs_in_case_or_blanks_is_another,
            people: an_edit_of_no_task_is_refused,
            people: a_task_is_shown_with_its_newest_fire,
            people: executions_are_listed_newest_first_in_pages,
            people: around_an_instant_stand_its_attempts_the_next_and_what_ran,
            people: executions_are_filtered_by_task_and_status,
            people: executions_are_listed_from_an_instant_up_to_another,
            people: tasks_that_failed_are_counted_and_have_recovered_once_they_succeed,
            people: of_each_task_the_last_executions_are_read,
            people: an_execution_is_shown_with_its_tasks_key,
            people: an_execution_that_is_not_there_is_not_found,
            people: demo_rows_are_given_once,
            people: demo_rows_are_not_given_to_a_table_with_tasks,
            by_hand: a_second_row_with_the_same_key_harms_no_claim,
            by_hand: a_second_row_with_the_same_key_harms_no_record,
        }
    };
}

/// Hands the names of all cases that start without tables to the macro `$make`.
#[macro_export]
macro_rules! fresh_cases {
    ($make:ident) => {
        $make! {
            fresh: tables_that_were_never_migrated_are_refused,
            fresh: rows_are_read_before_the_tables_are_migrated,
            fresh: migrating_twice_is_harmless,
        }
    };
}

/// Hands the names of all cases that need SQL, on migrated, empty tables, to the macro `$make`.
#[macro_export]
macro_rules! sql_cases {
    ($make:ident) => {
        $make! {
            fresh: a_missing_unique_key_of_task_is_refused,
            fresh: a_missing_fire_key_is_refused,
            fresh: newer_tables_are_refused_and_left_alone,
            fresh: a_migration_that_was_not_noted_starts_over,
            fresh: tables_of_the_first_version_are_brought_up_and_keep_their_rows,
            fresh: a_migration_that_was_noted_as_unfinished_starts_over,
            reading: where_very_many_were_edited_all_are_read,
            by_hand: a_retry_due_beyond_all_time_is_due_at_its_end,
            by_hand: what_waits_for_an_instant_that_is_none_is_passed_over_and_named,
            by_hand: an_unreadable_value_harms_no_other_row,
            by_hand: a_null_harms_no_other_row,
            by_hand: a_null_in_is_valid_can_be_switched_on,
            by_hand: an_edit_by_hand_moves_update_at,
            by_hand: a_status_by_hand_holds_up_no_claim,
            by_hand: an_update_that_changes_nothing_is_no_edit,
            by_hand: a_row_of_the_original_is_no_fire,
            by_hand: an_open_row_of_the_original_is_lost_after_the_lease,
            by_hand: lists_reach_what_lies_far_behind,
            deadlines: a_call_that_is_dropped_leaves_nothing_open,
            plans: every_statement_is_prepared,
            plans: no_batch_statement_reads_a_whole_table,
        }
    };
}

/// How long a call of a store may take in a case that is not about deadlines: a busy machine is no failure.
const PATIENCE: Duration = Duration::from_secs(60);

/// Three handles on the same tables, and the operator.
#[derive(Debug)]
pub struct Fixture {
    /// One node's handle.
    pub store: SharedStore,
    /// Another node's; in memory the same.
    pub other: SharedStore,
    /// A third node's; in memory the same.
    pub third: SharedStore,
    /// Who edits by hand.
    pub operator: Operator,
    /// The handles once more, where they are SQL.
    pub sql: Option<Arc<SqlStore>>,
}

impl Fixture {
    /// Tables in memory.
    #[must_use]
    pub fn memory() -> Self {
        let memory = Arc::new(MemoryStore::new(clock::wall()));
        let store: SharedStore = Arc::clone(&memory) as SharedStore;
        let (other, third) = (Arc::clone(&store), Arc::clone(&store));
        Self { store, other, third, operator: Operator::Memory(memory), sql: None }
    }

    /// A database file in `folder`.
    ///
    /// # Panics
    /// When it cannot be opened.
    pub async fn sqlite(folder: &Path) -> Self {
        Self::sqlite_within(folder, PATIENCE).await
    }

    /// A database file in `folder`; each call ends within `deadline`.
    ///
    /// # Panics
    /// When it cannot be opened.
    pub async fn sqlite_within(folder: &Path, deadline: Duration) -> Self {
        let path = folder.join("scheduler.db");
        let open =
            async || Arc::new(SqlStore::sqlite(&path, deadline).await.expect("the file opens"));
        let (store, other, third) = (open().await, open().await, open().await);
        let operator = Operator::sqlite(&path).await;
        Self { sql: Some(Arc::clone(&store)), store, other, third, operator }
    }

    /// The database at `url`.
    ///
    /// # Panics
    /// When it cannot be reached.
    pub async fn mysql(url: &str) -> Self {
        Self::mysql_within(url, PATIENCE).await
    }

    /// The database at `url`; each call ends within `deadline`.
    ///
    /// # Panics
    /// When it cannot be reached.
    pub async fn mysql_within(url: &str, deadline: Duration) -> Self {
        let connect: MySqlConnectOptions = url.parse().expect("the url parses");
        let place = MysqlPlace {
            connect: connect.clone(),
            max_connections: 4,
            idle_timeout: PATIENCE,
            connect_timeout: PATIENCE,
        };
        let open = async || {
            let store = SqlStore::mysql(place.clone(), deadline).await;
            Arc::new(store.expect("the server answers"))
        };
        let (store, other, third) = (open().await, open().await, open().await);
        let operator = Operator::mysql(connect);
        Self { sql: Some(Arc::clone(&store)), store, other, third, operator }
    }

    /// All nodes, with their names.
    #[must_use]
    pub fn handles(&self) -> [(&'static str, &SharedStore); 3] {
        [("n1", &self.store), ("n2", &self.other), ("n3", &self.third)]
    }

    /// Migrates, and checks that the tables are fit to run on.
    ///
    /// # Panics
    /// When they are not.
    pub async fn migrated(self) -> Self {
        self.store.migrate().await.expect("the tables can be migrated");
        self.store.check_schema().await.expect("migrated tables are fit to run on");
        self
    }

    /// A new task under `key`: enabled, ready, spec `10`.
    pub async fn add(&self, key: &str) -> TaskId {
        self.store.add(&new_task(key)).await.expect("the key is free")
    }

    pub async fn row(&self, task: TaskId) -> TaskRow {
        let mut tasks = self.store.tasks(TaskSelection::Id(task)).await.expect("the store answers");
        tasks.pop().expect("the task exists").row
    }

    pub async fn status(&self, task: TaskId) -> String {
        self.row(task).await.status.expect("a status is text")
    }

    pub async fn claim(&self, claim: &Claim) -> Verdict {
        claim_at(&self.store, "n1", claim).await
    }

    /// Claims a run that must be won.
    pub async fn won(&self, claim: &Claim) -> ExecutionId {
        match self.claim(claim).await {
            Verdict::Won(Some(id)) => id,
            other => panic!("expected a won run, got {other:?}"),
        }
    }

    #[track_caller]
    fn refused(verdict: &Verdict, expected: &Refusal) {
        assert_eq!(*verdict, Verdict::Refused(*expected));
    }

    /// Records one outcome.
    pub async fn record(&self, outcome: &Outcome) -> bool {
        let recorded = self.store.record(std::slice::from_ref(outcome)).await;
        recorded.expect("the store answers")[0] == Recorded::Stands
    }

    pub async fn execution(&self, id: ExecutionId) -> ExecutionRow {
        self.store.execution(id).await.expect("the execution exists")
    }

    /// All executions, oldest first.
    pub async fn executions(&self) -> Vec<ExecutionRow> {
        let filter = ExecutionFilter::newest(100_000);
        let mut rows = self.store.executions(filter).await.expect("the store answers");
        rows.reverse();
        rows
    }

    /// Makes all that happened so far a day older, so that `update_at`, which has whole seconds, shows a change
    /// at once, and yields the task's.
    async fn backdate(&self, task: TaskId) -> Option<DateTime<Utc>> {
        self.operator.age(Duration::from_secs(86_400)).await;
        self.row(task).await.updated_at
    }
}

pub async fn claim_at(store: &SharedStore, node: &str, claim: &Claim) -> Verdict {
    let verdicts = store.claim(node, std::slice::from_ref(claim)).await.expect("the store answers");
    assert_eq!(verdicts.len(), 1, "one verdict per claim");
    verdicts[0].clone()
}

/// A row to be added.
fn new_task(key: &str) -> NewTask {
    NewTask::new(key, "test", "interval", "10")
}

/// An instant long after every edit that a case makes: second `secs` of 2040.
pub fn at(secs: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(2_208_988_800 + secs, 0).expect("2040 is a year that chrono knows")
}

fn trace() -> Arc<str> {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    format!("{:032x}", NEXT.fetch_add(1, Ordering::Relaxed)).into()
}

fn entry(scheduled_at: DateTime<Utc>, status: Status) -> Entry {
    let extra =
        if status == Status::Todo { "{}".to_owned() } else { r#"{"reason":"late"}"#.to_owned() };
    Entry { scheduled_at, trace_id: trace(), status, attempt: 1, extra }
}

/// The claim of a run at `scheduled_at`.
pub fn run_of(task_id: TaskId, scheduled_at: DateTime<Utc>) -> Claim {
    Claim {
        task_id,
        spec: "10".into(),
        first: scheduled_at,
        limit: Some(1),
        origin: Origin::Schedule,
        entries: vec![entry(scheduled_at, Status::Todo)],
    }
}

/// The claim of a record that nothing ran at `scheduled_at`.
fn note_of(task_id: TaskId, scheduled_at: DateTime<Utc>, status: Status) -> Claim {
    Claim { entries: vec![entry(scheduled_at, status)], ..run_of(task_id, scheduled_at) }
}

/// The outcome of the run that `claim` won as `execution_id`.
pub fn outcome(execution_id: ExecutionId, claim: &Claim, status: Status) -> Outcome {
    let entry = claim.entries.last().expect("a claim has an entry");
    Outcome {
        execution_id,
        task_id: claim.task_id,
        trace_id: Arc::clone(&entry.trace_id),
        status,
        extra: "{}".to_owned(),
        started_at: Some(entry.scheduled_at + TimeDelta::milliseconds(5)),
        finished_at: entry.scheduled_at + TimeDelta::milliseconds(1_234),
        retry: None,
    }
}

/// The text of the error that the tables must be refused with.
async fn schema_error(store: &SharedStore) -> String {
    match store.check_schema().await {
        Err(StoreError::Schema(text)) => text,
        other => panic!("expected unfit tables, got {other:?}"),
    }
}
