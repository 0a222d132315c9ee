use scheduler_core::{Context, Request, http::HttpError};

#[derive(Request)]
#[request(GET, "/users")]
struct GetUsers;

struct Anything;

async fn call(ctx: Context) -> Result<(), HttpError> {
    ctx.http().send(&GetUsers).await?;
    ctx.http().send_to("http://localhost", &Anything).await?;
    Ok(())
}

fn main() {}
