//! Which columns a plugin's process makes of each batch unasked: what saker asks of batches comes
//! in, those that are asked often go out.
use std::sync::Arc;

use crate::extraction::Asked;
use crate::wire::WATCHED_MAX;

/// Batches in which a field is asked before it is watched, and without which it no longer is.
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
    batches: u32,
    last: u64,
}

impl Watched {
    /// A field was asked of the batch at hand.
    pub fn ask(&mut self, asked: &Asked) {
        let batch = self.batch;
        if let Some(known) = self.known.iter_mut().find(|known| known.asked == *asked) {
            known.batches += u32::from(known.last != batch);
            known.last = batch;
        } else if self.known.len() < KNOWN_MAX {
            self.known.push(Known { asked: asked.clone(), batches: 1, last: batch });
        }
    }

    /// The next batch; whether what is watched has changed.
    pub fn next(&mut self) -> bool {
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
        let asked = Asked { field: 3, key: None, index: None };
        let mut watched = Watched::default();
        for batch in 0..OFTEN {
            assert!(watched.now.is_empty(), "{batch}");
            watched.ask(&asked);
            watched.ask(&asked);
            assert_eq!(watched.next(), batch + 1 == OFTEN);
        }
        assert_eq!(*watched.now, [asked]);
        let changes = (0..=FORGOTTEN).filter(|_| watched.next()).count();
        assert_eq!((changes, watched.now.len()), (1, 0));
    }
}
