-- Runs that somebody wants to end, until the node that has them hears of it.
CREATE TABLE IF NOT EXISTS scheduler_cancel (
  execution_id INTEGER PRIMARY KEY,
  author TEXT NOT NULL,
  requested_at INTEGER NOT NULL
);
