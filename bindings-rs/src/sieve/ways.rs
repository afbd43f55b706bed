//! In which ways the engine may understand where a call leads its socket. In: a connect or an
//! accept, and what is held back of its socket. Out: the ways; none: they are not known.
use probe::table as t;

use super::ends::{NOTHING, OF_UNIX, UNIX, Ways, ends, is_pair};
use super::out::blocks;
use super::pass::Sieve;
use super::record::{Record, word};
use super::tables::State;

const EINPROGRESS: i64 = 115;
/// The parameter with both ends.
const TUPLE: usize = 1;
/// Of a bind, with the address; of a socket, with its family.
const ADDRESSED: usize = 1;
const AF_UNIX: u32 = 1;

impl Sieve {
    /// The ways in which the engine may understand a call; `None`: they are not known.
    pub fn ways(&self, record: &Record, table: usize) -> Option<Ways> {
        let result = record.result()?;
        let tuple = record.bytes(TUPLE);
        let mut ways = Ways::default();
        match record.code as u16 {
            t::SOCKET_ACCEPT_5_X | t::SOCKET_ACCEPT4_6_X if result >= 0 && is_pair(tuple) => {
                match ends(tuple) {
                    Some(ends) => ways.add_ends(ends),
                    None => ways.add_kind(OF_UNIX),
                }
            }
            t::SOCKET_CONNECT_X if (result >= 0 || result == -EINPROGRESS) && is_pair(tuple) => {
                self.connects(record, table, tuple, &mut ways)?;
            }
            _ => return None,
        }
        Some(ways)
    }

    /// A connect: as the event has it where the socket is new; an older one may have the ends the
    /// other way round, and one that is not held back may be unknown to the engine.
    fn connects(&self, record: &Record, table: usize, tuple: &[u8], ways: &mut Ways) -> Option<()> {
        let number = self.used(record)?;
        let table = &self.tables.all[table];
        let is_held = table.state(number) == State::Socket;
        let held = match usize::try_from(number).ok().filter(|_| is_held) {
            Some(at) => &table.slots.get(at)?.block[..],
            None => &[],
        };
        let Some([client, server]) = ends(tuple) else {
            // Of another family's socket the engine changes nothing.
            self.is_unix(held)?;
            ways.add_kind(OF_UNIX);
            return Some(());
        };
        ways.add_ends([client, server]);
        if !self.is_new(held) {
            // Where it had ends of another family the engine may leave those.
            if client.is_zero() && server.is_zero() {
                return None;
            }
            ways.add_ends([server, client]);
        }
        if !is_held {
            ways.add_kind(NOTHING);
        }
        Some(())
    }

    /// Whether the blocks made a socket, and no more.
    fn is_new(&self, held: &[u8]) -> bool {
        let length = if held.is_empty() { 0 } else { word(held, 4) as usize };
        held.len() == length
            && Record::read(held, &self.counts)
                .is_some_and(|made| made.code == usize::from(t::SOCKET_SOCKET_X))
    }

    /// Something where the blocks made a unix socket and led it to unix ones alone.
    fn is_unix(&self, held: &[u8]) -> Option<()> {
        let mut blocks = blocks(held).map(|at| &held[at..at + word(held, at + 4) as usize]);
        let made = Record::read(blocks.next()?, &self.counts)?;
        let is_made = made.code == usize::from(t::SOCKET_SOCKET_X)
            && made.length(ADDRESSED) == 4
            && word(made.block, made.start(ADDRESSED)) == AF_UNIX;
        let led = |block| {
            let led = Record::read(block, &self.counts)?;
            matches!(led.bytes(ADDRESSED).first(), None | Some(&UNIX)).then_some(())
        };
        if is_made { blocks.try_for_each(led) } else { None }
    }
}
