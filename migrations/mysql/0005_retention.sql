-- Whether the tables were there, and filled, before we came: of such a database nothing is removed unless it is asked for.
INSERT IGNORE INTO scheduler_meta (name, value)
SELECT 'made_new', '1' FROM DUAL
WHERE NOT EXISTS (SELECT 1 FROM execute_task) AND NOT EXISTS (SELECT 1 FROM task);
