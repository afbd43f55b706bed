//! Maps and sets of threads by their ids.
use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};

/// A hash of whole numbers that are spread already.
#[derive(Default)]
pub struct Spread(u64);

impl Hasher for Spread {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_i64(i64::from(*byte));
        }
    }
    fn write_i64(&mut self, number: i64) {
        self.0 = (self.0.rotate_left(5) ^ number as u64).wrapping_mul(0x517c_c1b7_2722_0a95);
    }
}

pub type Map<T> = HashMap<i64, T, BuildHasherDefault<Spread>>;
pub type Tids = HashSet<i64, BuildHasherDefault<Spread>>;
