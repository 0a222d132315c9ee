-- What nodes found to be wrong, for the page.
CREATE TABLE IF NOT EXISTS `scheduler_alarm` (
  `id` bigint NOT NULL AUTO_INCREMENT,
  `node_id` varchar(191) NOT NULL,
  `rule` varchar(16) NOT NULL,
  `about` varchar(255) NOT NULL,
  `began_at` bigint NOT NULL,
  `last_at` bigint NOT NULL,
  `ended_at` bigint NULL,
  `count` bigint NOT NULL,
  `content` text NOT NULL,
  PRIMARY KEY (`id`),
  UNIQUE KEY `uq__scheduler_alarm` (`node_id`, `rule`, `about`, `began_at`),
  KEY `ix__scheduler_alarm__ended_at` (`ended_at`, `id`)
) ENGINE = InnoDB CHARACTER SET = utf8mb4 COLLATE = utf8mb4_bin;

-- What each node says of itself: a JSON object.
CREATE TABLE IF NOT EXISTS `scheduler_node_card` (
  `node_id` varchar(191) NOT NULL,
  `content` mediumtext NOT NULL,
  PRIMARY KEY (`node_id`)
) ENGINE = InnoDB CHARACTER SET = utf8mb4 COLLATE = utf8mb4_bin;
