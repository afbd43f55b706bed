//! What is known of a descriptor: what the engine's entry for it may be, and what is held back.

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[repr(u8)]
pub enum State {
    /// The engine may have any entry, or none.
    #[default]
    Unknown,
    /// The engine has no entry.
    Absent,
    /// The engine has the entry of a file or a directory.
    File,
    /// From here on something is held back. A close: the engine may have an entry, the process has
    /// none.
    Closed,
    /// An open is held back; the entry that the engine may have is not what the process has.
    Pending,
    /// The events that made a socket and led it somewhere are held back.
    Socket,
}

impl State {
    /// Whether something is held back.
    #[inline]
    pub fn is_held(self) -> bool {
        self as u8 >= State::Closed as u8
    }

    /// Whether the engine may have an entry, of this or an older descriptor; of what is held back
    /// its slot tells.
    #[inline]
    pub fn may_be_there(self) -> bool {
        // One test of a bit: what a descriptor was before is anybody's guess.
        const THERE: u8 =
            1 << State::Unknown as u8 | 1 << State::File as u8 | 1 << State::Closed as u8;
        THERE >> self as u8 & 1 != 0
    }
}
