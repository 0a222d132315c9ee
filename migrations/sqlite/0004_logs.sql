-- What runs log, kept beside their executions in parts of whole lines.
CREATE TABLE IF NOT EXISTS scheduler_log (
  execution_id INTEGER NOT NULL,
  part INTEGER NOT NULL,
  content TEXT NOT NULL,
  PRIMARY KEY (execution_id, part)
);
