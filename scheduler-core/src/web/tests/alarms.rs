//! Alarms, channels and nodes by HTTP.

use std::time::Duration;

use chrono::TimeDelta;
use serde_json::json;

use super::{pages::page, *};
use crate::{
    config::{Channel, ChannelKind},
    plan::alarm::{Alarm, Rule},
    store::{Alarms as _, Desk as _, NewTask, Store as _},
};

fn alarm(rule: Rule, about: &str) -> Alarm {
    let at = DateTime::UNIX_EPOCH + TimeDelta::seconds(60);
    let text = format!("the <text> of {about}");
    Alarm { rule, about: about.into(), began_at: at, last_at: at, count: 3, text, ended_at: None }
}

/// A node that lives, with alarms about the tasks 1 `a` and 2 `billing_b`, one that is gone, a row, and the node.
async fn store() -> Arc<MemoryStore> {
    let memory = Arc::new(MemoryStore::new(DateTime::<Utc>::UNIX_EPOCH));
    for key in ["a", "billing_b"] {
        memory.add(&NewTask::new(key, "add", "interval", "5")).await.unwrap();
    }
    memory.renew("n1").await.unwrap();
    let ended_at = Some(DateTime::UNIX_EPOCH + TimeDelta::seconds(90));
    let alarms = [
        alarm(Rule::Failing, "a"),
        Alarm { ended_at, ..alarm(Rule::Overdue, "billing_b") },
        alarm(Rule::Failing, "billing_gone"),
        alarm(Rule::Rejected, "task 2"),
        alarm(Rule::Database, "n1"),
    ];
    for alarm in alarms {
        memory.keep_alarms("n1", &[alarm]).await.unwrap();
    }
    memory
}

#[tokio::test]
async fn alarms_are_listed_newest_first_for_those_for_whom_their_tasks_exist() {
    let asker = Asker::on(store().await);
    let list = async |name: &str, query: &str| {
        let list = asker.get(name, &format!("/api/v1/alarms{query}")).await.expect(200);
        let of = |alarm: &Value| {
            (alarm["about"].as_str().unwrap().to_owned(), alarm["task_id"].as_i64())
        };
        list["items"].as_array().unwrap().iter().map(of).collect::<Vec<_>>()
    };
    let expect = |all: &[(&str, Option<i64>)]| {
        all.iter().map(|(about, task)| ((*about).to_owned(), *task)).collect::<Vec<_>>()
    };
    let (node, row) = (("n1", None), ("task 2", Some(2)));
    let (gone, billing) = (("billing_gone", None), ("billing_b", Some(2)));
    let a = ("a", Some(1));
    assert_eq!(list("viewer", "").await, expect(&[node, row, gone, billing, a]));
    assert_eq!(list("viewer", "?open=true").await, expect(&[node, row, gone, a]));
    assert_eq!(list("biller", "").await, expect(&[node, row, gone, billing]));
    assert_eq!(list("viewer", "?after=2").await, expect(&[a]));
    let page = asker.get("viewer", "/api/v1/alarms?limit=2").await.expect(200);
    assert_eq!(page["next"], "4");
    let first = &page["items"][0];
    assert_eq!(
        (&first["rule"], &first["count"], &first["is_open"], &first["began_at"]),
        (&json!("database"), &json!(3), &json!(true), &json!("1970-01-01T00:01:00Z"))
    );
}

#[tokio::test]
async fn what_may_name_any_task_is_told_to_those_who_see_all() {
    let memory = Arc::new(MemoryStore::new(DateTime::<Utc>::UNIX_EPOCH));
    memory.renew("n1").await.unwrap();
    memory.keep_alarms("n1", &[alarm(Rule::NodeLost, "n2")]).await.unwrap();
    let asker = Asker::on(memory);
    for (name, count) in [("viewer", 1), ("biller", 0)] {
        let list = asker.get(name, "/api/v1/alarms").await.expect(200);
        assert_eq!(list["items"].as_array().unwrap().len(), count, "{name}: {list}");
    }
}

#[tokio::test]
async fn what_went_on_when_its_node_died_goes_on_no_longer() {
    let memory = store().await;
    let asker = Asker::on(Arc::clone(&memory) as SharedStore);
    memory.set_now(DateTime::UNIX_EPOCH + Duration::from_secs(3_600));
    let open = asker.get("viewer", "/api/v1/alarms?open=true").await.expect(200);
    assert_eq!(open["items"], json!([]));
    let all = asker.get("viewer", "/api/v1/alarms").await.expect(200);
    assert!(all["items"].as_array().unwrap().iter().all(|alarm| alarm["is_open"] == false));
}

#[tokio::test]
async fn the_page_of_alarms_tells_what_goes_on_what_is_over_and_who_is_told() {
    let asker = Asker::on(store().await);
    let text = page(&asker, "viewer", "/alarms").await;
    let (now, before) = text.split_once("Before").unwrap();
    assert!(now.contains("Keeps failing") && now.contains(r#"href="/tasks/1">a</a>"#), "{now}");
    assert!(now.contains("the &#60;text&#62; of a"), "{now}");
    assert!(before.contains("Overdue") && !now.contains("Overdue"), "{before}");
    assert!(before.contains("Nobody is told"));
    let biller = page(&asker, "biller", "/alarms").await;
    assert!(!biller.contains("the &#60;text&#62; of a<"), "{biller}");
    let overview = page(&asker, "viewer", "/").await;
    assert!(overview.contains("Database in trouble") && overview.contains("Something needs you"));
}

#[test]
fn a_channel_is_shown_without_its_address() {
    let channel = Channel {
        kind: ChannelKind::Dingtalk,
        url: "https://example.org/robot?access_token=s3cret".to_owned().into(),
        secret: None,
        mail: None,
        rules: vec![Rule::Failed, Rule::Overdue],
    };
    let sight = crate::run::ChannelSight {
        failed: Some((DateTime::UNIX_EPOCH, "429".to_owned())),
        untold: 4,
        ..crate::run::ChannelSight::default()
    };
    let view = crate::admin::ChannelView::of("ops", &channel, &sight);
    assert_eq!(
        serde_json::to_value(view).unwrap(),
        json!({"name": "ops", "kind": "dingtalk", "rules": ["failed", "overdue"], "arrived_at": null,
               "failed_at": "1970-01-01T00:00:00Z", "failure": "429", "untold": 4})
    );
}

#[tokio::test]
async fn a_node_is_shown_with_what_it_says_of_itself() {
    let memory = store().await;
    let asker = Asker::on(Arc::clone(&memory) as SharedStore);
    let nodes = async || asker.get("viewer", "/api/v1/nodes").await.expect(200);
    assert_eq!(nodes().await[0]["card"], Value::Null);
    memory.put_card("n1", "no json").await.unwrap();
    assert_eq!(nodes().await[0]["card"], Value::Null);
    // That of another version, which says less and more.
    let card =
        r#"{"version":"9.9","jobs":["add","zip"],"open":3,"max_running":10,"skew_ms":-7,"new":1}"#;
    memory.put_card("n1", card).await.unwrap();
    let node = &nodes().await[0];
    assert_eq!(
        (&node["card"]["jobs"], &node["card"]["waiting"]),
        (&json!(["add", "zip"]), &json!(0))
    );
    let text = page(&asker, "viewer", "/nodes").await;
    for part in ["3 / 10", "-7 ms", "9.9", "<code>zip</code>"] {
        assert!(text.contains(part), "{part}: {text}");
    }
}
