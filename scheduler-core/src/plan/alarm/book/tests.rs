use std::sync::Arc;

use chrono::TimeDelta;

use super::*;
use crate::plan::alarm::Rule;

const PACE: Pace = Pace {
    gather: Duration::from_secs(2),
    repeat: Duration::from_secs(600),
    between: Duration::from_secs(5),
    most_bytes: 2_048,
};

/// A channel, and what time it is there.
struct Channel {
    book: Book,
    now: Duration,
    /// How many nodes tell it.
    nodes: u32,
}

impl Channel {
    fn new() -> Self {
        Self { book: Book::new(PACE), now: Duration::from_secs(1_000), nodes: 1 }
    }

    fn at(&self) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::from_std(self.now).unwrap()
    }

    fn wrong(&mut self, rule: Rule, about: &str, text: &str) {
        let sign = Sign::wrong(rule, &Arc::from(about), self.at(), text.to_owned());
        self.book.note(sign, self.now);
    }

    fn right(&mut self, rule: Rule, about: &str) {
        let sign = Sign::right(rule, &Arc::from(about), self.at(), "well again".to_owned());
        self.book.note(sign, self.now);
    }

    fn pass(&mut self, seconds: u64) {
        self.now += Duration::from_secs(seconds);
    }

    /// After how many seconds there is the next message, which arrives; and its text.
    fn told(&mut self) -> Option<(u64, String)> {
        let due = self.book.due()?;
        let waited = due.saturating_sub(self.now).as_secs();
        self.now = self.now.max(due);
        let message = self.book.take(self.now).expect("it is due");
        self.book.sent(self.now, self.nodes);
        Some((waited, message.text))
    }

    #[track_caller]
    fn tells(&mut self, seconds: u64, text: &str) {
        assert_eq!(self.told(), Some((seconds, text.to_owned())));
    }

    #[track_caller]
    fn is_quiet(&self) {
        assert_eq!(self.book.due(), None, "{:?}", self.book);
    }
}

#[test]
fn what_happens_first_is_told_after_it_has_gathered() {
    let mut channel = Channel::new();
    channel.wrong(Rule::Failed, "b", "fail: no room");
    channel.pass(1);
    channel.wrong(Rule::Failed, "a", "timeout: 30 s");
    channel.tells(
        1,
        "[failed] a: timeout: 30 s (1970-01-01T00:16:41Z)\n[failed] b: fail: no room (1970-01-01T00:16:40Z)",
    );
    channel.is_quiet();
}

#[test]
fn what_repeats_is_counted_and_told_again_after_a_while() {
    let mut channel = Channel::new();
    channel.wrong(Rule::Failed, "a", "once");
    channel.told();
    for _ in 0..60 {
        channel.pass(5);
        channel.wrong(Rule::Failed, "a", "again");
    }
    channel.tells(
        300,
        "[failed] a: again (60 times from 1970-01-01T00:16:47Z to 1970-01-01T00:21:42Z)",
    );
    channel.is_quiet();
}

#[test]
fn what_is_quiet_for_long_is_new_when_it_happens_again() {
    let mut channel = Channel::new();
    channel.wrong(Rule::Failed, "a", "once");
    channel.told();
    channel.pass(601);
    channel.wrong(Rule::Failed, "a", "again");
    channel.tells(2, "[failed] a: again (1970-01-01T00:26:43Z)");
}

#[test]
fn what_is_over_is_said_to_be_over_once() {
    let mut channel = Channel::new();
    channel.wrong(Rule::Database, "", "refused");
    channel.tells(2, "[database]: refused (1970-01-01T00:16:40Z)");
    channel.pass(500);
    channel.right(Rule::Database, "");
    channel.right(Rule::Database, "");
    channel.tells(2, "[over] database: well again (1970-01-01T00:25:02Z)");
    channel.right(Rule::Database, "");
    channel.is_quiet();
}

#[test]
fn what_goes_on_until_it_is_over_is_told_again_after_a_while() {
    let mut channel = Channel::new();
    channel.wrong(Rule::Database, "", "refused");
    channel.tells(2, "[database]: refused (1970-01-01T00:16:40Z)");
    channel.tells(600, "[database]: refused (still, since 1970-01-01T00:16:40Z)");
    channel.right(Rule::Database, "");
    channel.tells(5, "[over] database: well again (1970-01-01T00:26:42Z)");
    channel.is_quiet();
}

#[test]
fn a_book_that_is_full_still_tells_what_is_new() {
    let mut channel = Channel::new();
    for task in 0..500 {
        channel.wrong(Rule::Rejected, &format!("{task}"), "x");
    }
    channel.wrong(Rule::Failed, "beyond", "x");
    assert!(channel.told().unwrap().1.ends_with("more"));
    channel.wrong(Rule::Database, "", "refused");
    let (_, text) = channel.told().unwrap();
    assert!(text.starts_with("[database]: refused"), "the cause comes first: {text}");
}

#[test]
fn what_is_over_before_it_was_told_is_not_told() {
    let mut channel = Channel::new();
    channel.right(Rule::Failing, "a");
    channel.is_quiet();
    channel.wrong(Rule::Failing, "a", "3 times");
    channel.right(Rule::Failing, "a");
    channel.is_quiet();
}

#[test]
fn what_comes_and_goes_is_told_seldom() {
    let mut channel = Channel::new();
    let mut messages = 0;
    for step in 0..1_200 {
        match step % 2 {
            0 => channel.wrong(Rule::Database, "", "refused"),
            _ => channel.right(Rule::Database, ""),
        }
        channel.pass(3);
        while channel.book.due().is_some_and(|due| due <= channel.now) {
            channel.told();
            messages += 1;
        }
    }
    // In an hour: twice in two minutes at most.
    assert!((20..=61).contains(&messages), "{messages}");
}

#[test]
fn between_two_messages_lies_a_pause() {
    let mut channel = Channel::new();
    channel.wrong(Rule::Failed, "a", "x");
    channel.told();
    channel.wrong(Rule::Failed, "b", "x");
    assert_eq!(channel.told().unwrap().0, 5);
}

#[test]
fn nodes_that_tell_one_channel_keep_its_pace_together() {
    let mut channel = Channel { nodes: 3, ..Channel::new() };
    channel.wrong(Rule::Failed, "a", "x");
    channel.told();
    channel.wrong(Rule::Failed, "b", "x");
    assert_eq!(channel.told().unwrap().0, 15);
}

#[test]
fn what_did_not_arrive_is_told_later_with_all_that_came_since() {
    let mut channel = Channel::new();
    channel.wrong(Rule::Failed, "a", "one");
    channel.pass(2);
    channel.book.take(channel.now).unwrap();
    assert_eq!(channel.book.due(), None, "one message at a time");
    channel.pass(1);
    channel.wrong(Rule::Failed, "a", "two");
    channel.book.failed(channel.now, None);
    channel.tells(5, "[failed] a: two (2 times from 1970-01-01T00:16:40Z to 1970-01-01T00:16:43Z)");
    channel.is_quiet();
}

#[test]
fn a_channel_that_fails_is_left_alone_for_longer_and_longer_or_as_it_wishes() {
    let mut channel = Channel::new();
    channel.wrong(Rule::Failed, "a", "x");
    channel.pass(2);
    let mut waits = Vec::new();
    for wait in [None, None, None, Some(600), None] {
        channel.book.take(channel.now).unwrap();
        channel.book.failed(channel.now, wait.map(Duration::from_secs));
        let due = channel.book.due().unwrap();
        assert_eq!(channel.book.rests_for(channel.now), due - channel.now);
        let due = channel.book.due().unwrap();
        waits.push((due - channel.now).as_secs());
        channel.now = due;
    }
    assert_eq!(waits, [5, 10, 20, 600, 80]);
}

#[test]
fn the_last_words_wait_for_no_pause_but_go_to_no_channel_that_is_left_alone() {
    let mut channel = Channel::new();
    channel.wrong(Rule::Failed, "a", "x");
    channel.tells(2, "[failed] a: x (1970-01-01T00:16:40Z)");
    assert_eq!((channel.book.last_words(channel.now), channel.book.untold()), (None, 0));
    channel.wrong(Rule::Failed, "b", "y");
    assert_eq!(channel.book.untold(), 1);
    assert_eq!(channel.book.last_words(channel.now).unwrap().alarms, 1);
    assert_eq!(channel.book.untold(), 1, "it may not arrive");
    channel.book.failed(channel.now, Some(Duration::from_secs(600)));
    channel.wrong(Rule::Failed, "c", "z");
    channel.now += Duration::from_secs(599);
    assert_eq!((channel.book.last_words(channel.now), channel.book.untold()), (None, 2));
    channel.now += Duration::from_secs(1);
    assert_eq!(channel.book.last_words(channel.now).unwrap().alarms, 2);
    channel.book.sent(channel.now, 1);
    assert_eq!(channel.book.untold(), 0);
}

#[test]
fn what_ends_while_its_message_is_under_way_is_told_to_be_over_only_if_that_arrived() {
    for arrives in [true, false] {
        let mut channel = Channel::new();
        channel.wrong(Rule::Clock, "", "off by 5 s");
        channel.pass(2);
        channel.book.take(channel.now).unwrap();
        channel.right(Rule::Clock, "");
        if arrives {
            channel.book.sent(channel.now, channel.nodes);
            channel.tells(5, "[over] clock: well again (1970-01-01T00:16:42Z)");
        } else {
            channel.book.failed(channel.now, None);
        }
        channel.is_quiet();
    }
}

#[test]
fn a_message_is_never_longer_than_the_channel_takes() {
    let mut channel = Channel::new();
    for task in 0..600 {
        channel.wrong(Rule::Missed, &format!("任务 {task}"), &"很长".repeat(1_000));
    }
    let (_, text) = channel.told().unwrap();
    assert!(text.len() <= PACE.most_bytes, "{}", text.len());
    // Two have room, a hundred are beyond what is remembered.
    assert!(text.ends_with("\n… and 598 more"), "{text}");
    channel.is_quiet();
}

#[test]
fn a_sign_is_one_line() {
    let mut channel = Channel::new();
    channel.wrong(Rule::Failed, "a\r\nb", "one\ntwo\u{1b}[31m");
    channel.tells(2, "[failed] a  b: one two [31m (1970-01-01T00:16:40Z)");
}
