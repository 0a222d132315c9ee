-- People who have logged in, by the digest of what their browser shows; and links by which one logs in once.
CREATE TABLE IF NOT EXISTS `scheduler_session` (
  `digest` char(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  `content` text NOT NULL,
  `expires_at` bigint NOT NULL,
  PRIMARY KEY (`digest`)
) ENGINE = InnoDB CHARACTER SET = utf8mb4 COLLATE = utf8mb4_bin;
