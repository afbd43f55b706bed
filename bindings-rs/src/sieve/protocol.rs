//! The protocol of a socket that is led somewhere, from the event that made it, which is still held
//! back: so the engine has the same of it as soon as it is told. What is not known so is asked of
//! nobody: it may be any.
use probe::table as t;

use super::ends::{IPV4, IPV6, UNIX, is_pair};
use super::pass::Sieve;
use super::record::{Record, word};
use super::tables::State;

const AF_INET: u32 = 2;
const AF_INET6: u32 = 10;
const SOCK_STREAM: u32 = 1;
const SOCK_DGRAM: u32 = 2;
const SOCK_RAW: u32 = 3;
/// As the engine has them; none: no field shows one.
const NONE: i64 = 0;
const ICMP: i64 = 1;
const TCP: i64 = 6;
const UDP: i64 = 17;
const RAW: i64 = 255;

impl Sieve {
    /// The protocol of the socket that an event makes or leads somewhere: what the field shows
    /// then, if it shows any; `None`: not known.
    pub fn protocol(&self, record: &Record, table: usize) -> Option<i64> {
        if record.code != usize::from(t::SOCKET_CONNECT_X) {
            return made(record);
        }
        let number = self.used(record)?;
        let table = &self.tables.all[table];
        if table.state(number) != State::Socket {
            return None;
        }
        // What follows the first of these bound or connected it, neither of which gives it another.
        let held = &table.slots[usize::try_from(number).ok()?].block;
        let first = held.get(..word(held, 4) as usize)?;
        made(&Record::read(first, &self.counts)?)
    }
}

/// The protocol of the socket that an event makes.
fn made(record: &Record) -> Option<i64> {
    match record.code as u16 {
        t::SOCKET_SOCKET_X => of_socket(record),
        t::SOCKET_ACCEPT_5_X | t::SOCKET_ACCEPT4_6_X => {
            let tuple = record.bytes(1);
            if record.result()? < 0 || !is_pair(tuple) {
                return None;
            }
            match *tuple.first()? {
                IPV4 | IPV6 => Some(TCP),
                UNIX => Some(NONE),
                _ => None,
            }
        }
        _ => None,
    }
}

/// As `protocolOf` of src/state/events/socket_events.ts.
fn of_socket(record: &Record) -> Option<i64> {
    let number =
        |param| (record.length(param) == 4).then(|| word(record.block, record.start(param)));
    let (domain, kind, protocol) = (number(1)?, number(2)?, number(3)?);
    if domain != AF_INET && domain != AF_INET6 {
        return Some(NONE);
    }
    Some(match i64::from(protocol) {
        TCP | UDP | ICMP if kind == SOCK_RAW => RAW,
        protocol @ (TCP | UDP | ICMP | RAW) => protocol,
        0 if kind & 0xff == SOCK_STREAM => TCP,
        0 if kind & 0xff == SOCK_DGRAM => UDP,
        _ => NONE,
    })
}
