//! `config show`, `completions` and `man`.

use std::fs;

use crate::support::Home;

#[test]
fn config_show_says_what_is_in_force_and_where_it_came_from() {
    let home = Home::new("lease = 20\n[app.webhooks.urls]\nteam = \"hidden\"");
    home.write("redis", "[cache]\nhost = \"h\"\npassword = \"hidden\"\n");
    let mut command = home.command();
    command.args(["config", "show"]).env("SCHEDULER__COMMON__JOBS__THREADS", "3");
    let output = command.output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let stdout = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<Vec<&str>> =
        stdout.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(lines[0], ["file", "table", "key", "value", "origin"]);
    for line in [
        &["common", "-", "lease", "\"20s\"", "conf/local/common.toml:2"][..],
        &["common", "-", "coalesce", "true", "default"],
        &["common", "jobs", "threads", "3", "environment", "SCHEDULER__COMMON__JOBS__THREADS"],
        &["common", "app.webhooks.urls", "team", "(not", "shown)", "conf/local/common.toml:4"],
        &["logger", "other", "filename", "none", "[root]"],
        &["redis", "cache", "password", "(secret)", "conf/local/redis.toml:3"],
    ] {
        assert!(lines.iter().any(|shown| shown == line), "{line:?} is not in\n{stdout}");
    }
    assert!(!stdout.contains("hidden"), "{stdout}");
    let shown = home.json(&["config", "show"]);
    let lease = serde_json::json!({
        "file": "common", "table": null, "key": "lease", "value": "\"20s\"",
        "origin": "conf/local/common.toml:2",
    });
    assert!(shown.as_array().unwrap().contains(&lease), "{shown}");
    assert!(!home.path().join("data").exists(), "no database is needed");
}

#[test]
fn config_show_refuses_what_every_verb_refuses() {
    let home = Home::new("leese = 20");
    let text = "conf/local/common.toml:2: unknown key \"leese\", did you mean \"lease\"?";
    home.fails(&["config", "show"], 78, text);
}

#[cfg(not(feature = "otlp"))]
#[test]
fn a_program_without_the_feature_otlp_refuses_its_table_and_says_what_to_do() {
    let said = "[otlp] cannot be obeyed: this program was built without the feature otlp, expected one with it \
                (cargo run -p scheduler --features otlp), or no such table";
    let home = Home::new("\n[otlp]\nendpoint = \"http://127.0.0.1:4318\"");
    home.fails(&["check"], 78, &format!("conf/local/common.toml:3: {said}"));
    let home = Home::new("");
    let variable = "SCHEDULER__COMMON__OTLP__ENDPOINT";
    let mut command = home.command();
    let output = command.env(variable, "http://127.0.0.1:4318").arg("check").output().unwrap();
    let ran = crate::support::Ran::of(output);
    assert_eq!((ran.code, ran.stderr), (78, format!("environment {variable}: {said}\n")));
}

#[test]
fn completions_and_man_need_no_configuration_and_know_every_verb() {
    let home = Home::new("");
    fs::remove_dir_all(home.path().join("conf")).unwrap();
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = home.ok(&["completions", shell]);
        assert!(script.contains("executions") && script.contains("follow"), "{shell}");
    }
    assert_eq!(home.run(&["completions", "cmd"]).code, 2);
    let page = home.ok(&["man"]);
    let help = home.ok(&["--help"]);
    let verbs = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let verbs: Vec<_> = verbs.map_while(|line| line.split_whitespace().next()).collect();
    assert!(verbs.len() > 10, "{verbs:?}");
    assert_eq!(home.ok(&["man", "--dir", "man/man1"]), "");
    let pages = home.path().join("man/man1");
    assert_eq!(fs::read_to_string(pages.join("scheduler.1")).unwrap(), page);
    for verb in verbs.into_iter().filter(|verb| *verb != "help") {
        assert!(page.contains(&format!("scheduler\\-{verb}(1)")), "{verb}");
        assert!(pages.join(format!("scheduler-{verb}.1")).exists(), "{verb}");
    }
    assert!(pages.join("scheduler-task-add.1").exists());
    let text = "error: /dev/null cannot be written: File exists (os error 17)";
    home.fails(&["man", "--dir", "/dev/null"], 1, text);
}
