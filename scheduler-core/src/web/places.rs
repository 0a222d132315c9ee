//! Places for connections: when none is free, one of whoever has most of them is closed, so that nobody keeps the others out
//! by holding connections.

use std::{
    collections::{BTreeMap, HashMap},
    net::IpAddr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use tokio_util::sync::CancellationToken;

/// The places, which are numbered in the order of arrival.
#[derive(Debug)]
pub(super) struct Places {
    most: usize,
    taken: Mutex<(u64, BTreeMap<u64, Taken>)>,
}

#[derive(Debug)]
struct Taken {
    from: IpAddr,
    is_answering: Arc<AtomicBool>,
    close: CancellationToken,
}

/// A place of a connection, free again when it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    places: Arc<Places>,
    number: u64,
    /// Whether a request of it is being answered.
    pub(super) is_answering: Arc<AtomicBool>,
    /// The place is wanted for somebody else.
    pub(super) close: CancellationToken,
}

impl Places {
    pub(super) fn new(most: usize) -> Arc<Self> {
        Arc::new(Self { most, taken: Mutex::default() })
    }

    /// A place for a connection from there.
    pub(super) fn take(self: &Arc<Self>, from: IpAddr) -> Place {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let (next, taken) = &mut *taken;
        if taken.len() >= self.most
            && let Some(number) = whose_turn(taken)
            && let Some(closed) = taken.remove(&number)
        {
            closed.close.cancel();
        }
        let number = *next;
        *next += 1;
        let (is_answering, close) = (Arc::<AtomicBool>::default(), CancellationToken::new());
        let place = Taken { from, is_answering: Arc::clone(&is_answering), close: close.clone() };
        taken.insert(number, place);
        Place { places: Arc::clone(self), number, is_answering, close }
    }
}

/// Of those who have most places the one that has been there for longest, rather one of which nothing is asked just now.
fn whose_turn(taken: &BTreeMap<u64, Taken>) -> Option<u64> {
    let mut counts: HashMap<IpAddr, usize> = HashMap::new();
    taken.values().for_each(|place| *counts.entry(place.from).or_default() += 1);
    let most = counts.values().max().copied()?;
    let of_most = taken.iter().filter(|(_, place)| counts[&place.from] == most);
    let by_need =
        |(number, place): &(&u64, &Taken)| (place.is_answering.load(Ordering::Relaxed), **number);
    of_most.min_by_key(by_need).map(|(number, _)| *number)
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.taken.lock().unwrap_or_else(PoisonError::into_inner);
        taken.1.remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANN: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));
    const BOB: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 2));

    fn closed(places: &[&Place]) -> Vec<bool> {
        places.iter().map(|place| place.close.is_cancelled()).collect()
    }

    #[test]
    fn whoever_has_most_gives_one_up_and_rather_one_of_which_nothing_is_asked() {
        let places = Places::new(3);
        let (first, second, bobs) = (places.take(ANN), places.take(ANN), places.take(BOB));
        first.is_answering.store(true, Ordering::Relaxed);
        let fourth = places.take(BOB);
        assert_eq!(closed(&[&first, &second, &bobs, &fourth]), [false, true, false, false]);
        // Bob has most now, and his older one goes.
        let fifth = places.take(ANN);
        assert_eq!(closed(&[&first, &bobs, &fourth, &fifth]), [false, true, false, false]);
    }

    #[test]
    fn what_is_answered_is_closed_where_there_is_nothing_else() {
        let places = Places::new(1);
        let first = places.take(ANN);
        first.is_answering.store(true, Ordering::Relaxed);
        let second = places.take(BOB);
        assert_eq!(closed(&[&first, &second]), [true, false]);
    }

    #[test]
    fn a_place_that_is_left_is_free() {
        let places = Places::new(1);
        drop(places.take(ANN));
        let first = places.take(ANN);
        assert_eq!(closed(&[&first]), [false]);
    }
}
