//! Which fields a plugin is asked for together: what saker asks of batches comes in, those that are
//! asked of many of their events go out. A plugin reads an event anew when another was asked of
//! since, and a question to another process costs more than a value.
use std::sync::Arc;

use crate::extraction::Asked;
use crate::wire::WATCHED_MAX;

/// A field is asked often in a batch where it is of one event in so many.
const SHARE: usize = 8;
/// Batches in which a field is asked often before it is watched, and without which it no longer is.
const OFTEN: u32 = 3;
const FORGOTTEN: u64 = 64;
const KNOWN_MAX: usize = 256;

#[derive(Default)]
pub struct Watched {
    known: Vec<Known>,
    /// Those that are watched, in the order of the columns.
    pub now: Arc<[Asked]>,
    batch: u64,
}

struct Known {
    asked: Asked,
    /// Events of the batch at hand that it was asked of.
    events: usize,
    batches: u32,
    last: u64,
}

impl Watched {
    /// A field was asked of so many events of the batch at hand.
    pub fn ask(&mut self, asked: &Asked, events: usize) {
        if let Some(known) = self.known.iter_mut().find(|known| known.asked == *asked) {
            known.events += events;
        } else if self.known.len() < KNOWN_MAX {
            let last = self.batch;
            self.known.push(Known { asked: asked.clone(), events, batches: 0, last });
        }
    }

    /// The batch at hand, of so many events, is over; whether what is watched has changed.
    pub fn next(&mut self, events: usize) -> bool {
        let batch = self.batch;
        for known in &mut self.known {
            if known.events > 0 && known.events * SHARE >= events {
                known.batches += 1;
                known.last = batch;
            }
            known.events = 0;
        }
        self.batch += 1;
        let oldest = self.batch.saturating_sub(FORGOTTEN);
        self.known.retain(|known| known.last >= oldest);
        let often = self.known.iter().filter(|known| known.batches >= OFTEN).take(WATCHED_MAX);
        let same = often.clone().map(|known| &known.asked).eq(self.now.iter());
        if !same {
            self.now = often.map(|known| known.asked.clone()).collect();
        }
        !same
    }

    /// Another process knows of none.
    pub fn forget(&mut self) {
        self.now = Arc::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_often_is_watched_until_it_is_not() {
        let [often, rarely] = [3, 4].map(|field| Asked { field, key: None, index: None });
        let mut watched = Watched::default();
        for batch in 0..OFTEN {
            assert!(watched.now.is_empty(), "{batch}");
            watched.ask(&often, 1);
            watched.ask(&often, 1);
            watched.ask(&rarely, 1);
            assert_eq!(watched.next(2 * SHARE), batch + 1 == OFTEN);
        }
        assert_eq!(*watched.now, [often]);
        let changes = (0..=FORGOTTEN).filter(|_| watched.next(1)).count();
        assert_eq!((changes, watched.now.len()), (1, 0));
    }
}
