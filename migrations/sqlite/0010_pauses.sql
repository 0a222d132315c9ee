-- Tasks that are off for a while: why, since when, and until when, if that is known.
CREATE TABLE IF NOT EXISTS scheduler_pause (
  task_id INTEGER PRIMARY KEY,
  paused_at INTEGER NOT NULL,
  until INTEGER,
  reason TEXT NOT NULL,
  author TEXT NOT NULL
);

-- Lists of what did not succeed; what does never enters it.
CREATE INDEX IF NOT EXISTS ix__execute_task__status ON execute_task (status, id)
WHERE status <> 'success' AND status <> 'todo';
