-- Runs that are to be tried again, each under the fire it belongs to.
CREATE TABLE IF NOT EXISTS `scheduler_retry` (
  `task_id` bigint NOT NULL,
  `scheduled_at` bigint NOT NULL,
  `attempt` int NOT NULL,
  `due_at` bigint NOT NULL,
  PRIMARY KEY (`task_id`, `scheduled_at`, `attempt`),
  INDEX `ix__scheduler_retry__due` (`due_at`)
) ENGINE = InnoDB CHARACTER SET = utf8mb4 COLLATE = utf8mb4_bin;
