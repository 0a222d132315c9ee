-- A node that left in order, or died, is remembered: it tells why an instant was missed. The table is made anew, since
-- a column cannot be added twice, and every migration may run again.
CREATE TABLE scheduler_node_with_left_at (
  node_id TEXT PRIMARY KEY,
  started_at INTEGER NOT NULL,
  heartbeat_at INTEGER NOT NULL,
  left_at INTEGER
);
INSERT INTO scheduler_node_with_left_at (node_id, started_at, heartbeat_at)
SELECT node_id, started_at, heartbeat_at FROM scheduler_node;
DROP TABLE scheduler_node;
ALTER TABLE scheduler_node_with_left_at RENAME TO scheduler_node;
CREATE INDEX ix__scheduler_node__heartbeat ON scheduler_node (heartbeat_at);
