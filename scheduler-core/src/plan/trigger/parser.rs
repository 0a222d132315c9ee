//! From a row's columns to a trigger, sharing what is costly.

use std::collections::HashMap;
use std::sync::{Arc, Weak};

use super::{
    Anchor, CronDialect, CronTrigger, DateTrigger, IntervalTrigger, Trigger, TriggerError,
    TriggerKind, Zone,
};

/// 255: the width of the column `spec`. What is longer is refused before any other work.
const SPEC_CHARS: usize = 255;

/// Turns specs into triggers, and shares what is costly: a parsed cron pattern takes kilobytes and
/// 35 µs, and many rows carry the same one.
#[derive(Debug)]
pub struct Parser {
    dialect: CronDialect,
    /// By zone, then by spec. `Weak`, so that a pattern no task uses any more is freed.
    patterns: HashMap<String, HashMap<String, Weak<CronTrigger>>>,
    /// Patterns held, living and dead. When it reaches `prune_at` the dead leave.
    held: usize,
    prune_at: usize,
}

/// 64: below this many patterns nothing is gained by looking for dead ones.
const PRUNE_FLOOR: usize = 64;

impl Parser {
    /// A parser for one dialect, holding no patterns yet.
    pub fn new(dialect: CronDialect) -> Self {
        Parser { dialect, patterns: HashMap::new(), held: 0, prune_at: PRUNE_FLOOR }
    }

    /// Parses `spec` as a trigger of the given kind. `zone` says what civil time means in a cron
    /// pattern or in a date without an offset. Blanks around the spec are ignored.
    ///
    /// # Errors
    /// Whatever is wrong with the spec: its length, characters, number of fields, one of its fields,
    /// a pattern that never fires, an interval out of range, a date that does not exist.
    pub fn parse(
        &mut self,
        kind: TriggerKind,
        spec: &str,
        zone: &Zone,
        anchor: Anchor,
    ) -> Result<Trigger, TriggerError> {
        if spec.chars().nth(SPEC_CHARS).is_some() {
            return Err(TriggerError::too_long(spec));
        }
        match kind {
            TriggerKind::Cron => self.cron(spec, zone).map(Trigger::Cron),
            TriggerKind::Date => DateTrigger::parse(spec, zone, anchor).map(Trigger::Date),
            TriggerKind::Interval => IntervalTrigger::parse(spec, anchor).map(Trigger::Interval),
        }
    }

    fn cron(&mut self, spec: &str, zone: &Zone) -> Result<Arc<CronTrigger>, TriggerError> {
        let known = self.patterns.get(zone.name()).and_then(|specs| specs.get(spec));
        if let Some(shared) = known.and_then(Weak::upgrade) {
            return Ok(shared);
        }
        let parsed = Arc::new(CronTrigger::parse(spec, zone, self.dialect)?);
        self.remember(spec, zone, &parsed);
        Ok(parsed)
    }

    fn remember(&mut self, spec: &str, zone: &Zone, parsed: &Arc<CronTrigger>) {
        if self.held >= self.prune_at {
            self.prune();
        }
        let specs = self.patterns.entry(zone.name().to_owned()).or_default();
        let replaced = specs.insert(spec.to_owned(), Arc::downgrade(parsed));
        self.held += usize::from(replaced.is_none());
    }

    /// Drops dead patterns. Waiting for twice the survivors makes the cost constant per pattern.
    fn prune(&mut self) {
        self.patterns.retain(|_, specs| {
            specs.retain(|_, pattern| pattern.strong_count() > 0);
            !specs.is_empty()
        });
        self.held = self.patterns.values().map(HashMap::len).sum();
        self.prune_at = PRUNE_FLOOR.max(self.held * 2);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn anchor() -> Anchor {
        let at = "2026-01-01T00:00:00Z".parse().unwrap();
        Anchor { created_at: at, updated_at: at }
    }

    fn cron(parser: &mut Parser, spec: &str, zone: &Zone) -> Arc<CronTrigger> {
        match parser.parse(TriggerKind::Cron, spec, zone, anchor()).unwrap() {
            Trigger::Cron(shared) => shared,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn equal_patterns_in_one_zone_share_one_parsed_form() {
        let mut parser = Parser::new(CronDialect::Standard);
        let paris = Zone::named("Europe/Paris").unwrap();
        let first = cron(&mut parser, "0 4 * * *", &paris);
        assert!(Arc::ptr_eq(&first, &cron(&mut parser, "0 4 * * *", &paris)));
        assert!(!Arc::ptr_eq(&first, &cron(&mut parser, "0 5 * * *", &paris)));
        assert!(!Arc::ptr_eq(&first, &cron(&mut parser, "0 4 * * *", &Zone::utc())));
    }

    #[test]
    fn the_parser_forgets_patterns_that_nobody_uses() {
        let mut parser = Parser::new(CronDialect::Standard);
        let kept = cron(&mut parser, "0 4 * * *", &Zone::utc());
        for edit in 0..1_000 {
            let spec = format!("{} {} * * *", edit % 60, edit / 60);
            cron(&mut parser, &spec, &Zone::utc());
            assert!(parser.held <= PRUNE_FLOOR + 1, "{} patterns held", parser.held);
        }
        assert!(Arc::ptr_eq(&kept, &cron(&mut parser, "0 4 * * *", &Zone::utc())));
    }

    #[test]
    fn a_spec_of_255_characters_is_read_and_one_of_256_refused() {
        let mut parser = Parser::new(CronDialect::Standard);
        let mut check = |kind, spec: &str| parser.parse(kind, spec, &Zone::utc(), anchor());
        let longest = format!("{:<255}", "0 4 * * *");
        assert!(check(TriggerKind::Cron, &longest).is_ok());
        let refused = check(TriggerKind::Cron, &format!("{longest} ")).unwrap_err().to_string();
        let start = format!("spec \"{:<80}…\"", "0 4 * * *");
        assert_eq!(refused, format!("{start} is too long, expected at most 255 characters"));
        for kind in TriggerKind::ALL {
            assert!(check(kind, &"9".repeat(10_000)).unwrap_err().to_string().len() < 200);
        }
    }

    #[test]
    fn a_trigger_knows_its_kind() {
        let mut parser = Parser::new(CronDialect::Standard);
        for (kind, spec) in [
            (TriggerKind::Cron, "@daily"),
            (TriggerKind::Date, "now"),
            (TriggerKind::Interval, "5"),
        ] {
            assert_eq!(parser.parse(kind, spec, &Zone::utc(), anchor()).unwrap().kind(), kind);
        }
    }
}
