//! The clock of the database, while those of the machines are right: F59.

use tests::servers::MariaDb;

use crate::cluster::{Cluster, WallClock};

const HOUR: f64 = 3_600.0;

/// Two nodes, one of which runs a job all the time, on a server whose clock is the one given with them.
fn two_nodes_and_a_long_run(common: &'static str, test: impl FnOnce(&Cluster<'_>, &WallClock)) {
    let Some(clock) = WallClock::right() else { return };
    let Some(server) = MariaDb::start_in(&clock.environment(), &[]).unwrap() else { return };
    let mut cluster = Cluster::new(&server, common);
    cluster.start(None);
    cluster.start(None);
    cluster.runs_for_long();
    cluster.fires_each_second();
    cluster.goes_on();
    test(&cluster, &clock);
    let lost = "SELECT COUNT(*) FROM execute_task WHERE status = 'lost'";
    assert_eq!(cluster.number(lost), 0, "who lives was taken for dead");
    let long = "SELECT COUNT(*) FROM execute_task e JOIN task t ON t.id = e.task_id WHERE task_key = 'long'";
    assert_eq!(cluster.number(long), 1, "the long run was claimed once");
}

#[test]
fn while_the_databases_clock_is_off_nothing_is_claimed_and_nobody_is_taken_for_dead() {
    two_nodes_and_a_long_run("", |cluster, clock| {
        for hours in [1.0, -1.0] {
            clock.set(hours * HOUR);
            cluster.falls_silent();
            clock.set(0.0);
            cluster.goes_on();
        }
        cluster.has_each_second_once();
    });
}

#[test]
fn who_tolerates_it_follows_the_databases_clock_and_repeats_nothing_when_that_is_set_back() {
    two_nodes_and_a_long_run("clock_tolerance = \"1h\"\n", |cluster, clock| {
        clock.set(HOUR / 2.0);
        // Until the next renewal fires still come by the clock as it was.
        let ahead = "SELECT COUNT(*) FROM execute_task WHERE status = 'success' \
                     AND scheduled_at DIV 1000 > UNIX_TIMESTAMP() - 60";
        cluster.comes_to(2, ahead);
        clock.set(0.0);
        // All instants up to the half hour ahead are accounted for.
        cluster.falls_silent();
        cluster.has_each_second_once();
    });
}
