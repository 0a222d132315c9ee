-- Rows that were edited lately, found without reading the others.
CREATE INDEX IF NOT EXISTS ix__task__update_at ON task (update_at);
