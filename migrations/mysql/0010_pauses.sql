-- Tasks that are off for a while: why, since when, and until when, if that is known.
CREATE TABLE IF NOT EXISTS `scheduler_pause` (
  `task_id` bigint NOT NULL,
  `paused_at` bigint NOT NULL,
  `until` bigint NULL,
  `reason` varchar(255) NOT NULL,
  `author` varchar(255) NOT NULL,
  PRIMARY KEY (`task_id`)
) ENGINE = InnoDB CHARACTER SET = utf8mb4 COLLATE = utf8mb4_bin;
