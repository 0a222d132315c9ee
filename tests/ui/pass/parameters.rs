//! Every way to write the parameters.

use scheduler_core::anyhow::ensure;
use scheduler_core::{Args, Context, JobResult, job};
use serde::Deserialize;
use serde_json::{Value, json};

#[job("borrowed key")]
async fn borrowed_key(task_key: &str, args: Args, ctx: Context) -> JobResult {
    ensure!(task_key == "the key", "task_key is {task_key:?}");
    ensure!(args.iter().eq(["1", "two"]), "args are {args:?}");
    ensure!(ctx.sub_task_id() == 812, "ctx is {ctx:?}");
    Ok(())
}

#[job("owned key")]
async fn owned_key(mut task_key: String, _: Args, _: Context) -> JobResult {
    task_key.push('!');
    ensure!(task_key == "the key!", "task_key is {task_key:?}");
    Ok(())
}

type Values = scheduler_core::Args;

mod renamed {
    pub(super) use scheduler_core::Context as Run;
}

#[job("renamed types")]
async fn renamed_types(task_key: &'_ str, args: Values, ctx: renamed::Run) -> JobResult {
    borrowed_key(task_key, args, ctx).await
}

/// Bears the name of a variable in the expansion.
#[job("args")]
async fn args(task_key: &str, args: Args, context: Context) -> JobResult {
    borrowed_key(task_key, args, context).await
}

#[job("no args")]
async fn no_args(_: &str, (): (), _: Context) {}

#[job("one number")]
async fn one_number(_: &str, number: i64, _: Context) -> JobResult {
    ensure!(number == 7, "number is {number}");
    Ok(())
}

#[job("optional text")]
async fn optional_text(_: &str, text: Option<String>, _: Context) -> JobResult {
    ensure!(text.is_none(), "text is {text:?}");
    Ok(())
}

#[job("list")]
async fn list(_: &str, values: Vec<String>, _: Context) -> JobResult {
    ensure!(values == ["1", "two"], "values are {values:?}");
    Ok(())
}

/// A parameter is a pattern, so a tuple can be taken apart where it stands.
#[job("tuple")]
async fn tuple(
    _: &str,
    (count, name, note): (u8, String, Option<String>),
    _: Context,
) -> JobResult {
    ensure!((count, name.as_str(), note) == (1, "two", None), "count is {count}, name is {name}");
    Ok(())
}

#[job("json")]
async fn json(_: &str, value: Value, _: Context) -> JobResult {
    ensure!(value == json!([1, "two"]), "value is {value}");
    Ok(())
}

#[derive(Debug, PartialEq, Deserialize)]
struct Report {
    copies: u8,
    to: String,
    #[serde(default)]
    paper: Paper,
}

#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Paper {
    #[default]
    Plain,
    Glossy,
}

#[job("struct")]
async fn structure(_: &str, report: Report, _: Context) -> JobResult {
    let expected = Report { copies: 1, to: "two".to_owned(), paper: Paper::Plain };
    ensure!(report == expected, "report is {report:?}");
    Ok(())
}

#[job("enum")]
async fn enumeration(_: &str, paper: Paper, _: Context) -> JobResult {
    ensure!(paper == Paper::Glossy, "paper is {paper:?}");
    Ok(())
}
