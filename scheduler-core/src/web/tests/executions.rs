//! Executions by HTTP.

use super::*;

#[tokio::test]
async fn an_execution_that_is_not_there_is_said_so() {
    let asker = Asker::new();
    for rest in ["", "/log"] {
        let answer = asker.get("viewer", &format!("/api/v1/executions/5{rest}")).await;
        answer.refused(404, (), "execution 5 does not exist");
    }
    let none = asker.get("viewer", "/api/v1/executions").await.expect(200);
    assert_eq!(none.to_string(), r#"{"items":[],"next":null}"#);
    let wrong = asker.get("viewer", "/api/v1/executions?status=done").await;
    wrong.refused(400, (), "status \"done\" is not known");
}
