//! What `check` and `task add` say of args that do not fit their job.

use jobs as _;
use scheduler_core::{Context, job, store::NewTask};
use serde::Deserialize;
use serde_json::Value;

use crate::support::{Home, Ran, program, row};

#[job("add")]
async fn add(_task_key: &str, _summands: (i64, i64, Option<i64>), _ctx: Context) {}

#[derive(Deserialize)]
struct Report {
    _to: String,
    _copies: u8,
}

#[job("report")]
async fn report(_task_key: &str, _report: Report, _ctx: Context) {}

fn run(home: &Home, args: &[&str]) -> Ran {
    Ran::of(program::command(home, args).output().unwrap())
}

const MISFIT: &str = r#"args "1,x,3" do not fit job "add": value 2 is "x", expected i64"#;

#[test]
fn check_rejects_a_row_whose_args_do_not_fit_and_names_the_value() {
    let home = Home::migrated("");
    for (key, func, args) in [
        ("good", "add", "1,2"),
        ("misfit", "add", "1,x,3"),
        ("text", "report", "ops,300"),
        ("json", "report", r#"{"_to": 5, "_copies": 1}"#),
    ] {
        let row = row(key, func, "interval", "3600");
        home.insert_row(&NewTask { args: args.to_owned(), ..row });
    }
    let ran = run(&home, &["check", "--json"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (1, ""));
    let (_, json) = ran.stdout.split_at(ran.stdout.find('{').unwrap());
    let report: Value = serde_json::from_str(json).unwrap();
    let reasons: Vec<_> = report["tasks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|task| (task["state"].as_str().unwrap(), task["reason"].as_str()))
        .collect();
    let text = r#"args "ops,300" do not fit job "report": value 2 (_copies) is "300", expected u8"#;
    let json = r#"args "{\"_to\": 5, \"_copies\": 1}" do not fit job "report": _to is 5, expected a string"#;
    assert_eq!(
        reasons,
        [
            ("accepted", None),
            ("rejected", Some(MISFIT)),
            ("rejected", Some(text)),
            ("rejected", Some(json)),
        ]
    );
}

#[test]
fn task_add_refuses_args_that_do_not_fit_and_writes_nothing() {
    let home = Home::migrated("");
    let add = |args| {
        let common = "task add --key sum --func add --trigger interval --spec 3600";
        let common: Vec<&str> = common.split(' ').collect();
        run(&home, &[&common[..], &["--args", args]].concat())
    };
    let ran = add("1,x,3");
    assert_eq!((ran.code, ran.stderr), (1, format!("error: task \"sum\": {MISFIT}\n")));
    assert_eq!(home.json(&["task", "list"]), Value::Array(Vec::new()));
    assert_eq!(add("1,2").code, 0);
    assert_eq!(home.json(&["task", "list"])[0]["args"], "1,2");
}
