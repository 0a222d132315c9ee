-- Who edited which row of `task`, and what it said before and afterwards.
CREATE TABLE IF NOT EXISTS `scheduler_edit` (
  `id` bigint NOT NULL AUTO_INCREMENT,
  `task_id` bigint NOT NULL,
  `edited_at` bigint NOT NULL,
  `author` varchar(191) NOT NULL,
  `via` varchar(16) NOT NULL,
  `action` varchar(16) NOT NULL,
  `row_before` mediumtext NULL,
  `row_after` mediumtext NULL,
  PRIMARY KEY (`id`),
  INDEX `ix__scheduler_edit__task` (`task_id`, `id`)
) ENGINE = InnoDB CHARACTER SET = utf8mb4 COLLATE = utf8mb4_bin;
