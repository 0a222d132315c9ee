-- Who edited which row of `task`, and what it said before and afterwards.
CREATE TABLE IF NOT EXISTS scheduler_edit (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  task_id INTEGER NOT NULL,
  edited_at INTEGER NOT NULL,
  author TEXT NOT NULL,
  via TEXT NOT NULL,
  action TEXT NOT NULL,
  row_before TEXT,
  row_after TEXT
);
CREATE INDEX IF NOT EXISTS ix__scheduler_edit__task ON scheduler_edit (task_id, id);
