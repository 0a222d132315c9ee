//! Who may do what: walked through the document of all routes, so that none is left out.

use super::*;

/// Each route: its method, its path with an id in it, and the role that it is said to take.
fn routes(asker: &Asker) -> Vec<(Method, String, Role)> {
    let paths = asker.document["paths"].as_object().unwrap();
    let mut routes = Vec::new();
    for (path, item) in paths {
        for (method, operation) in item.as_object().unwrap() {
            let role = operation["security"][0]["token"][0].as_str().unwrap();
            let (_, role) = Role::NAMES.into_iter().find(|(name, _)| *name == role).unwrap();
            let method = method.to_uppercase().parse().unwrap();
            routes.push((method, path.replace("{id}", "1"), role));
        }
    }
    assert!(routes.len() > 15);
    routes
}

fn request(method: &Method, path: &str, credentials: &[&str]) -> Request<Body> {
    let mut request = Request::builder().method(method).uri(path);
    for credential in credentials {
        request = request.header("authorization", *credential);
    }
    request.body(Body::empty()).unwrap()
}

#[tokio::test]
async fn no_route_answers_somebody_who_is_not_known() {
    let asker = Asker::new();
    let admin = format!("Bearer {}", token_of("admin"));
    for (_, path, _) in routes(&asker) {
        for method in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "X"] {
            for credentials in [
                &[][..],
                &["Bearer "],
                &["Bearer the-token-of-nobody"],
                &["Basic YWRtaW46YWRtaW4="],
                &["bearer the-token-of-admin"],
                &[&admin.to_uppercase()],
                &[&format!("{admin} ")],
                &[&admin, &admin],
                &["", &admin],
            ] {
                let request = request(&method.parse().unwrap(), &path, credentials);
                let answer = asker.router.clone().oneshot(request).await.unwrap();
                let place = format!("{method} {path} {credentials:?}");
                assert_eq!(answer.status(), StatusCode::UNAUTHORIZED, "{place}");
                assert_eq!(answer.headers()["www-authenticate"], "Bearer", "{place}");
            }
        }
    }
}

#[tokio::test]
async fn each_route_answers_its_role_and_those_above_and_nobody_below() {
    let asker = Asker::new();
    for (method, path, role) in routes(&asker) {
        for (name, asks) in Role::NAMES {
            let answer = asker.ask(name, method.clone(), &path, None).await;
            let is_refused = answer.status == StatusCode::FORBIDDEN;
            assert_eq!(is_refused, asks < role, "{name} {method} {path}: {}", answer.json);
        }
    }
}

#[tokio::test]
async fn another_spelling_of_a_path_or_method_leads_nowhere() {
    let asker = Asker::new();
    for path in [
        "/api/v1/tasks/",
        "//api/v1/tasks",
        "/api//v1/tasks",
        "/API/v1/tasks",
        "/api/v1/Tasks",
        "/api/v1/%74asks/",
        "/api/v1/nodes/../tasks",
        "/api/v1/%2e%2e/v1/tasks",
        "/api/v1/tasks/1/enable/",
        "/api/v1",
        "/api",
        "/admin",
    ] {
        for name in ["admin", "nobody"] {
            let answer = asker.get(name, path).await;
            assert_eq!(answer.status, StatusCode::NOT_FOUND, "{name} {path}");
        }
    }
    let request = Request::builder().method("POST").uri("/api/v1/tasks/1");
    let request = request.header("authorization", format!("Bearer {}", token_of("viewer")));
    let request = request.header("x-http-method-override", "DELETE");
    let answer = asker.send(request.body(Body::empty()).unwrap()).await;
    assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test]
async fn a_page_of_another_site_changes_nothing() {
    let asker = Asker::new();
    for (name, value) in [
        ("origin", "https://evil.example"),
        ("origin", "null"),
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
    ] {
        let request = Request::builder().method("POST").uri("/api/v1/tasks/1/enable");
        let request = request.header("authorization", format!("Bearer {}", token_of("admin")));
        let request = request.header("host", "scheduler.example").header(name, value);
        let answer = asker.router.clone().oneshot(request.body(Body::empty()).unwrap()).await;
        assert_eq!(answer.unwrap().status(), StatusCode::FORBIDDEN, "{name}: {value}");
    }
}

#[tokio::test]
async fn every_answer_forbids_what_a_browser_would_do_with_it() {
    let asker = Asker::new();
    for path in
        ["/api/v1/tasks", "/api/v1/tasks/1", "/nowhere", "/openapi.json", "/healthz", "/metrics"]
    {
        for name in ["admin", "nobody"] {
            let credential = format!("Bearer {}", token_of(name));
            let request = request(&Method::GET, path, &[&credential]);
            let headers = asker.router.clone().oneshot(request).await.unwrap().headers().clone();
            assert_eq!(headers["cache-control"], "no-store", "{path}");
            assert_eq!(headers["x-content-type-options"], "nosniff", "{path}");
            assert_eq!(headers["x-frame-options"], "DENY", "{path}");
            assert_eq!(headers["referrer-policy"], "same-origin", "{path}");
            let policy = headers["content-security-policy"].to_str().unwrap();
            assert!(policy.starts_with("default-src 'none'; frame-ancestors 'none'"), "{path}");
            assert!(!headers.contains_key("access-control-allow-origin"), "{path}");
        }
    }
}

#[tokio::test]
async fn the_description_is_for_everybody_and_names_each_role() {
    let asker = Asker::new();
    let answer = asker.get("nobody", "/openapi.json").await.expect(200);
    assert_eq!(answer["openapi"], "3.1.0");
    assert_eq!(answer, asker.document);
    let scheme = &answer["components"]["securitySchemes"]["token"];
    assert_eq!((&scheme["type"], &scheme["scheme"]), (&"http".into(), &"bearer".into()));
    // What it names is there.
    let text = answer.to_string();
    for reference in text.split("\"#/components/schemas/").skip(1) {
        let name = reference.split('"').next().unwrap();
        assert!(answer["components"]["schemas"][name].is_object(), "{name}");
    }
}

#[tokio::test]
async fn figures_are_for_this_machine_and_for_whoever_is_known() {
    let asker = Asker::new();
    // It listens nowhere, which is not this machine.
    for (name, status) in [("nobody", StatusCode::UNAUTHORIZED), ("viewer", StatusCode::OK)] {
        let credential = format!("Bearer {}", token_of(name));
        let request = request(&Method::GET, "/metrics", &[&credential]);
        assert_eq!(asker.router.clone().oneshot(request).await.unwrap().status(), status);
    }
}

#[tokio::test]
async fn a_caller_says_who_he_is() {
    let asker = Asker::new();
    let biller = asker.get("biller", "/api/v1/whoami").await.expect(200);
    assert_eq!(biller.to_string(), r#"{"name":"biller","role":"admin","tasks":["billing_*"]}"#);
}
