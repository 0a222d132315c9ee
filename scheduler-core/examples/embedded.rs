//! A scheduler as a part of another program: `cargo run -p scheduler-core --example embedded`.
#![allow(clippy::print_stdout, reason = "an example shows what it does")]

use std::time::Duration;

use scheduler_core::{App, Args, Context, JobResult, anyhow, config::Config, job, store::NewTask};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

/// What the program shares with its jobs.
struct Greetings(UnboundedSender<String>);

#[job("greet")]
async fn greet(task_key: &str, _args: Args, ctx: Context) -> JobResult {
    ctx.state::<Greetings>()?.0.send(format!("hello from {task_key}"))?;
    Ok(())
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let mut config = Config::sqlite(folder.path().join("embedded.db"));
    config.common.sync_interval = Duration::from_millis(100);
    let (sender, mut greetings) = unbounded_channel();

    let mut scheduler = App::new().state(Greetings(sender)).start(&config).await?;
    scheduler.store().add(&NewTask::new("example", "greet", "interval", "1s")).await?;
    tokio::select! {
        greeting = greetings.recv() => println!("{}", greeting.unwrap_or_default()),
        ended = scheduler.ended() => ended?,
    }
    scheduler.stop().await?;
    Ok(())
}

#[test]
fn it_greets_and_stops() {
    main().unwrap();
}
