//! What befalls the database.

use std::{collections::VecDeque, time::Duration};

use anyhow::{Result, ensure};
use fastrand::Rng;
use scheduler_core::clock;
use serde::Serialize;

use super::{Plan, nodes::Nodes};
use crate::{dbproxy::DbProxy, servers::MariaDb};

/// How the database goes away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// As by a power cut; then it is started again.
    Killed,
    /// It takes connections and never answers.
    Frozen,
    /// It refuses to write, as after a failover.
    ReadOnly,
    /// Nothing passes between it and the programs.
    CutOff,
}

impl Kind {
    const ALL: [Kind; 4] = [Kind::Killed, Kind::Frozen, Kind::ReadOnly, Kind::CutOff];

    fn begin(self, server: &MariaDb, links: &[DbProxy]) -> Result<()> {
        match self {
            Kind::Killed => server.kill(),
            Kind::Frozen => server.freeze(),
            Kind::ReadOnly => server.client("", "SET GLOBAL read_only = 1").map(drop),
            Kind::CutOff => {
                links.iter().for_each(DbProxy::cut_off);
                Ok(())
            }
        }
    }

    fn end(self, server: &MariaDb, links: &[DbProxy]) -> Result<()> {
        match self {
            Kind::Killed => server.start_again(),
            Kind::Frozen => server.thaw(),
            Kind::ReadOnly => server.client("", "SET GLOBAL read_only = 0").map(drop),
            Kind::CutOff => {
                links.iter().for_each(DbProxy::restore);
                Ok(())
            }
        }
    }

    /// Whether people can still edit rows.
    fn lets_people_in(self) -> bool {
        matches!(self, Kind::ReadOnly | Kind::CutOff)
    }
}

/// An outage that is over, by the wall clock.
#[derive(Clone, Copy, Debug)]
pub(super) struct Outage {
    pub(super) kind: Kind,
    pub(super) from_ms: i64,
    pub(super) until_ms: i64,
}

/// How long before and after an outage nothing else befalls the node that shows when all goes on.
pub(super) const RECOVERY: Duration = Duration::from_secs(12);

/// The outages, one after the other. Times count from the begin of the torment.
pub(super) struct Outages {
    /// When, of which kind, until when.
    planned: VecDeque<(Duration, Kind, Duration)>,
    /// Of which kind, since when by the wall clock, until when.
    now: Option<(Kind, i64, Duration)>,
    calm_at: Duration,
    pub(super) past: Vec<Outage>,
}

impl Outages {
    /// Outages spread evenly: first one of each kind in a drawn order, as long as the plan says; further ones of
    /// drawn kinds and of drawn lengths up to that.
    ///
    /// # Errors
    /// When there is no time for so many of that length.
    pub(super) fn draw(plan: &Plan, rng: &mut Rng) -> Result<Self> {
        let mut kinds = Kind::ALL;
        rng.shuffle(&mut kinds);
        let slot = plan.span / plan.outages.max(1);
        ensure!(
            plan.outages == 0 || slot >= plan.outage + RECOVERY,
            "{} outages of {} s need more than {} s",
            plan.outages,
            plan.outage.as_secs(),
            plan.span.as_secs()
        );
        let planned = (0..plan.outages).map(|index| {
            let first = kinds.get(index as usize);
            let kind = first.copied().unwrap_or(kinds[rng.usize(0..kinds.len())]);
            let length = if first.is_some() { plan.outage } else { plan.outage.mul_f64(rng.f64()) };
            let from = slot * index + (slot - plan.outage - RECOVERY) / 2;
            (from, kind, from + length)
        });
        let planned = planned.collect();
        Ok(Self { planned, now: None, calm_at: Duration::ZERO, past: Vec::new() })
    }

    /// Begins or ends what is due.
    pub(super) fn go_on(
        &mut self,
        elapsed: Duration,
        server: &MariaDb,
        nodes: &mut Nodes,
    ) -> Result<()> {
        if let Some((kind, from_ms, until)) = self.now {
            if elapsed >= until {
                kind.end(server, &nodes.links)?;
                self.now = None;
                self.calm_at = elapsed + RECOVERY;
                self.past.push(Outage { kind, from_ms, until_ms: wall_ms() });
            }
            return Ok(());
        }
        let Some((_, kind, until)) = self.planned.pop_front_if(|(from, ..)| *from <= elapsed)
        else {
            return Ok(());
        };
        nodes.restore_all();
        self.now = Some((kind, wall_ms(), until));
        kind.begin(server, &nodes.links)
    }

    /// Whether the database is away.
    pub(super) fn is_on(&self) -> bool {
        self.now.is_some()
    }

    /// Whether the database is away, soon will be, or was just now.
    pub(super) fn is_felt(&self, elapsed: Duration) -> bool {
        let is_near = self.planned.front().is_some_and(|(from, ..)| *from < elapsed + RECOVERY);
        self.is_on() || is_near || elapsed < self.calm_at
    }

    pub(super) fn lets_people_in(&self) -> bool {
        self.now.is_none_or(|(kind, ..)| kind.lets_people_in())
    }
}

pub(super) fn wall_ms() -> i64 {
    clock::wall().timestamp_millis()
}
