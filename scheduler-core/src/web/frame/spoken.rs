//! Schedules in words. A hint: the instants that stand beside it are the truth.

use std::time::Duration;

use croner::describe::{English as Library, Language};

use super::Words;
use crate::plan::trigger::{Trigger, Zone};

/// Where the parts of a sentence begin, which each language puts in its own order.
const DAYS: char = '\u{1}';
const MONTHS: char = '\u{2}';
const SECONDS: char = '\u{3}';
const MINUTES: char = '\u{4}';
const HOURS: char = '\u{5}';
const TIME_OF_DAY: char = '\u{6}';

/// Whether the library says of a pattern what it means: a step that begins anew before it is through is no `every`, nor is one
/// of months, or of hours within which there are more; and the last working day is no last day.
fn is_sayable(spec: &str) -> bool {
    const SIZES: [u32; 6] = [60, 60, 24, 31, 12, 7];
    const WHOLE_WEEK: [&str; 5] = ["MON-SUN", "SUN-SAT", "0-6", "1-7", "0-7"];
    let fields: Vec<&str> = spec.split_whitespace().collect();
    if let [.., minute, hour, _, month, weekday] = fields[..] {
        let is_one = |field: &str| field.bytes().all(|byte| byte.is_ascii_digit());
        let is_repeated = hour.contains('/') && !is_one(minute);
        let is_week = WHOLE_WEEK.contains(&&*weekday.to_ascii_uppercase());
        if is_repeated || month.contains('/') || is_week {
            return false;
        }
    }
    if fields.iter().any(|field| field.ends_with("/1")) {
        return false;
    }
    let sizes = &SIZES[SIZES.len().saturating_sub(fields.len())..];
    let is_whole = |size: &u32, part: &str| {
        let step = part.split_once('/').map(|(_, step)| step.parse::<u32>());
        step.is_none_or(|step| step.is_ok_and(|step| step > 0 && size.is_multiple_of(step)))
    };
    fields.iter().zip(sizes).all(|(field, size)| {
        !field.to_ascii_uppercase().contains("LW")
            && field.split(',').all(|part| is_whole(size, part))
    })
}

/// What `trigger` means; empty: nothing is said.
pub(in crate::web) fn spoken(words: &Words, trigger: &Trigger, zone: &Zone) -> String {
    let is_english = words.lang == "en";
    match trigger {
        Trigger::Cron(cron) if !is_sayable(cron.spec()) => String::new(),
        Trigger::Cron(cron) if is_english => english(&cron.describe(English)),
        Trigger::Cron(cron) => chinese(&cron.describe(Chinese)),
        Trigger::Interval(interval) => {
            let span = units(words, interval.every());
            if is_english { format!("every {span}") } else { format!("每 {span}") }
        }
        Trigger::Date(date) => {
            let at = super::local(zone, date.at());
            if is_english { format!("once, at {at}") } else { format!("{at}，一次") }
        }
    }
}

/// `1 h 30 min`.
pub(super) fn units(words: &Words, span: Duration) -> String {
    let (secs, millis) = (i64::try_from(span.as_secs()).unwrap_or(i64::MAX), span.subsec_millis());
    let sizes = [86_400, 3_600, 60, 1];
    let mut rest = secs;
    let mut parts = Vec::new();
    for size in sizes {
        let whole = rest / size * size;
        if whole > 0 {
            parts.push(words.whole(whole, size));
        }
        rest -= whole;
    }
    if millis > 0 {
        let unit = if words.lang == "en" { "ms" } else { "毫秒" };
        parts.push(format!("{millis} {unit}"));
    }
    parts.join(" ")
}

/// Time, days and months of a sentence.
fn parts(text: &str) -> [&str; 3] {
    let text = text.trim_end_matches('.');
    let (text, months) = text.split_once(MONTHS).unwrap_or((text, ""));
    let (time, days) = text.split_once(DAYS).unwrap_or((text, ""));
    [time, days, months].map(|part| part.trim_matches([',', ' ']))
}

fn english(text: &str) -> String {
    let [time, days, months] = parts(text);
    let is_daily = time.starts_with(TIME_OF_DAY) && days.is_empty();
    let time = time.replace([TIME_OF_DAY, SECONDS, MINUTES, HOURS], "").replace(", of ", " of ");
    let weekdays = "Monday, Tuesday, Wednesday, Thursday, and Friday";
    let days = days.replace(weekdays, "Monday to Friday");
    let mut said = if is_daily { format!("every day {time}") } else { time };
    // The library begins a sentence.
    if let Some(first) = said.get_mut(..1) {
        first.make_ascii_lowercase();
    }
    for (word, part) in [(" on ", &*days), (" in ", months)] {
        if !part.is_empty() {
            said += word;
            said += part;
        }
    }
    said
}

fn chinese(text: &str) -> String {
    let listed = |part: &str| part.replace(", 和 ", "、").replace(", ", "、").replace(" 和 ", "、");
    let [time, days, months] = parts(text);
    let is_daily = time.starts_with(TIME_OF_DAY) && days.is_empty();
    let time: Vec<_> = time
        .split([TIME_OF_DAY, SECONDS, MINUTES, HOURS])
        .map(|part| listed(part.trim_matches([',', ' '])))
        .rev()
        .collect();
    let days = listed(days).replace("周一、周二、周三、周四、周五", "周一至周五");
    let is_of_minutes = text.starts_with(SECONDS) && !text.contains([MINUTES, HOURS]);
    let days = match (is_daily, months) {
        (true, _) => "每天".to_owned(),
        (false, "") if days.starts_with('周') => format!("每{days}"),
        (false, "") if is_of_minutes && days.is_empty() && time.concat().starts_with('第') => {
            "每分钟".to_owned()
        }
        (false, "") => days,
        (false, _) => days.replace("每月 ", "").replace("每月", ""),
    };
    let months =
        if months.is_empty() { String::new() } else { format!("每年 {}", listed(months)) };
    let said = [months, days, time.concat()];
    let said: Vec<_> = said.into_iter().filter(|part| !part.is_empty()).collect();
    said.join(" ")
}

/// The library's own, with the parts marked; what is repeated is not said to be at something.
struct English;

impl Language for English {
    fn every_minute(&self) -> &'static str {
        "every minute"
    }
    fn every_second_phrase(&self) -> &'static str {
        "every second"
    }
    fn every_x_minutes(&self, step: u16) -> String {
        Library.every_x_minutes(step)
    }
    fn every_x_seconds(&self, step: u16) -> String {
        Library.every_x_seconds(step)
    }
    fn every_x_hours(&self, step: u16) -> String {
        let end = match step {
            2 => "nd",
            3 => "rd",
            _ => "th",
        };
        format!("of every {step}{end} hour")
    }
    fn every_minute_of_every_x_hours(&self, step: u16) -> String {
        Library.every_minute_of_every_x_hours(step)
    }
    fn at_time(&self, time: &str) -> String {
        format!("{TIME_OF_DAY}at {time}")
    }
    fn at_time_and_every_x_seconds(&self, time: &str, step: u16) -> String {
        format!("{TIME_OF_DAY}at {time}, every {step} seconds")
    }
    fn at_time_at_second(&self, time: &str, second: &str) -> String {
        format!("{TIME_OF_DAY}at {time}, at second {second}")
    }
    fn at_phrase(&self, phrase: &str) -> String {
        if phrase.starts_with("every") { phrase.to_owned() } else { format!("at {phrase}") }
    }
    fn on_phrase(&self, phrase: &str) -> String {
        format!("{DAYS}{phrase}")
    }
    fn in_phrase(&self, phrase: &str) -> String {
        format!("{MONTHS}{phrase}")
    }
    fn second_phrase(&self, s: &str) -> String {
        Library.second_phrase(s)
    }
    fn minute_phrase(&self, s: &str) -> String {
        Library.minute_phrase(s)
    }
    fn minute_past_every_hour_phrase(&self, s: &str) -> String {
        format!("{s} of every hour")
    }
    fn hour_phrase(&self, s: &str) -> String {
        Library.hour_phrase(s)
    }
    fn year_phrase(&self, s: &str) -> String {
        Library.year_phrase(s)
    }
    fn day_phrase(&self, s: &str) -> String {
        Library.day_phrase(s)
    }
    fn the_last_day_of_the_month(&self) -> &'static str {
        Library.the_last_day_of_the_month()
    }
    fn the_weekday_nearest_day(&self, day: &str) -> String {
        Library.the_weekday_nearest_day(day)
    }
    fn the_last_weekday_of_the_month(&self, day: &str) -> String {
        Library.the_last_weekday_of_the_month(day)
    }
    fn the_nth_weekday_of_the_month(&self, n: u8, day: &str) -> String {
        Library.the_nth_weekday_of_the_month(n, day)
    }
    fn dom_and_dow_if_also(&self, dow: &str) -> String {
        Library.dom_and_dow_if_also(dow)
    }
    fn dom_and_dow_if_also_one_of(&self, dow: &str) -> String {
        Library.dom_and_dow_if_also_one_of(dow)
    }
    fn list_conjunction_and(&self) -> &'static str {
        Library.list_conjunction_and()
    }
    fn list_conjunction_or(&self) -> &'static str {
        Library.list_conjunction_or()
    }
    fn list_conjunction_and_comma(&self) -> &'static str {
        Library.list_conjunction_and_comma()
    }
    fn day_of_week_names(&self) -> [&'static str; 7] {
        Library.day_of_week_names()
    }
    fn month_names(&self) -> [&'static str; 12] {
        Library.month_names()
    }
    fn every_past_phrase(&self, every: &str, hours: &str) -> String {
        format!("{every} {hours}")
    }
    fn past_hour_phrase(&self, s: &str) -> String {
        format!("of hour {s}")
    }
}

struct Chinese;

impl Language for Chinese {
    fn every_minute(&self) -> &'static str {
        "每分钟"
    }
    fn every_second_phrase(&self) -> &'static str {
        "每秒"
    }
    fn every_x_minutes(&self, step: u16) -> String {
        format!("{MINUTES}每 {step} 分钟")
    }
    fn every_x_seconds(&self, step: u16) -> String {
        format!("{SECONDS}每 {step} 秒")
    }
    fn every_x_hours(&self, step: u16) -> String {
        format!("{HOURS}每 {step} 小时")
    }
    fn every_minute_of_every_x_hours(&self, step: u16) -> String {
        format!("每 {step} 小时内每分钟")
    }
    fn at_time(&self, time: &str) -> String {
        format!("{TIME_OF_DAY}{time}")
    }
    fn at_time_and_every_x_seconds(&self, time: &str, step: u16) -> String {
        format!("{TIME_OF_DAY}{time} 每 {step} 秒")
    }
    fn at_time_at_second(&self, time: &str, second: &str) -> String {
        format!("{TIME_OF_DAY}{time} 第 {second} 秒")
    }
    fn at_phrase(&self, phrase: &str) -> String {
        phrase.to_owned()
    }
    fn on_phrase(&self, phrase: &str) -> String {
        format!("{DAYS}{phrase}")
    }
    fn in_phrase(&self, phrase: &str) -> String {
        format!("{MONTHS}{phrase}")
    }
    fn second_phrase(&self, s: &str) -> String {
        format!("{SECONDS}第 {s} 秒")
    }
    fn minute_phrase(&self, s: &str) -> String {
        format!("{MINUTES}第 {s} 分")
    }
    fn minute_past_every_hour_phrase(&self, s: &str) -> String {
        format!("{s}{HOURS}每小时")
    }
    fn hour_phrase(&self, s: &str) -> String {
        format!("{HOURS}{s} 点")
    }
    fn year_phrase(&self, s: &str) -> String {
        format!("{s} 年")
    }
    fn day_phrase(&self, s: &str) -> String {
        format!("每月 {s} 日")
    }
    fn the_last_day_of_the_month(&self) -> &'static str {
        "每月最后一天"
    }
    fn the_weekday_nearest_day(&self, day: &str) -> String {
        format!("每月最接近 {day} 日的工作日")
    }
    fn the_last_weekday_of_the_month(&self, day: &str) -> String {
        format!("每月最后一个{day}")
    }
    fn the_nth_weekday_of_the_month(&self, n: u8, day: &str) -> String {
        format!("每月第 {n} 个{day}")
    }
    fn dom_and_dow_if_also(&self, dow: &str) -> String {
        format!("（且为{dow}）")
    }
    fn dom_and_dow_if_also_one_of(&self, dow: &str) -> String {
        format!("（且为其中之一：{dow}）")
    }
    fn list_conjunction_and(&self) -> &'static str {
        "和"
    }
    fn list_conjunction_or(&self) -> &'static str {
        "或"
    }
    fn list_conjunction_and_comma(&self) -> &'static str {
        "、"
    }
    fn day_of_week_names(&self) -> [&'static str; 7] {
        ["周日", "周一", "周二", "周三", "周四", "周五", "周六"]
    }
    fn month_names(&self) -> [&'static str; 12] {
        [
            "1 月", "2 月", "3 月", "4 月", "5 月", "6 月", "7 月", "8 月", "9 月", "10 月",
            "11 月", "12 月",
        ]
    }
    fn every_past_phrase(&self, every: &str, hours: &str) -> String {
        format!("{every}{hours}")
    }
    fn past_hour_phrase(&self, s: &str) -> String {
        self.hour_phrase(s)
    }
    fn every_x_months(&self, step: u16) -> String {
        format!("每 {step} 个月")
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Utc};

    use super::*;
    use crate::{
        plan::trigger::{Anchor, CronDialect, Parser, TriggerKind},
        web::frame::words::{CHINESE, ENGLISH},
    };

    #[track_caller]
    fn check(kind: TriggerKind, spec: &str, english: &str, chinese: &str) {
        let anchor = DateTime::<Utc>::UNIX_EPOCH;
        let anchor = Anchor { created_at: anchor, updated_at: anchor };
        let mut parser = Parser::new(CronDialect::Standard);
        let zone = Zone::utc();
        let trigger = parser.parse(kind, spec, &zone, anchor).unwrap();
        assert_eq!(spoken(&ENGLISH, &trigger, &zone), english, "{spec}");
        assert_eq!(spoken(&CHINESE, &trigger, &zone), chinese, "{spec}");
    }

    #[test]
    fn cron_patterns_are_said_in_both_languages() {
        let check = |spec, english, chinese| check(TriggerKind::Cron, spec, english, chinese);
        check("* * * * *", "every minute", "每分钟");
        check("* * * * * *", "every second", "每秒");
        check("*/5 * * * *", "every 5 minutes", "每 5 分钟");
        check("30 1 * * *", "every day at 01:30", "每天 01:30");
        check("15 30 1 * * *", "every day at 01:30:15", "每天 01:30:15");
        check("@daily", "every day at 00:00", "每天 00:00");
        check("0 9 * * mon-fri", "at 09:00 on Monday to Friday", "每周一至周五 09:00");
        check("0 9 * * 0,3", "at 09:00 on Sunday and Wednesday", "每周日、周三 09:00");
        check("0 8 L * *", "at 08:00 on the last day of the month", "每月最后一天 08:00");
        check("0 8 1,15 * *", "at 08:00 on day 1 and 15", "每月 1、15 日 08:00");
        check("0 8 * * MON#1", "at 08:00 on the 1st Monday of the month", "每月第 1 个周一 08:00");
        check("0 0 13 * fri", "at 00:00 on day 13 or Friday", "每月 13 日 或 周五 00:00");
        check("0 0 1 1,7 *", "at 00:00 on day 1 in January and July", "每年 1 月、7 月 1 日 00:00");
        check("5,35 * * * *", "at minute 5 and 35 of every hour", "每小时第 5、35 分");
        check("*/15 9-17 * * *", "every 15 minutes of hour 9-17", "9-17 点每 15 分钟");
        check("0 9,12,18 * * *", "at minute 0 of hour 9, 12, and 18", "9、12、18 点第 0 分");
        check("* 9 * * *", "every minute of hour 9", "9 点每分钟");
        check("*/10 * * * * *", "every 10 seconds", "每 10 秒");
        check("0 0 29 feb *", "at 00:00 on day 29 in February", "每年 2 月 29 日 00:00");
        check("@yearly", "at 00:00 on day 1 in January", "每年 1 月 1 日 00:00");
        check("@weekly", "at 00:00 on Sunday", "每周日 00:00");
        check("1-5 * * * * *", "at second 1-5", "每分钟 第 1-5 秒");
    }

    #[test]
    fn of_a_pattern_that_would_be_said_wrongly_nothing_is_said() {
        let check = |spec| check(TriggerKind::Cron, spec, "", "");
        check("*/45 * * * *");
        check("*/61 * * * *");
        check("*/7 * * * * *");
        check("0 */25 * * *");
        check("0 0 LW * *");
        check("0 0 */2 * *");
        check("0 0 1 */5 *");
        check("*/15 */6 * * *");
        check("0 9 * */3 *");
        check("0 9 */1 * 1");
        check("0 9 * * MON-SUN");
    }

    #[test]
    fn intervals_and_dates_are_said_in_both_languages() {
        check(TriggerKind::Interval, "90", "every 1 min 30 s", "每 1 分钟 30 秒");
        check(TriggerKind::Interval, "1d250ms", "every 1 d 250 ms", "每 1 天 250 毫秒");
        let (spec, said) = ("2026-12-24 18:00:00", "once, at 2026-12-24 18:00:00");
        check(TriggerKind::Date, spec, said, "2026-12-24 18:00:00，一次");
    }
}
