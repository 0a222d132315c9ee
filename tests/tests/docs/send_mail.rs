//! Mails by an API.

use scheduler_core::{Context, JobResult, Request, job};

/// `[app.mail_api]` in `common.toml`.
#[derive(serde::Deserialize)]
struct MailApi {
    url: String,
    token: String,
}

#[derive(Request)]
#[request(POST, "/users/{id}/mails", answer = Sent, timeout = "5s", idempotent)]
struct SendMail<'a> {
    #[request(path)]
    id: u64,
    #[request(query)]
    dry_run: Option<bool>,
    #[request(header, name = "x-api-key")]
    token: &'a str,
    #[request(json)]
    subject: &'a str,
    #[request(json, name = "to")]
    recipients: Vec<String>,
}

#[derive(serde::Deserialize)]
struct Sent {
    mail_id: u64,
}

#[job("send_mail", timeout = "1m", retries = 3)]
async fn send_mail(_task_key: &str, recipients: Vec<String>, ctx: Context) -> JobResult {
    let api = ctx.config::<MailApi>()?;
    let mail =
        SendMail { id: 7, dry_run: None, token: &api.token, subject: "The report", recipients };
    let sent = ctx.http().send_to(&api.url, &mail).await?;
    ctx.note("mail_id", sent.mail_id);
    Ok(())
}

#[cfg(test)]
mod tests {
    use scheduler_core::testing::{Harness, Row};
    use serde_json::json;
    use wiremock::{
        Mock, MockServer, ResponseTemplate,
        matchers::{body_json, header, path},
    };

    use super::*;

    #[test]
    fn a_mail_is_sent_although_the_server_is_busy_at_first() {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let server = runtime.block_on(async {
            let server = MockServer::start().await;
            let busy = Mock::given(path("/users/7/mails")).respond_with(ResponseTemplate::new(503));
            busy.up_to_n_times(1).mount(&server).await;
            let sent = ResponseTemplate::new(201).set_body_json(json!({ "mail_id": 5 }));
            let mail = json!({ "subject": "The report", "to": ["ops@example.org"] });
            let is_mail = Mock::given(header("x-api-key", "key-1")).and(body_json(mail));
            is_mail.respond_with(sent).expect(1).mount(&server).await;
            server
        });
        let mut scheduler = Harness::new("2026-03-02 08:00:00", "UTC")
            .config(MailApi { url: server.uri(), token: "key-1".to_owned() })
            .with_real_io();
        scheduler.insert(Row::cron("mail", "send_mail", "0 9 * * *").args("ops@example.org"));
        scheduler.advance_to("2026-03-02 12:00:00");
        scheduler.check("mail", &["09:00:00 success"]);
        assert_eq!(scheduler.executions("mail")[0].extra["mail_id"], 5);
        runtime.block_on(server.verify());
    }
}
