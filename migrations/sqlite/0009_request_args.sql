-- Arguments of a manual run in place of those of its task. The table is made anew, since a column cannot be added twice,
-- and every migration may run again; no id is given a second time.
CREATE TABLE scheduler_request_with_args (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  task_id INTEGER NOT NULL,
  requested_at INTEGER NOT NULL,
  args TEXT
);
INSERT INTO scheduler_request_with_args (id, task_id, requested_at)
SELECT id, task_id, requested_at FROM scheduler_request;
DELETE FROM sqlite_sequence WHERE name = 'scheduler_request_with_args';
INSERT INTO sqlite_sequence (name, seq)
SELECT 'scheduler_request_with_args', seq FROM sqlite_sequence WHERE name = 'scheduler_request';
DROP TABLE scheduler_request;
ALTER TABLE scheduler_request_with_args RENAME TO scheduler_request;
