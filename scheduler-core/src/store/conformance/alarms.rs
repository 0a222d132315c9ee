//! What nodes found to be wrong, and what they say of themselves.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};

use super::Fixture;
use crate::{
    plan::alarm::{Alarm, Rule},
    store::{AlarmFilter, AlarmRow},
};

fn of(rule: Rule, about: &str, began_at: DateTime<Utc>) -> Alarm {
    Alarm {
        rule,
        about: Arc::from(about),
        began_at,
        last_at: began_at,
        count: 1,
        text: "3 次 \"failed\"".to_owned(),
        ended_at: None,
    }
}

impl Fixture {
    /// By the database's clock, in whole milliseconds.
    async fn days_ago(&self, days: i64) -> DateTime<Utc> {
        let at = self.store.now().await.unwrap() - TimeDelta::days(days);
        DateTime::from_timestamp_millis(at.timestamp_millis()).unwrap()
    }

    async fn keep(&self, node: &str, alarms: &[Alarm]) {
        self.store.keep_alarms(node, alarms).await.unwrap();
    }

    async fn alarms(&self, is_open: bool) -> Vec<AlarmRow> {
        let filter = AlarmFilter { is_open, before: None, limit: 100 };
        self.other.alarms(filter).await.unwrap()
    }

    /// About what.
    async fn known(&self, is_open: bool) -> Vec<String> {
        self.alarms(is_open).await.into_iter().map(|row| row.about).collect()
    }
}

pub async fn an_alarm_is_one_row_that_is_brought_up_to_date(fixture: &Fixture) {
    let began_at = fixture.days_ago(0).await;
    let alarm = of(Rule::Failing, "每日报表", began_at);
    fixture.keep("n1", std::slice::from_ref(&alarm)).await;
    let last_at = began_at + TimeDelta::seconds(5);
    let goes_on = Alarm { last_at, count: 2, text: "4".to_owned(), ..alarm.clone() };
    fixture.keep("n1", &[goes_on]).await;
    let [row] = &fixture.alarms(true).await[..] else { panic!("one") };
    assert_eq!((&*row.node_id, &*row.rule, &*row.about), ("n1", "failing", "每日报表"));
    assert_eq!((row.began_at, row.last_at, row.ended_at), (Some(began_at), Some(last_at), None));
    assert_eq!((row.count, &*row.text), (2, "4"));
    fixture.keep("n1", &[Alarm { ended_at: Some(last_at), ..alarm.clone() }]).await;
    assert_eq!(fixture.known(true).await, [""; 0]);
    let [row] = &fixture.alarms(false).await[..] else { panic!("one") };
    assert_eq!((row.ended_at, &*row.text), (Some(last_at), "3 次 \"failed\""));
    // What another node finds is another, as is what is found again.
    fixture.keep("n2", std::slice::from_ref(&alarm)).await;
    fixture.keep("n1", &[Alarm { began_at: last_at, ..alarm }]).await;
    assert_eq!(fixture.alarms(false).await.len(), 3);
    fixture.keep("n1", &[]).await;
}

pub async fn alarms_come_in_pages_newest_first(fixture: &Fixture) {
    let now = fixture.days_ago(0).await;
    let all: Vec<_> = ["a", "b", "c"].map(|about| of(Rule::Overdue, about, now)).into();
    for alarm in &all {
        fixture.keep("n1", std::slice::from_ref(alarm)).await;
    }
    fixture.keep("n1", &[Alarm { ended_at: Some(now), ..all[1].clone() }]).await;
    let page = async |is_open, before| {
        let filter = AlarmFilter { is_open, before, limit: 2 };
        fixture.store.alarms(filter).await.unwrap()
    };
    let about = |rows: &[AlarmRow]| rows.iter().map(|row| row.about.clone()).collect::<Vec<_>>();
    let first = page(false, None).await;
    assert_eq!(about(&first), ["c", "b"]);
    assert_eq!(about(&page(false, Some(first[1].id)).await), ["a"]);
    assert_eq!(about(&page(true, None).await), ["c", "a"]);
    assert_eq!(about(&page(true, Some(first[0].id)).await), ["a"]);
}

pub async fn the_alarms_of_a_node_that_is_gone_are_over(fixture: &Fixture) {
    let now = fixture.days_ago(0).await;
    for node in ["n1", "n2"] {
        fixture.store.renew(node).await.unwrap();
    }
    fixture.store.leave("n2").await.unwrap();
    for node in ["n1", "n2", "n3"] {
        fixture.keep(node, &[of(Rule::Clock, node, now)]).await;
    }
    fixture.other.forget_alarms().await.unwrap();
    assert_eq!(fixture.known(true).await, ["n1"]);
    let rows = fixture.alarms(false).await;
    let ended = |row: &AlarmRow| (row.about.clone(), row.ended_at);
    let expected = [("n3", Some(now)), ("n2", Some(now)), ("n1", None)];
    assert_eq!(
        rows.iter().map(ended).collect::<Vec<_>>(),
        expected.map(|(about, at)| (about.to_owned(), at))
    );
}

pub async fn alarms_are_remembered_for_30_days(fixture: &Fixture) {
    fixture.store.renew("n1").await.unwrap();
    let (old, older) = (fixture.days_ago(29).await, fixture.days_ago(31).await);
    let over = |about, at| Alarm { ended_at: Some(at), ..of(Rule::Failing, about, older) };
    let goes_on = of(Rule::Failing, "goes on", older);
    fixture.keep("n1", &[over("old", old), over("older", older), goes_on]).await;
    fixture.store.forget_alarms().await.unwrap();
    let mut known = fixture.known(false).await;
    known.sort_unstable();
    assert_eq!(known, ["goes on", "old"]);
}

pub async fn what_a_node_says_of_itself_stands_beside_its_heartbeat(fixture: &Fixture) {
    for node in ["n1", "n2"] {
        fixture.store.renew(node).await.unwrap();
    }
    for card in ["{}", r#"{"jobs":["每日报表"]}"#] {
        fixture.store.put_card("n1", card).await.unwrap();
    }
    fixture.store.put_card("n3", "{}").await.unwrap();
    fixture.store.forget_alarms().await.unwrap();
    let [n1, n2] = fixture.nodes_by_id().await;
    assert_eq!(n1.card.as_deref(), Some(r#"{"jobs":["每日报表"]}"#));
    assert_eq!(n2.card, None);
    // What was said by one that is not known is forgotten.
    fixture.store.renew("n3").await.unwrap();
    let nodes = fixture.store.nodes().await.unwrap();
    let n3 = nodes.iter().find(|node| node.id == "n3").unwrap();
    assert_eq!(n3.card, None);
}
