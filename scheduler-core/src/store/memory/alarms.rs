//! [`Alarms`] in memory.

use async_trait::async_trait;

use super::MemoryStore;
use crate::{
    plan::alarm::Alarm,
    store::{
        AlarmFilter, AlarmId, AlarmRow, Alarms, StoreError,
        alarms::{GONE, REMEMBERED},
    },
};

#[async_trait]
impl Alarms for MemoryStore {
    async fn keep_alarms(&self, node: &str, alarms: &[Alarm]) -> Result<(), StoreError> {
        let mut tables = self.tables();
        for alarm in alarms {
            let (rule, began_at) = (alarm.rule.to_string(), Some(alarm.began_at));
            let is_it = |row: &&mut AlarmRow| {
                (&*row.node_id, &row.rule, &*row.about) == (node, &rule, &alarm.about)
                    && row.began_at == began_at
            };
            let known = tables.alarms.iter_mut().find(is_it);
            if let Some(row) = known {
                (row.last_at, row.ended_at) = (Some(alarm.last_at), alarm.ended_at);
                (row.count, row.text) = (alarm.count, alarm.text.clone());
            } else {
                tables.last_alarm += 1;
                let row = AlarmRow {
                    id: tables.last_alarm,
                    node_id: node.to_owned(),
                    rule,
                    about: alarm.about.to_string(),
                    began_at,
                    last_at: Some(alarm.last_at),
                    ended_at: alarm.ended_at,
                    count: alarm.count,
                    text: alarm.text.clone(),
                };
                tables.alarms.push(row);
            }
        }
        Ok(())
    }

    async fn alarms(&self, filter: AlarmFilter) -> Result<Vec<AlarmRow>, StoreError> {
        let AlarmFilter { is_open, before, limit } = filter;
        let before = before.unwrap_or(AlarmId::MAX);
        let tables = self.tables();
        let found = tables.alarms.iter().rev();
        let found = found.filter(|row| row.id < before && (row.ended_at.is_none() || !is_open));
        Ok(found.take(limit as usize).cloned().collect())
    }

    async fn forget_alarms(&self) -> Result<(), StoreError> {
        let mut tables = self.tables();
        let tables = &mut *tables;
        let heard_of = |node: &&str| {
            let node = tables.nodes.get(*node).filter(|node| node.left_at.is_none());
            node.is_some_and(|node| tables.now - node.heartbeat_at < GONE)
        };
        for row in tables.alarms.iter_mut().filter(|row| row.ended_at.is_none()) {
            if !heard_of(&&*row.node_id) {
                row.ended_at = row.last_at;
            }
        }
        let remembered = tables.now - REMEMBERED;
        tables.alarms.retain(|row| row.ended_at.is_none_or(|ended_at| ended_at >= remembered));
        let nodes = &tables.nodes;
        tables.cards.retain(|node, _| nodes.contains_key(node));
        Ok(())
    }

    async fn put_card(&self, node: &str, card: &str) -> Result<(), StoreError> {
        self.tables().cards.insert(node.to_owned(), card.to_owned());
        Ok(())
    }
}
