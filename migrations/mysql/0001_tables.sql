-- The original's two tables as its users have them, and ours beside them. Every statement may run again: MySQL
-- commits each change of a table at once, so an interrupted migration starts over.
CREATE TABLE IF NOT EXISTS `task` (
  `id` int(11) NOT NULL AUTO_INCREMENT,
  `task_key` varchar(255) NOT NULL,
  `desc` varchar(255) NOT NULL,
  `execute_func` varchar(255) NOT NULL,
  `trigger` varchar(255) NOT NULL,
  `spec` varchar(255) NOT NULL,
  `args` varchar(255) NOT NULL DEFAULT '',
  `is_valid` int(11) NOT NULL,
  `status` varchar(255) NOT NULL,
  `extra` text NOT NULL DEFAULT ('{}'),
  `create_at` timestamp(0) NOT NULL DEFAULT CURRENT_TIMESTAMP(0),
  `update_at` timestamp(0) NOT NULL DEFAULT CURRENT_TIMESTAMP(0) ON UPDATE CURRENT_TIMESTAMP(0),
  PRIMARY KEY (`id`),
  UNIQUE INDEX `ux__task__task_key_status` (`task_key`, `status`)
) ENGINE = InnoDB CHARACTER SET = utf8mb4 COLLATE = utf8mb4_general_ci;

CREATE TABLE IF NOT EXISTS `execute_task` (
  `id` int(11) NOT NULL AUTO_INCREMENT,
  `task_id` int(11) NOT NULL,
  `status` varchar(255) NOT NULL,
  `extra` text NOT NULL DEFAULT ('{}'),
  `trace_id` varchar(255) NOT NULL,
  `create_at` timestamp(0) NOT NULL DEFAULT CURRENT_TIMESTAMP(0),
  `update_at` timestamp(0) NOT NULL DEFAULT CURRENT_TIMESTAMP(0) ON UPDATE CURRENT_TIMESTAMP(0),
  PRIMARY KEY (`id`)
) ENGINE = InnoDB CHARACTER SET = utf8mb4 COLLATE = utf8mb4_general_ci;

-- One ALTER, so that the columns and keys come together or not at all. `id` becomes BIGINT: at a thousand
-- fires a second an int(11) lasts 24 days. The fire key decides who runs a fire.
SET @alter = IF(
  EXISTS (SELECT 1 FROM information_schema.columns WHERE table_schema = DATABASE()
          AND table_name = 'execute_task' AND column_name = 'scheduled_at'),
  'DO 0',
  'ALTER TABLE `execute_task`
     MODIFY COLUMN `id` bigint NOT NULL AUTO_INCREMENT,
     ADD COLUMN `scheduled_at` bigint NULL,
     ADD COLUMN `attempt` int NOT NULL DEFAULT 1,
     ADD COLUMN `source` varchar(16) NOT NULL DEFAULT ''schedule'',
     ADD COLUMN `node_id` varchar(191) NULL,
     ADD COLUMN `started_at` bigint NULL,
     ADD COLUMN `finished_at` bigint NULL,
     ADD UNIQUE INDEX `ux__execute_task__fire` (`task_id`, `scheduled_at`, `attempt`),
     ADD INDEX `ix__execute_task__status` (`status`, `task_id`)'
);
PREPARE alter_execute_task FROM @alter;
EXECUTE alter_execute_task;
DEALLOCATE PREPARE alter_execute_task;

CREATE TABLE IF NOT EXISTS `scheduler_node` (
  `node_id` varchar(191) NOT NULL,
  `started_at` bigint NOT NULL,
  `heartbeat_at` bigint NOT NULL,
  PRIMARY KEY (`node_id`)
) ENGINE = InnoDB CHARACTER SET = utf8mb4 COLLATE = utf8mb4_bin;

-- Manual runs that wait.
CREATE TABLE IF NOT EXISTS `scheduler_request` (
  `id` bigint NOT NULL AUTO_INCREMENT,
  `task_id` bigint NOT NULL,
  `requested_at` bigint NOT NULL,
  PRIMARY KEY (`id`)
) ENGINE = InnoDB CHARACTER SET = utf8mb4 COLLATE = utf8mb4_bin;

CREATE TABLE IF NOT EXISTS `scheduler_meta` (
  `name` varchar(64) NOT NULL,
  `value` varchar(255) NOT NULL,
  PRIMARY KEY (`name`)
) ENGINE = InnoDB CHARACTER SET = utf8mb4 COLLATE = utf8mb4_bin;

INSERT IGNORE INTO `scheduler_meta` (`name`, `value`)
VALUES ('adopted_at', CAST(CAST(UNIX_TIMESTAMP(NOW(3)) * 1000 AS SIGNED) AS CHAR));
