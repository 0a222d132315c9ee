-- Arguments of a manual run in place of those of its task.
SET @alter = IF(
  EXISTS (SELECT 1 FROM information_schema.columns WHERE table_schema = DATABASE()
          AND table_name = 'scheduler_request' AND column_name = 'args'),
  'DO 0',
  'ALTER TABLE `scheduler_request` ADD COLUMN `args` text NULL'
);
PREPARE alter_scheduler_request FROM @alter;
EXECUTE alter_scheduler_request;
DEALLOCATE PREPARE alter_scheduler_request;
