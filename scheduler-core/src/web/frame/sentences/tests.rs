//! What a reader of Chinese is shown: no English where nothing is quoted.

use super::*;
use crate::web::frame::sentences::chinese::{CLAUSES, REASONS, SENTENCES};

fn end_of_quoted(text: &str) -> Option<usize> {
    let reader = Reader { is_english: false, value: &|_| None };
    quoted(&Looking { reader: &reader, left: Cell::new(usize::MAX) }, text)
}

/// In Chinese, with values as they stand.
fn in_chinese(text: &str) -> Cow<'_, str> {
    in_words_of(&Reader { is_english: false, value: &|_| None }, text)
}

#[test]
fn values_are_written_as_the_reader_writes_them() {
    let value =
        |text: &str| (text == "90s" || text == "2026-01-01T00:00:00Z").then(|| format!("<{text}>"));
    let said =
        |is_english, text| in_words_of(&Reader { is_english, value: &value }, text).into_owned();
    let text = "execution 9 runs for 90s already";
    assert_eq!(said(true, text), "execution 9 runs for <90s> already");
    assert_eq!(said(false, text), "执行 9 已运行 <90s>");
    let job = "the fire of 2026-01-01T00:00:00Z: fail: it broke at 2026-01-01T00:00:00Z";
    let english = "the fire of <2026-01-01T00:00:00Z>: fail: it broke at 2026-01-01T00:00:00Z";
    assert_eq!(said(true, job), english, "what a job said stays as it is");
    let quoted = "spec \"90s\" never fires: no such instant before the year 5000";
    assert_eq!(said(true, quoted), quoted);
    assert_eq!(said(true, "no sentence of ours, for 90s"), "no sentence of ours, for 90s");
}

#[track_caller]
fn check(english: &str, chinese: &str) {
    assert_eq!(in_chinese(english), chinese, "{english}");
}

#[test]
fn a_sentence_is_said_with_its_values() {
    check("task 7 does not exist", "任务 7 不存在");
    check("the node did not renew its lease for 30 s", "节点已 30 秒未续约");
    check(
        "spec \"0 25 * * *\": hour \"25\" is not valid, expected 0-23, *, a list, a range or a step",
        "spec \"0 25 * * *\"：小时字段 \"25\" 无效，应为 0-23、*、列表、范围或步长",
    );
    check(
        "task 5 \"a\": execute_func \"jab\" is not a known job, expected a job of this program such as \"job\"",
        "任务 5 \"a\"：execute_func \"jab\" 不是已知作业，应为本程序的作业，例如 \"job\"",
    );
    check(
        "\"a\": is_valid \"2\" is not valid, expected 0 or 1",
        "\"a\"：is_valid \"2\" 无效，应为 0 或 1",
    );
    check(
        "args \"x\" do not fit job \"add\": value 2 (copies) is \"x\", expected u8",
        "args \"x\" 不符合作业 \"add\"：第 2 (copies) 个值为 \"x\"，应为 u8",
    );
    check(
        "3 times in a row, at last execution 9: fail: no route (trace 0f)",
        "连续 3 次，最近一次：执行 9：失败：no route（跟踪号 0f）",
    );
    check(
        "execution 9, attempt 2, ran on node a from 2026-01-01T00:00:00Z for 3s: fail: it broke: twice",
        "执行 9（第 2 次尝试）自 2026-01-01T00:00:00Z 起在节点 a 上运行 3s：失败：it broke: twice",
    );
}

#[test]
fn what_a_job_said_stays_as_it_is() {
    let said = "to \"nobody\" is no name under [app.webhooks.urls], expected one of [a]";
    check(
        &format!("execution 9: fail: {said} (trace 0f)"),
        &format!("执行 9：失败：{said}（跟踪号 0f）"),
    );
    let reason = "had not ended after its timeout of 5 s";
    check(
        &format!("execution 9: timeout: {reason} (trace 0f)"),
        "执行 9：超时：超过 5 秒的超时时间仍未结束（跟踪号 0f）",
    );
}

#[test]
fn what_is_in_quotes_ends_no_value() {
    check(
        "task 5 \"a: b\": is_valid \"2\" is not valid, expected 0 or 1",
        "任务 5 \"a: b\"：is_valid \"2\" 无效，应为 0 或 1",
    );
    check(
        "there is no task \"a: task 1: zz\", expected its key or id",
        "任务 \"a: task 1: zz\" 不存在，应为任务的键名或 ID",
    );
    let unreadable = r#"extra.timeout is "x\" is NULL, expected text", expected true or false"#;
    check(unreadable, r#"extra.timeout 为 "x\" is NULL, expected text"，应为 true 或 false"#);
    check(
        r#"task_key "a\" is taken, expected" is taken, expected a key that no other row has"#,
        r#"task_key "a\" is taken, expected" 已被占用，不可与其他行重复"#,
    );
}

#[test]
fn what_others_wrote_takes_no_time_however_it_is_made() {
    let began = crate::clock::mono();
    let texts = [
        format!("a fires from b to c: fail: {}z", "a: ".repeat(1_300)),
        format!("a fires from b to c: fail: {}z", "a: ".repeat(1_000_000)),
        format!("a fires from b to c: fail: {}zz", "task 1: ".repeat(400)),
        format!(
            "execution 1: fail: spec a: {}zz is not valid, expected q (trace 0)",
            "task 1: ".repeat(400)
        ),
        format!("task 1: {}", "\"".repeat(4_000)),
        format!("task 1: {}", "task 1 \"a\": ".repeat(300)),
        format!("{}{}", "task 5 \"a\": ".repeat(4), "\\\"".repeat(2_020)),
        format!(" times in a row, at last {}{}", "task 5 \"a\": ".repeat(2), "\\\"".repeat(2_000)),
    ];
    for text in &texts {
        for _ in 0..10 {
            in_chinese(text);
        }
    }
    let took = crate::clock::mono() - began;
    assert!(took < std::time::Duration::from_secs(2), "{took:?} for 80 of them");
}

#[test]
fn what_was_too_much_is_not_tried_again_with_less() {
    let reader = Reader { is_english: false, value: &|_| None };
    let looking = Looking { reader: &reader, left: Cell::new(10) };
    assert_eq!(looking.step(4), Some(()));
    assert_eq!(looking.step(7), None);
    assert_eq!(looking.step(1), None);
}

#[test]
fn what_stands_in_a_value_is_not_a_place_of_another() {
    check(
        "execution {1} of task {0} is lost, and is tried again",
        "任务 {0} 的执行 {1} 丢失，将重试",
    );
}

#[test]
fn what_is_not_known_stays_as_it_is() {
    for text in
        ["", "no route to host", "task 7 does not exist.", "todo", "spec \"x\": minute is odd"]
    {
        check(text, text);
    }
}

/// The texts that a source holds outside of its comments and tests.
fn texts(source: &str) -> Vec<String> {
    let source = source.split("#[cfg(test)]").next().unwrap_or_default();
    let lines = source.lines().map(|line| line.split("//").next().unwrap_or_default());
    let source = lines.collect::<Vec<_>>().join("\n").replace("'\"'", "");
    let mut texts = Vec::new();
    let mut rest = &*source;
    while let Some(from) = rest.find('"') {
        let is_for_us = rest[..from].ends_with("expect(") || rest[..from].ends_with("error!(");
        let end = end_of_quoted(&rest[from..]).expect("a text ends");
        let text = &rest[from + 1..from + end - 1];
        rest = &rest[from + end..];
        if !is_for_us {
            let parts = text.split("\\\n").map(str::trim_start).collect::<String>();
            texts.push(parts.replace("\\\"", "\"").replace("{{", "{").replace("}}", "}"));
        }
    }
    texts
}

/// The text between the values.
fn fixed(pattern: &str) -> Vec<&str> {
    let parts = pattern.split('{').enumerate();
    let fixed = parts.map(|(index, part)| match part.split_once('}') {
        Some((_, behind)) if index > 0 => behind,
        _ => part,
    });
    fixed.collect()
}

fn is_word(text: &str) -> bool {
    text.len() > 1 && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_punctuation())
}

#[track_caller]
fn check_source(source: &str) {
    let known: Vec<&str> = SENTENCES
        .iter()
        .chain(REASONS)
        .chain(CLAUSES)
        .flat_map(|(pattern, _)| fixed(pattern))
        .collect();
    let is_known = |words: &str| known.iter().any(|known| known.contains(words));
    let texts = texts(source);
    assert!(!texts.is_empty());
    let pieces = texts.iter().flat_map(|text| fixed(text)).map(str::trim);
    let are_words = |piece: &&str| piece.split(' ').filter(|word| is_word(word)).count() > 1;
    let unknown: Vec<_> = pieces.filter(are_words).filter(|words| !is_known(words)).collect();
    assert!(unknown.is_empty(), "no Chinese for {unknown:#?}");
}

#[test]
fn what_is_said_of_rows_has_a_translation() {
    check_source(include_str!("../../../plan/task/fault.rs"));
    check_source(include_str!("../../../plan/task/reader.rs"));
    check_source(include_str!("../../../plan/task/extra.rs"));
    check_source(include_str!("../../../plan/trigger/error.rs"));
    check_source(include_str!("../../../plan/trigger/field.rs"));
    check_source(include_str!("../../../admin/editor.rs"));
}

#[test]
fn what_is_said_of_runs_has_a_translation() {
    check_source(include_str!("../../../plan/lateness.rs"));
    check_source(include_str!("../../../plan/retry.rs"));
    check_source(include_str!("../../../plan/node/answers.rs"));
    check_source(include_str!("../../../plan/node/dispatch.rs"));
    check_source(include_str!("../../../plan/node/endings.rs"));
    check_source(include_str!("../../../plan/node/requests.rs"));
    check_source(include_str!("../../../plan/why/records.rs"));
    check_source(include_str!("../../../plan/why/row.rs"));
}

#[test]
fn what_is_said_of_nodes_has_a_translation() {
    check_source(include_str!("../../../plan/alarm/signs.rs"));
}

#[test]
fn what_is_refused_has_a_translation() {
    check_source(include_str!("../../seen.rs"));
    check_source(include_str!("../../pages/task.rs"));
    check_source(include_str!("../../pages/acts.rs"));
}

#[test]
fn every_value_of_a_pattern_is_said_and_nothing_more() {
    for (pattern, said) in SENTENCES.iter().chain(REASONS).chain(CLAUSES) {
        let holes = Rule::new(pattern, said).holes.len();
        for place in 0..holes {
            assert!(said.contains(&format!("{{{place}}}")), "{pattern:?} lacks {place}: {said}");
        }
        assert_eq!(said.matches('{').count(), holes, "{pattern:?}: {said}");
    }
}

#[test]
fn no_pattern_hides_one_below_it() {
    for table in [SENTENCES, REASONS, CLAUSES] {
        for (index, (pattern, _)) in table.iter().enumerate() {
            let value = |kind: &str| match kind {
                "+" => "todo",
                "\"" => "\"7\"",
                _ => "7",
            };
            let mut text = String::new();
            for (at, part) in pattern.split('{').enumerate() {
                match part.split_once('}').filter(|_| at > 0) {
                    Some((kind, behind)) => text.extend([value(kind), behind]),
                    None => text.push_str(part),
                }
            }
            let alone = rules(table);
            let book = Book { sentences: Vec::new(), reasons: Vec::new(), clauses: rules(CLAUSES) };
            let reader = Reader { is_english: false, value: &|_| None };
            let looking = Looking { reader: &reader, left: Cell::new(usize::MAX) };
            let first =
                alone.iter().position(|rule| rule.said(&book, &looking, &text, DEEPEST).is_some());
            let first = first.map(|first| table[first].0);
            assert_eq!(first, Some(*pattern), "{index}: {text}");
        }
    }
}
