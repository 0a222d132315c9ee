-- A node that left in order, or died, is remembered: it tells why an instant was missed.
SET @alter = IF(
  EXISTS (SELECT 1 FROM information_schema.columns WHERE table_schema = DATABASE()
          AND table_name = 'scheduler_node' AND column_name = 'left_at'),
  'DO 0',
  'ALTER TABLE `scheduler_node`
     ADD COLUMN `left_at` bigint NULL,
     ADD INDEX `ix__scheduler_node__heartbeat` (`heartbeat_at`)'
);
PREPARE alter_scheduler_node FROM @alter;
EXECUTE alter_scheduler_node;
DEALLOCATE PREPARE alter_scheduler_node;
