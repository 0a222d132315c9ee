-- Runs that are to be tried again, each under the fire it belongs to.
CREATE TABLE IF NOT EXISTS scheduler_retry (
  task_id INTEGER NOT NULL,
  scheduled_at INTEGER NOT NULL,
  attempt INTEGER NOT NULL,
  due_at INTEGER NOT NULL,
  PRIMARY KEY (task_id, scheduled_at, attempt)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS ix__scheduler_retry__due ON scheduler_retry (due_at);
