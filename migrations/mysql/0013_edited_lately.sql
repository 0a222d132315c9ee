-- Rows that were edited lately, found without reading the others.
SET @alter = IF(
  EXISTS (SELECT 1 FROM information_schema.statistics WHERE table_schema = DATABASE()
          AND table_name = 'task' AND index_name = 'ix__task__update_at'),
  'DO 0',
  'ALTER TABLE `task` ADD INDEX `ix__task__update_at` (`update_at`)'
);
PREPARE alter_task FROM @alter;
EXECUTE alter_task;
DEALLOCATE PREPARE alter_task;
