-- Until when a task was paused, and why. The table is made anew, since a column cannot be added twice, and every migration
-- may run again; no id is given a second time.
CREATE TABLE scheduler_edit_with_pause (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  task_id INTEGER NOT NULL,
  edited_at INTEGER NOT NULL,
  author TEXT NOT NULL,
  via TEXT NOT NULL,
  action TEXT NOT NULL,
  row_before TEXT,
  row_after TEXT,
  pause_until INTEGER,
  pause_reason TEXT
);
INSERT INTO scheduler_edit_with_pause (id, task_id, edited_at, author, via, action, row_before, row_after)
SELECT id, task_id, edited_at, author, via, action, row_before, row_after FROM scheduler_edit;
DELETE FROM sqlite_sequence WHERE name = 'scheduler_edit_with_pause';
INSERT INTO sqlite_sequence (name, seq)
SELECT 'scheduler_edit_with_pause', seq FROM sqlite_sequence WHERE name = 'scheduler_edit';
DROP TABLE scheduler_edit;
ALTER TABLE scheduler_edit_with_pause RENAME TO scheduler_edit;
CREATE INDEX IF NOT EXISTS ix__scheduler_edit__task ON scheduler_edit (task_id, id);
