//! Sessions of people.

use chrono::{SubsecRound as _, TimeDelta};

use super::Fixture;
use crate::store::SessionRow;

async fn session(fixture: &Fixture, digit: &str, lasts: TimeDelta) -> SessionRow {
    let expires_at = (fixture.store.now().await.unwrap() + lasts).trunc_subsecs(3);
    SessionRow { digest: digit.repeat(64), content: r#"{"name":"张三"}"#.to_owned(), expires_at }
}

pub async fn a_session_is_found_by_its_digest_until_it_ends(fixture: &Fixture) {
    let one = session(fixture, "a", TimeDelta::hours(1)).await;
    assert_eq!(fixture.store.session(&one.digest).await.unwrap(), None);
    fixture.store.add_session(&one).await.unwrap();
    assert_eq!(fixture.other.session(&one.digest).await.unwrap(), Some(one.clone()));
    assert_eq!(fixture.store.session(&one.digest.to_uppercase()).await.unwrap(), None);
    assert!(fixture.store.add_session(&one).await.is_err(), "the digest is taken");
    let changed = SessionRow { content: "{}".to_owned(), ..one.clone() };
    let changed = SessionRow { expires_at: one.expires_at + TimeDelta::hours(1), ..changed };
    fixture.store.change_session(&changed).await.unwrap();
    assert_eq!(fixture.store.session(&one.digest).await.unwrap(), Some(changed.clone()));
    assert_eq!(fixture.store.end_session(&one.digest).await.unwrap(), Some(changed.clone()));
    fixture.store.change_session(&changed).await.unwrap();
    assert_eq!(fixture.store.session(&one.digest).await.unwrap(), None, "it stays ended");
    assert_eq!(fixture.store.end_session(&one.digest).await.unwrap(), None);
}

pub async fn a_session_that_has_expired_is_not_there(fixture: &Fixture) {
    let past = session(fixture, "a", TimeDelta::seconds(-1)).await;
    fixture.store.add_session(&past).await.unwrap();
    assert_eq!(fixture.store.session(&past.digest).await.unwrap(), None);
    let lasting = session(fixture, "b", TimeDelta::hours(1)).await;
    fixture.store.add_session(&lasting).await.unwrap();
    // Forgotten, so that its digest is free.
    fixture.store.add_session(&past).await.unwrap();
    assert_eq!(fixture.store.end_session(&past.digest).await.unwrap(), None);
    assert_eq!(fixture.store.session(&lasting.digest).await.unwrap(), Some(lasting));
}

pub async fn of_several_who_end_a_session_one_is_given_it(fixture: &Fixture) {
    for _ in 0..20 {
        let one = session(fixture, "a", TimeDelta::hours(1)).await;
        fixture.store.add_session(&one).await.unwrap();
        let digest = one.digest.as_str();
        let (a, b, c) = tokio::join!(
            fixture.store.end_session(digest),
            fixture.other.end_session(digest),
            fixture.third.end_session(digest)
        );
        let given = [a, b, c].into_iter().filter_map(Result::unwrap).collect::<Vec<_>>();
        assert_eq!(given, [one]);
    }
}
