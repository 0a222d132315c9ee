-- The original's two tables, and ours beside them. AUTOINCREMENT: a deleted task's id never comes back, so
-- its executions can never be taken for another's.
CREATE TABLE IF NOT EXISTS task (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  task_key TEXT NOT NULL,
  "desc" TEXT NOT NULL,
  execute_func TEXT NOT NULL,
  "trigger" TEXT NOT NULL,
  spec TEXT NOT NULL,
  args TEXT NOT NULL DEFAULT '',
  is_valid INTEGER NOT NULL,
  status TEXT NOT NULL,
  extra TEXT NOT NULL DEFAULT '{}',
  create_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP,
  update_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP
);
CREATE UNIQUE INDEX IF NOT EXISTS ux__task__task_key_status ON task (task_key, status);

-- What ON UPDATE CURRENT_TIMESTAMP does on MySQL: a plain UPDATE by hand is an edit. `status` is not among the
-- columns, since the scheduler itself moves it.
CREATE TRIGGER IF NOT EXISTS tr__task__update_at
AFTER UPDATE OF task_key, "desc", execute_func, "trigger", spec, args, is_valid, extra, create_at ON task
WHEN OLD.update_at IS NEW.update_at
  AND (OLD.task_key, OLD."desc", OLD.execute_func, OLD."trigger", OLD.spec, OLD.args, OLD.is_valid, OLD.extra, OLD.create_at)
  IS NOT (NEW.task_key, NEW."desc", NEW.execute_func, NEW."trigger", NEW.spec, NEW.args, NEW.is_valid, NEW.extra, NEW.create_at)
BEGIN
  UPDATE task SET update_at = CURRENT_TIMESTAMP WHERE id = NEW.id;
END;

CREATE TABLE IF NOT EXISTS execute_task (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  task_id INTEGER NOT NULL,
  status TEXT NOT NULL,
  extra TEXT NOT NULL DEFAULT '{}',
  trace_id TEXT NOT NULL,
  create_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP,
  update_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP,
  scheduled_at INTEGER,
  attempt INTEGER NOT NULL DEFAULT 1,
  source TEXT NOT NULL DEFAULT 'schedule',
  node_id TEXT,
  started_at INTEGER,
  finished_at INTEGER
);
-- One fire, one row: this key decides who runs it.
CREATE UNIQUE INDEX IF NOT EXISTS ux__execute_task__fire ON execute_task (task_id, scheduled_at, attempt);
CREATE INDEX IF NOT EXISTS ix__execute_task__open ON execute_task (task_id) WHERE status = 'todo';

CREATE TABLE IF NOT EXISTS scheduler_node (
  node_id TEXT PRIMARY KEY,
  started_at INTEGER NOT NULL,
  heartbeat_at INTEGER NOT NULL
);
-- Manual runs that wait.
CREATE TABLE IF NOT EXISTS scheduler_request (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  task_id INTEGER NOT NULL,
  requested_at INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS scheduler_meta (
  name TEXT PRIMARY KEY,
  value TEXT NOT NULL
);
INSERT OR IGNORE INTO scheduler_meta (name, value)
VALUES ('adopted_at', CAST(CAST(unixepoch('subsec') * 1000 AS INTEGER) AS TEXT));
