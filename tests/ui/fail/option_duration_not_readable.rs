use scheduler_core::{Args, Context, JobResult, job};

#[job("send_report", timeout = "")]
async fn send_report_1(_task_key: &str, _args: Args, _ctx: Context) -> JobResult {
    Ok(())
}

#[job("send_report", timeout = "   ")]
async fn send_report_2(_task_key: &str, _args: Args, _ctx: Context) -> JobResult {
    Ok(())
}

#[job("send_report", timeout = "-5")]
async fn send_report_3(_task_key: &str, _args: Args, _ctx: Context) -> JobResult {
    Ok(())
}

#[job("send_report", timeout = "+5")]
async fn send_report_4(_task_key: &str, _args: Args, _ctx: Context) -> JobResult {
    Ok(())
}

#[job("send_report", timeout = "5.5")]
async fn send_report_5(_task_key: &str, _args: Args, _ctx: Context) -> JobResult {
    Ok(())
}

#[job("send_report", timeout = "1e3")]
async fn send_report_6(_task_key: &str, _args: Args, _ctx: Context) -> JobResult {
    Ok(())
}

#[job("send_report", timeout = "٥")]
async fn send_report_7(_task_key: &str, _args: Args, _ctx: Context) -> JobResult {
    Ok(())
}

#[job("send_report", timeout = "30 parsecs")]
async fn send_report_8(_task_key: &str, _args: Args, _ctx: Context) -> JobResult {
    Ok(())
}

#[job("send_report", timeout = "s")]
async fn send_report_9(_task_key: &str, _args: Args, _ctx: Context) -> JobResult {
    Ok(())
}

#[job("send_report", timeout = "1h30")]
async fn send_report_10(_task_key: &str, _args: Args, _ctx: Context) -> JobResult {
    Ok(())
}

#[job("send_report", timeout = "1h:30m")]
async fn send_report_11(_task_key: &str, _args: Args, _ctx: Context) -> JobResult {
    Ok(())
}

#[job("send_report", timeout = "one hour")]
async fn send_report_12(_task_key: &str, _args: Args, _ctx: Context) -> JobResult {
    Ok(())
}

#[job("send_report", timeout = ".5s")]
async fn send_report_13(_task_key: &str, _args: Args, _ctx: Context) -> JobResult {
    Ok(())
}

#[job("send_report", timeout = "1.s")]
async fn send_report_14(_task_key: &str, _args: Args, _ctx: Context) -> JobResult {
    Ok(())
}

#[job("send_report", timeout = "1_000ms")]
async fn send_report_15(_task_key: &str, _args: Args, _ctx: Context) -> JobResult {
    Ok(())
}

#[job("send_report", timeout = "90S")]
async fn send_report_16(_task_key: &str, _args: Args, _ctx: Context) -> JobResult {
    Ok(())
}

#[job("send_report", timeout = "18446744073709551616")]
async fn send_report_17(_task_key: &str, _args: Args, _ctx: Context) -> JobResult {
    Ok(())
}

#[job("send_report", timeout = "18446744073709551615s 1000ms")]
async fn send_report_18(_task_key: &str, _args: Args, _ctx: Context) -> JobResult {
    Ok(())
}

#[job("send_report", timeout = "PT30S")]
async fn send_report_19(_task_key: &str, _args: Args, _ctx: Context) -> JobResult {
    Ok(())
}

#[job("send_report", timeout = "0x10")]
async fn send_report_20(_task_key: &str, _args: Args, _ctx: Context) -> JobResult {
    Ok(())
}

fn main() {}
