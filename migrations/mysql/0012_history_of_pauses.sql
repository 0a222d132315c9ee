-- Until when a task was paused, and why; and lists of what ended in one way, newest first: without an index of their own
-- all of that status were sorted.
SET @alter = IF(
  EXISTS (SELECT 1 FROM information_schema.columns WHERE table_schema = DATABASE()
          AND table_name = 'scheduler_edit' AND column_name = 'pause_reason'),
  'DO 0',
  'ALTER TABLE `scheduler_edit`
     ADD COLUMN `pause_until` bigint NULL,
     ADD COLUMN `pause_reason` varchar(255) NULL'
);
PREPARE alter_scheduler_edit FROM @alter;
EXECUTE alter_scheduler_edit;
DEALLOCATE PREPARE alter_scheduler_edit;

SET @alter = IF(
  EXISTS (SELECT 1 FROM information_schema.statistics WHERE table_schema = DATABASE()
          AND table_name = 'execute_task' AND index_name = 'ix__execute_task__outcome'),
  'DO 0',
  'ALTER TABLE `execute_task` ADD INDEX `ix__execute_task__outcome` (`status`, `id`)'
);
PREPARE alter_execute_task FROM @alter;
EXECUTE alter_execute_task;
DEALLOCATE PREPARE alter_execute_task;
