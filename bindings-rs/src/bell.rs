//! A number in the engine's own memory: how many news wait for it. It looks there before it asks,
//! so that a batch of events without news costs no call of the addon.
use std::ptr::NonNull;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::Relaxed;

pub struct Bell(NonNull<u32>);

// SAFETY: whoever lends the memory keeps it until the desk has another bell or none, and the desk
// writes there under its lock alone.
unsafe impl Send for Bell {}

impl Bell {
    /// In the first of the words; `None` where there is none.
    pub fn new(words: &mut [u32]) -> Option<Self> {
        words.first_mut().map(|first| Self(NonNull::from(first)))
    }

    pub fn set(&self, news: usize) {
        // SAFETY: the memory is lent (above), and a u32 is aligned as an AtomicU32 is.
        let word = unsafe { AtomicU32::from_ptr(self.0.as_ptr()) };
        word.store(u32::try_from(news).unwrap_or(u32::MAX), Relaxed);
    }
}
