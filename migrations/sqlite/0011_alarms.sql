-- What nodes found to be wrong, for the page.
CREATE TABLE IF NOT EXISTS scheduler_alarm (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  node_id TEXT NOT NULL,
  rule TEXT NOT NULL,
  about TEXT NOT NULL,
  began_at INTEGER NOT NULL,
  last_at INTEGER NOT NULL,
  ended_at INTEGER,
  count INTEGER NOT NULL,
  content TEXT NOT NULL,
  UNIQUE (node_id, rule, about, began_at)
);
CREATE INDEX IF NOT EXISTS ix__scheduler_alarm__ended_at ON scheduler_alarm (ended_at, id);

-- What each node says of itself: a JSON object.
CREATE TABLE IF NOT EXISTS scheduler_node_card (
  node_id TEXT PRIMARY KEY,
  content TEXT NOT NULL
);
