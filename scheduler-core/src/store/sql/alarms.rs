//! [`Alarms`] on SQL.

use async_trait::async_trait;
use serde::Serialize;

use super::{
    SqlStore,
    connection::{Bind, Cell},
    epoch_ms, from_ms, json, read_only, write_alone,
};
use crate::{
    plan::alarm::Alarm,
    store::{
        AlarmFilter, AlarmRow, Alarms, StoreError,
        alarms::{GONE, REMEMBERED},
    },
};

#[derive(Serialize)]
struct AlarmJson<'a> {
    rule: String,
    about: &'a str,
    began_at: i64,
    last_at: i64,
    ended_at: Option<i64>,
    count: u64,
    content: &'a str,
}

impl<'a> From<&'a Alarm> for AlarmJson<'a> {
    fn from(alarm: &'a Alarm) -> Self {
        Self {
            rule: alarm.rule.to_string(),
            about: &alarm.about,
            began_at: epoch_ms(alarm.began_at),
            last_at: epoch_ms(alarm.last_at),
            ended_at: alarm.ended_at.map(epoch_ms),
            count: alarm.count,
            content: &alarm.text,
        }
    }
}

#[async_trait]
impl Alarms for SqlStore {
    async fn keep_alarms(&self, node: &str, alarms: &[Alarm]) -> Result<(), StoreError> {
        let rows = json(&alarms.iter().map(AlarmJson::from).collect::<Vec<_>>());
        write_alone!(self, "keeping alarms", self.sql.keep_alarms, &[node.into(), (&rows).into()])
    }

    async fn alarms(&self, filter: AlarmFilter) -> Result<Vec<AlarmRow>, StoreError> {
        let AlarmFilter { is_open, before, limit } = filter;
        let sql = if is_open { self.sql.open_alarms } else { self.sql.list_alarms };
        let binds: [Bind<'_>; 2] = [before.unwrap_or(i64::MAX).into(), i64::from(limit).into()];
        let rows = read_only!(self, "reading alarms", connection => connection.fetch(sql, &binds))?;
        Ok(rows.iter().map(|row| alarm_row(row)).collect())
    }

    async fn forget_alarms(&self) -> Result<(), StoreError> {
        let [gone, remembered] = [GONE, REMEMBERED].map(|span| span.num_milliseconds());
        write_alone!(self, "ending alarms", self.sql.end_alarms, &[gone.into()])?;
        write_alone!(self, "forgetting alarms", self.sql.forget_alarms, &[remembered.into()])?;
        write_alone!(self, "forgetting nodes", self.sql.forget_cards, &[])
    }

    async fn put_card(&self, node: &str, card: &str) -> Result<(), StoreError> {
        write_alone!(
            self,
            "saying how this node fares",
            self.sql.put_card,
            &[node.into(), card.into()]
        )
    }
}

/// From `id, node_id, rule, about, began_at, last_at, ended_at, count, content`.
fn alarm_row(cells: &[Cell]) -> AlarmRow {
    AlarmRow {
        id: cells[0].int().unwrap_or_default(),
        node_id: cells[1].to_lossy(),
        rule: cells[2].to_lossy(),
        about: cells[3].to_lossy(),
        began_at: from_ms(&cells[4]),
        last_at: from_ms(&cells[5]),
        ended_at: from_ms(&cells[6]),
        count: cells[7].int().and_then(|count| u64::try_from(count).ok()).unwrap_or_default(),
        text: cells[8].to_lossy(),
    }
}
