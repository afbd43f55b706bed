//! Where the walk over a path stands, to go on from there.
use probe::sieve::{Names, Walk};

/// Falco's fields show another text for longer paths.
pub const PATH_BYTES: usize = 1000;

/// A walk over a path, to go on below it.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    pub walk: Walk,
    pub length: usize,
}

/// The walk over a text; `None` where it is not what a field would show.
pub fn walk(names: &Names, from: Option<Place>, text: &[u8]) -> Option<Place> {
    let (mut walk, before) =
        from.map_or((Walk::begin(names), 0), |place| (place.walk, place.length));
    let mut whole = true;
    for byte in text {
        walk.byte(names, *byte);
        whole &= *byte != 0;
    }
    let length = before + text.len();
    (whole && length < PATH_BYTES).then_some(Place { walk, length })
}
