//! What a queue of event blocks offers to those who merge it.

/// A queue of blocks.
pub trait Blocks {
    /// The oldest block, which stays.
    fn head(&mut self) -> Option<&[u8]>;
    /// Goes on to the one behind it.
    fn next(&mut self);
    /// Frees the room of all blocks passed so far.
    fn give_back(&mut self);
}
