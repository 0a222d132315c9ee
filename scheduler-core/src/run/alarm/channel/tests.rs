use chrono::DateTime;

use super::*;

fn channel(kind: ChannelKind, secret: Option<&str>) -> Channel {
    Channel {
        kind,
        url: "https://example.org/robot?access_token=T".into(),
        secret: secret.map(Into::into),
        mail: None,
        rules: Vec::new(),
    }
}

fn letter_of(kind: ChannelKind, secret: Option<&str>, text: &str) -> (Letter, Value) {
    let now = DateTime::from_timestamp(1_700_000_000, 0).unwrap();
    let message = Message { alarms: 2, text: text.to_owned() };
    let speaker = Speaker { environment: "online".into(), node: "web-1".into() };
    let letter = letter(&channel(kind, secret), &speaker, &message, now).unwrap();
    let body = serde_json::from_str(&letter.body).unwrap();
    (letter, body)
}

#[test]
fn dingtalk_is_signed_in_the_address() {
    let (letter, body) = letter_of(
        ChannelKind::Dingtalk,
        Some("SECtest-secret-0001"),
        "[failed] a: x\n[missed] b: y",
    );
    let pairs: Vec<(String, String)> = letter.url.query_pairs().into_owned().collect();
    let expected = [
        ("access_token", "T"),
        ("timestamp", "1700000000000"),
        ("sign", "knP9Ys5MvugaPoFdpc8clJu6xnY84ijimjHfslN0HIE="),
    ];
    assert_eq!(pairs, expected.map(|(key, value)| (key.to_owned(), value.to_owned())));
    assert!(letter.url.as_str().ends_with("sign=knP9Ys5MvugaPoFdpc8clJu6xnY84ijimjHfslN0HIE%3D"));
    let text = "scheduler online web-1\n[failed] a: x\n[missed] b: y";
    assert_eq!(body, json!({ "msgtype": "text", "text": { "content": text } }));
}

#[test]
fn feishu_is_signed_in_the_body_and_calls_nobody() {
    let (_, body) =
        letter_of(ChannelKind::Feishu, Some("feishu-secret-0001"), "<at user_id=\"all\">");
    let expected = json!({
        "timestamp": "1700000000",
        "sign": "H3/n0jBoEvvovojanoKY4WdPXn2bsEdk64I5HmaRdKc=",
        "msg_type": "text",
        "content": { "text": "scheduler online web-1\n(at user_id=\"all\">" },
    });
    assert_eq!(body, expected);
}

#[test]
fn wecom_and_slack_are_not_signed_and_call_nobody() {
    let (letter, body) = letter_of(ChannelKind::Wecom, None, "<@all>");
    assert_eq!(letter.url.as_str(), "https://example.org/robot?access_token=T");
    assert_eq!(
        body,
        json!({ "msgtype": "text", "text": { "content": "scheduler online web-1\n(@all>" } })
    );
    let (_, body) = letter_of(ChannelKind::Slack, None, "<!channel> & you");
    assert_eq!(body, json!({ "text": "scheduler online web-1\n&lt;!channel&gt; &amp; you" }));
}

#[test]
fn a_webhook_gets_the_alarms_one_by_one_and_a_signature_of_the_body() {
    let (letter, body) =
        letter_of(ChannelKind::Webhook, Some("s3cret"), "[failed] a: x\n[over] clock");
    let expected = json!({
        "environment": "online",
        "node": "web-1",
        "at": "2023-11-14T22:13:20Z",
        "count": 2,
        "alarms": ["[failed] a: x", "[over] clock"],
    });
    assert_eq!(body, expected);
    let signature = letter.signature.unwrap();
    let v1 = signature.strip_prefix("t=1700000000,v1=").unwrap();
    let mac = Hmac::<Sha256>::new_from_slice(b"s3cret").unwrap();
    let mac = mac.chain_update(format!("1700000000.{}", letter.body));
    let bytes: Vec<u8> = (0..v1.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&v1[at..at + 2], 16).unwrap())
        .collect();
    mac.verify_slice(&bytes).unwrap();
}

#[test]
fn a_robot_says_in_the_body_what_became_of_a_message() {
    use ChannelKind::{Dingtalk, Feishu, Slack, Webhook, Wecom};
    let minute = Duration::from_secs(60);
    let refused = |text: &str, wait| Err(Refused { text: text.to_owned(), wait });
    for (kind, status, body, expected) in [
        (Dingtalk, 200, r#"{"errcode":0,"errmsg":"ok"}"#, Ok(())),
        (
            Dingtalk,
            200,
            r#"{"errcode":310000,"errmsg":"sign not match"}"#,
            refused("it answers errcode 310000: sign not match", None),
        ),
        (
            Dingtalk,
            200,
            r#"{"errcode":130101,"errmsg":"send too fast"}"#,
            refused("it answers errcode 130101: send too fast", Some(10 * minute)),
        ),
        (Wecom, 200, r#"{"errcode":0,"errmsg":"ok"}"#, Ok(())),
        (
            Wecom,
            200,
            r#"{"errcode":45009,"errmsg":"freq"}"#,
            refused("it answers errcode 45009: freq", Some(minute)),
        ),
        (Feishu, 200, r#"{"code":0,"msg":"success"}"#, Ok(())),
        (
            Feishu,
            200,
            r#"{"code":19021,"msg":"sign match fail"}"#,
            refused("it answers code 19021: sign match fail", None),
        ),
        (Feishu, 200, "<html>\n", refused("it answers 200 where JSON is expected: <html> ", None)),
        (Slack, 200, "ok", Ok(())),
        (Slack, 404, "no_service", refused("it answers 404: no_service", None)),
        (Webhook, 204, "", Ok(())),
        (Webhook, 302, "", refused("it answers 302: ", None)),
        (Webhook, 429, "", refused("it is told too often (429)", Some(minute))),
    ] {
        assert_eq!(judge(kind, status, None, body), expected, "{kind:?} {status} {body}");
    }
    let wait = Some(Duration::from_secs(7));
    assert_eq!(judge(Slack, 429, wait, "").unwrap_err().wait, wait);
}
