//! Of which codes every event can be done with at once, as far as their guards say.
use probe::sieve::effect;
use probe::sieve::{Guard, Verdict};
use probe::table as t;

/// Of which codes no rule wants an event, and nothing else speaks against it.
#[derive(Clone, Copy, Default)]
pub struct Usual {
    pub close: bool,
    pub fcntl: bool,
}

impl Usual {
    pub fn of(guards: &[Guard], counts: &[u8], uses: &[i8]) -> Usual {
        let is_plain = |code: u16, effect: u8, count: u8| {
            let code = usize::from(code);
            guards[code].verdict == Verdict::Drop as u8
                && guards[code].effect == effect
                && counts[code] == count
                && uses[code] == 1
        };
        Usual {
            close: is_plain(t::SYSCALL_CLOSE_X, effect::CLOSE, 2),
            fcntl: is_plain(t::SYSCALL_FCNTL_X, effect::FCNTL, 4),
        }
    }
}
