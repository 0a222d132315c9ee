-- Runs that somebody wants to end, until the node that has them hears of it.
CREATE TABLE IF NOT EXISTS `scheduler_cancel` (
  `execution_id` bigint NOT NULL,
  `author` varchar(191) NOT NULL,
  `requested_at` bigint NOT NULL,
  PRIMARY KEY (`execution_id`)
) ENGINE = InnoDB CHARACTER SET = utf8mb4 COLLATE = utf8mb4_bin;
