//! The clock of a machine, while that of the database is right.

use tests::servers::mariadb;

use crate::cluster::{Cluster, WallClock};

#[test]
fn a_wall_clock_that_is_set_moves_no_fire_and_one_that_is_off_claims_nothing() {
    let (Some(server), Some(clock)) = (mariadb(), WallClock::right()) else { return };
    let mut cluster = Cluster::new(server, "");
    cluster.start(Some(&clock));
    cluster.fires_each_second();
    cluster.goes_on();
    for hours in [1.0, -1.0, 24.0, -24.0] {
        clock.set(hours * 3_600.0);
        cluster.falls_silent();
        clock.set(0.0);
        cluster.goes_on();
    }
    // Within the tolerance of 2 s nothing is to be seen.
    for seconds in [1.5, -1.5] {
        clock.set(seconds);
        cluster.goes_on();
        let silence =
            cluster.number("SELECT TIMESTAMPDIFF(SECOND, MAX(create_at), NOW()) FROM execute_task");
        assert!(silence <= 2, "{silence} s");
    }
    let early = "SELECT COUNT(*) FROM execute_task WHERE started_at < scheduled_at \
                 OR UNIX_TIMESTAMP(create_at) < FLOOR(scheduled_at / 1000)";
    assert_eq!(cluster.number(early), 0, "fires by another clock than the database's");
    cluster.has_each_second_once();
}
