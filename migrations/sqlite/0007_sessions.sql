-- People who have logged in, by the digest of what their browser shows; and links by which one logs in once.
CREATE TABLE IF NOT EXISTS scheduler_session (
  digest TEXT NOT NULL PRIMARY KEY,
  content TEXT NOT NULL,
  expires_at INTEGER NOT NULL
) WITHOUT ROWID;
