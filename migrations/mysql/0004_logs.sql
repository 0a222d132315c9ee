-- What runs log, kept beside their executions in parts of whole lines.
CREATE TABLE IF NOT EXISTS `scheduler_log` (
  `execution_id` bigint NOT NULL,
  `part` int NOT NULL,
  `content` mediumtext NOT NULL,
  PRIMARY KEY (`execution_id`, `part`)
) ENGINE = InnoDB CHARACTER SET = utf8mb4 COLLATE = utf8mb4_bin;
