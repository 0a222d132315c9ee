//! Zones: from an instant to local time and back, in whole seconds.
//!
//! Civil time is counted here as *civil seconds*: the seconds a clock without a zone has shown since
//! 1970-01-01 00:00:00. Within a segment, the stretch between two changes of a zone's offset,
//! civil seconds and epoch seconds differ by a constant, so everything above works by addition:
//!
//! ```text
//! civil   00:30   01:00 ╌╌gap╌╌ 02:00   02:30         00:30   01:00        01:59 ┐overlap
//!           ├───────┤              ├───────┤            ├───────┼──────────────┤ 01:00 … 02:00
//! epoch                  segment.start                                 segment.start
//! ```
//!
//! The rules come from the database bundled with the binary, never from the machine's files: all
//! nodes built alike agree on every instant.

use std::fmt;

use chrono::{DateTime, TimeDelta, Utc};
use jiff::tz::{AmbiguousOffset, Offset, TimeZone, TimeZoneDatabase, TimeZoneName};
use jiff::{SignedDuration, Timestamp, civil};

use super::TriggerError;

/// A time zone of the bundled IANA database. Cheap to clone; equal when the names are.
#[derive(Clone)]
pub struct Zone(TimeZone);

impl Zone {
    /// UTC, the default.
    pub fn utc() -> Self {
        Zone(TimeZone::UTC)
    }

    /// Looks up a zone by its IANA name, in any case; [`Zone::name`] has the usual spelling.
    ///
    /// # Errors
    /// [`TriggerError::Zone`] names the value and the nearest known name.
    pub fn named(name: &str) -> Result<Self, TriggerError> {
        let database = TimeZoneDatabase::bundled();
        let found = database.get(name).ok().filter(|zone| !zone.is_unknown());
        found.map(Zone).ok_or_else(|| {
            let names: Vec<_> = database.available().collect();
            TriggerError::zone(name, names.iter().map(TimeZoneName::as_str))
        })
    }

    /// The IANA name, such as `Europe/London`.
    pub fn name(&self) -> &str {
        self.0.iana_name().expect("zones come from the bundled database, which names them")
    }

    /// The instant as RFC 3339 with the zone's offset: `2026-03-29T02:00:00+01:00`. Milliseconds
    /// appear when there are any; beyond the years -9999 to 9999 it shows their bound.
    pub fn to_local(&self, at: DateTime<Utc>) -> String {
        let clamped = timestamp(at.timestamp());
        let nanos = i64::from(at.timestamp_subsec_nanos()).min(999_999_999);
        let at = clamped.checked_add(SignedDuration::from_nanos(nanos)).unwrap_or(clamped);
        let shown = at.display_with_offset(self.0.to_offset(at));
        if nanos == 0 { shown.to_string() } else { format!("{shown:.3}") }
    }

    /// The change of the clocks that is nearest to `at`, if there is one within a day: when, and by how much they went
    /// forward; negative: back.
    pub fn change_near(&self, at: DateTime<Utc>) -> Option<(DateTime<Utc>, TimeDelta)> {
        let segment = self.segment_at(at.timestamp());
        let before = segment.start.map(|start| (start, segment.offset - segment.before));
        let after = segment.end.map(|end| (end, self.offset_at(end) - segment.offset));
        let changes = before.into_iter().chain(after);
        let distance = |(change, _): &(i64, i64)| (change - at.timestamp()).abs();
        let (change, forward) =
            changes.min_by_key(distance).filter(|one| distance(one) <= 86_400)?;
        Some((DateTime::from_timestamp(change, 0)?, TimeDelta::seconds(forward)))
    }

    /// Seconds to add to epoch seconds at this instant to get civil seconds.
    fn offset_at(&self, at: i64) -> i64 {
        self.0.to_offset(timestamp(at)).seconds().into()
    }

    /// The segment that holds the instant. Changes of a zone's name alone do not end a segment.
    pub(super) fn segment_at(&self, at: i64) -> Segment {
        let offset = self.offset_at(at);
        let end = self
            .0
            .following(timestamp(at))
            .find(|change| i64::from(change.offset().seconds()) != offset)
            .map(|change| change.timestamp().as_second());
        // `preceding` is strict: one second later it includes a change at `at` itself.
        let (start, before) = self
            .0
            .preceding(timestamp(at + 1))
            .map(|change| change.timestamp().as_second())
            .map(|start| (start, self.offset_at(start - 1)))
            .find(|(_, before)| *before != offset)
            .map_or((None, offset), |(start, before)| (Some(start), before));
        Segment { start, end, offset, before }
    }

    /// The instant, in epoch seconds, of a civil time: in a gap the first instant after it, in an
    /// overlap the earlier of the two.
    pub(super) fn place(&self, civil: civil::DateTime) -> i64 {
        let seconds = civil_seconds(civil);
        match self.0.to_ambiguous_timestamp(civil).offset() {
            AmbiguousOffset::Unambiguous { offset } => seconds - i64::from(offset.seconds()),
            AmbiguousOffset::Fold { before, .. } => seconds - i64::from(before.seconds()),
            AmbiguousOffset::Gap { before, .. } => {
                // Read with the old offset, a time in the gap lies in the segment that the gap opens.
                let within = seconds - i64::from(before.seconds());
                self.segment_at(within).start.unwrap_or(within)
            }
        }
    }
}

impl Default for Zone {
    fn default() -> Self {
        Zone::utc()
    }
}

impl PartialEq for Zone {
    fn eq(&self, other: &Self) -> bool {
        self.name() == other.name()
    }
}

impl Eq for Zone {}

impl fmt::Debug for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Zone({})", self.name())
    }
}

/// A stretch of real time in which a zone's offset is constant. All values are seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Segment {
    /// Its first instant; `None` when it reaches back for ever.
    pub(super) start: Option<i64>,
    /// The first instant after it; `None` when it never ends.
    pub(super) end: Option<i64>,
    /// Civil minus epoch seconds within it.
    pub(super) offset: i64,
    /// The same in the segment before it; equal to `offset` when there is none.
    pub(super) before: i64,
}

/// Civil time as civil seconds.
pub(super) fn civil_seconds(civil: civil::DateTime) -> i64 {
    let epoch = civil::DateTime::constant(1970, 1, 1, 0, 0, 0, 0);
    civil.duration_since(epoch).as_secs()
}

/// Civil seconds as civil time. Only for seconds within the years 1 to 9998.
pub(super) fn civil_time(seconds: i64) -> civil::DateTime {
    Offset::UTC.to_datetime(timestamp(seconds))
}

/// Epoch seconds as a timestamp, held within what jiff can express (years -9999 to 9999).
fn timestamp(seconds: i64) -> Timestamp {
    let range = Timestamp::MIN.as_second()..=Timestamp::MAX.as_second();
    Timestamp::from_second(seconds.clamp(*range.start(), *range.end()))
        .expect("clamped to the range of Timestamp")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zone_is_found_in_any_case_and_named_as_usual() {
        assert_eq!(Zone::named("europe/LONDON").unwrap().name(), "Europe/London");
        assert_eq!(Zone::named("Europe/London").unwrap(), Zone::named("europe/london").unwrap());
        assert_ne!(Zone::named("Europe/London").unwrap(), Zone::default());
        assert_eq!(Zone::named("utc").unwrap(), Zone::utc());
        assert_eq!(format!("{:?}", Zone::utc()), "Zone(UTC)");
    }

    #[test]
    fn an_unknown_zone_is_refused_with_the_nearest_name() {
        #[track_caller]
        fn check(name: &str, text: &str) {
            assert_eq!(Zone::named(name).unwrap_err().to_string(), format!("timezone {text}"));
        }
        let expected = "is not known, expected a name such as Europe/London";
        check("Europe/Lundon", &format!(r#""Europe/Lundon" {expected} (nearest: Europe/London)"#));
        check("", &format!(r#""" {expected}"#));
        check("+08:00", &format!(r#""+08:00" {expected}"#));
        check("CST6CDT,M3.2.0,M11.1.0", &format!(r#""CST6CDT,M3.2.0,M11.1.0" {expected}"#));
        assert!(Zone::named("Etc/Unknown").is_err());
        assert!(Zone::named("../../etc/passwd").is_err());
        assert!(Zone::named(&"x".repeat(100_000)).unwrap_err().to_string().len() < 200);
    }

    #[test]
    fn local_time_carries_its_offset() {
        #[track_caller]
        fn check(zone: &str, at: &str, local: &str) {
            assert_eq!(Zone::named(zone).unwrap().to_local(at.parse().unwrap()), local);
        }
        check("Europe/London", "2026-03-29T00:59:59Z", "2026-03-29T00:59:59+00:00");
        check("Europe/London", "2026-03-29T01:00:00Z", "2026-03-29T02:00:00+01:00");
        check("Asia/Kathmandu", "2026-01-01T00:00:00.250Z", "2026-01-01T05:45:00.250+05:45");
        check("UTC", "2026-01-01T00:00:00Z", "2026-01-01T00:00:00+00:00");
        let shanghai = Zone::named("Asia/Shanghai").unwrap();
        for extreme in [DateTime::<Utc>::MIN_UTC, DateTime::<Utc>::MAX_UTC] {
            assert!(!shanghai.to_local(extreme - chrono::TimeDelta::zero()).is_empty());
        }
    }

    #[test]
    fn a_civil_time_is_placed_after_its_gap_and_in_its_first_pass() {
        #[track_caller]
        fn check(zone: &str, civil: &str, instant: &str) {
            let at = Zone::named(zone).unwrap().place(civil.parse().unwrap());
            assert_eq!(
                DateTime::from_timestamp(at, 0).unwrap().to_rfc3339(),
                format!("{instant}+00:00")
            );
        }
        check("Europe/London", "2026-03-29T00:59:59", "2026-03-29T00:59:59");
        check("Europe/London", "2026-03-29T01:00:00", "2026-03-29T01:00:00");
        check("Europe/London", "2026-03-29T01:59:59", "2026-03-29T01:00:00");
        check("Europe/London", "2026-03-29T02:00:00", "2026-03-29T01:00:00");
        check("Europe/London", "2026-10-25T01:30:00", "2026-10-25T00:30:00");
        check("Europe/London", "2026-10-25T02:00:00", "2026-10-25T02:00:00");
        check("Australia/Lord_Howe", "2026-10-04T02:15:00", "2026-10-03T15:30:00");
        check("Pacific/Apia", "2011-12-30T12:00:00", "2011-12-30T10:00:00");
    }

    #[test]
    fn a_segment_reaches_from_change_to_change() {
        let london = Zone::named("Europe/London").unwrap();
        // 2026-03-29T01:00:00Z to 2026-10-25T01:00:00Z.
        let summer = Segment {
            start: Some(1_774_746_000),
            end: Some(1_792_890_000),
            offset: 3_600,
            before: 0,
        };
        assert_eq!(london.segment_at(1_774_746_000), summer);
        assert_eq!(london.segment_at(1_792_889_999), summer);
        assert_eq!(london.segment_at(1_774_745_999).end, Some(1_774_746_000));
        assert_eq!(london.segment_at(1_792_890_000).before, 3_600);
        let utc = Segment { start: None, end: None, offset: 0, before: 0 };
        assert_eq!(Zone::utc().segment_at(0), utc);
    }
}
