//! Where a call leads its socket, and whether the ends are among those that rules ask for
//! (src/sieve/ends.ts). In: the sets as words; two ends as events have them. Out: the ways in which
//! the engine may understand them, of which each decides every test.

/// Families of addresses, and the least bytes of a pair of them.
pub const UNIX: u8 = 1;
const UNIX_BYTES: usize = 17;
pub const IPV4: u8 = 2;
const IPV4_BYTES: usize = 13;
pub const IPV6: u8 = 10;
const IPV6_BYTES: usize = 37;

/// What a socket is to the engine, a bit each: none, of IPv4, of IPv6, a unix one.
pub const NOTHING: i64 = 1;
const OF_IPV4: i64 = 2;
const OF_IPV6: i64 = 4;
pub const OF_UNIX: i64 = 8;

/// Which end a test is about: its `param`.
mod which {
    pub const CLIENT: u8 = 0;
    pub const SERVER: u8 = 1;
    pub const LOCAL: u8 = 2;
    pub const REMOTE: u8 = 3;
    pub const EITHER: u8 = 4;
}

#[derive(Clone, Copy)]
enum Ip {
    V4(u32),
    V6(u128),
}

#[derive(Clone, Copy)]
pub struct End {
    ip: Ip,
    port: u16,
}

impl End {
    pub fn is_zero(&self) -> bool {
        matches!(self.ip, Ip::V4(0) | Ip::V6(0)) && self.port == 0
    }
}

/// How the engine may understand a call.
#[derive(Clone, Copy)]
pub struct Way {
    /// The bit of what the socket is.
    pub socket: i64,
    /// Client and server.
    ends: Option<[End; 2]>,
    /// The client is this machine.
    is_client: bool,
}

/// At the most: either end may be the client's, either may be the machine's; or there is none.
pub const WAYS: usize = 5;

#[derive(Default)]
pub struct Ways {
    all: [Option<Way>; WAYS],
}

impl Ways {
    pub fn iter(&self) -> impl Iterator<Item = &Way> {
        self.all.iter().flatten()
    }

    fn add(&mut self, way: Way) {
        if let Some(free) = self.all.iter_mut().find(|free| free.is_none()) {
            *free = Some(way);
        }
    }

    pub fn add_kind(&mut self, socket: i64) {
        self.add(Way { socket, ends: None, is_client: false });
    }

    pub fn add_ends(&mut self, [client, server]: [End; 2]) {
        let socket = if matches!(client.ip, Ip::V4(_)) { OF_IPV4 } else { OF_IPV6 };
        for is_client in [true, false] {
            self.add(Way { socket, ends: Some([client, server]), is_client });
        }
    }
}

/// Ranges of an end's values, from the first to the last, sorted.
struct EndSet {
    v4: Vec<(u32, u32)>,
    v6: Vec<(u128, u128)>,
    ports: Vec<(u32, u32)>,
    of_nothing: bool,
    of_others: bool,
}

#[derive(Default)]
pub struct EndSets(Vec<EndSet>);

fn among<T: PartialOrd + Copy>(ranges: &[(T, T)], value: T) -> bool {
    let behind = ranges.partition_point(|(from, _)| *from <= value);
    behind > 0 && value <= ranges[behind - 1].1
}

impl EndSets {
    /// Reads the words; `None`: they are cut off, or more than they say.
    pub fn read(words: &[u32]) -> Option<EndSets> {
        let mut words = words.iter().copied();
        let count = words.next()?;
        let mut sets = Vec::new();
        for _ in 0..count {
            let flags = words.next()?;
            let [v4, v6, ports] = [words.next()?, words.next()?, words.next()?];
            sets.push(EndSet {
                v4: ranges(v4, || words.next())?,
                v6: ranges(v6, || wide(&mut words))?,
                ports: ranges(ports, || words.next())?,
                of_nothing: flags & 1 != 0,
                of_others: flags & 2 != 0,
            });
        }
        words.next().is_none().then_some(EndSets(sets))
    }

    /// Whether an end is in the set of that place; `None`: there is no such set.
    pub fn holds(&self, place: i64, which: u8, way: &Way) -> Option<bool> {
        let set = self.0.get(usize::try_from(place).ok()?)?;
        let Some([client, server]) = &way.ends else {
            return Some(if way.socket == NOTHING { set.of_nothing } else { set.of_others });
        };
        let (local, remote) = if way.is_client { (client, server) } else { (server, client) };
        Some(match which {
            which::CLIENT => set.has(client),
            which::SERVER => set.has(server),
            which::LOCAL => set.has(local),
            which::REMOTE => set.has(remote),
            which::EITHER => set.has(client) || set.has(server),
            _ => set.has(client) && set.has(server),
        })
    }
}

fn ranges<T>(count: u32, mut next: impl FnMut() -> Option<T>) -> Option<Vec<(T, T)>> {
    (0..count).map(|_| Some((next()?, next()?))).collect()
}

fn wide(words: &mut impl Iterator<Item = u32>) -> Option<u128> {
    let mut value = 0;
    for _ in 0..4 {
        value = value << 32 | u128::from(words.next()?);
    }
    Some(value)
}

impl EndSet {
    /// One of addresses has no ports, and the other way round.
    fn has(&self, end: &End) -> bool {
        let has_ip = match end.ip {
            Ip::V4(ip) => among(&self.v4, ip),
            Ip::V6(ip) => among(&self.v6, ip),
        };
        has_ip || among(&self.ports, u32::from(end.port))
    }
}

/// Whether these are the two ends of a socket, of which the engine makes a descriptor.
pub fn is_pair(tuple: &[u8]) -> bool {
    match tuple.first() {
        Some(&UNIX) => tuple.len() > UNIX_BYTES && tuple.last() == Some(&0),
        Some(&IPV4) => tuple.len() >= IPV4_BYTES,
        Some(&IPV6) => tuple.len() >= IPV6_BYTES,
        _ => false,
    }
}

/// Both ends of a pair of addresses, the first one the client's; `None` for a unix socket's.
pub fn ends(tuple: &[u8]) -> Option<[End; 2]> {
    match *tuple.first()? {
        IPV4 => Some([1, 7].map(|at| End { ip: v4(tuple, at), port: port(tuple, at + 4) })),
        IPV6 => {
            let ips = [v6(tuple, 1), v6(tuple, 19)];
            let ports = [port(tuple, 17), port(tuple, 35)];
            let are_mapped = ips.iter().all(|ip| is_mapped(*ip));
            // Addresses of IPv4 in the form of IPv6 are those.
            let ip = |value: u128| {
                if are_mapped { Ip::V4(value as u32) } else { Ip::V6(value) }
            };
            Some([0, 1].map(|at| End { ip: ip(ips[at]), port: ports[at] }))
        }
        _ => None,
    }
}

/// As `isMapped` of src/state/tables/address.ts: nothing but zeros is one too.
fn is_mapped(ip: u128) -> bool {
    ip >> 32 == 0xffff || ip == 0
}

fn v4(tuple: &[u8], at: usize) -> Ip {
    Ip::V4(u32::from_be_bytes([tuple[at], tuple[at + 1], tuple[at + 2], tuple[at + 3]]))
}

fn v6(tuple: &[u8], at: usize) -> u128 {
    tuple[at..at + 16].iter().fold(0, |value, byte| value << 8 | u128::from(*byte))
}

fn port(tuple: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([tuple[at], tuple[at + 1]])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of 10.0.0.0/8 and 127.0.0.1, of fe80::/16, none of nothing; of ports below 1024, others too.
    fn sets() -> Vec<u32> {
        let v4 = [0x0a00_0000, 0x0aff_ffff, 0x7f00_0001, 0x7f00_0001];
        let v6 = [0xfe80_0000, 0, 0, 0, 0xfe80_ffff, u32::MAX, u32::MAX, u32::MAX];
        [&[2, 0, 2, 1, 0][..], &v4, &v6, &[2, 0, 0, 1], &[0, 1023]].concat()
    }

    fn way(is_client: bool, tuple: &[u8]) -> Way {
        let mut ways = Ways::default();
        match ends(tuple) {
            Some(ends) => ways.add_ends(ends),
            None => ways.add_kind(OF_UNIX),
        }
        *ways.iter().find(|way| way.ends.is_none() || way.is_client == is_client).unwrap()
    }

    #[test]
    fn ends_are_among_sets_that_have_them() {
        let sets = EndSets::read(&sets()).unwrap();
        let tuple = [IPV4, 10, 255, 0, 9, 0xff, 3, 127, 0, 0, 2, 0, 4];
        let held = |is_client| {
            let way = way(is_client, &tuple);
            [0, 1].map(|place| [0, 1, 2, 3, 4, 5].map(|end| sets.holds(place, end, &way).unwrap()))
        };
        // Client, server, local, remote, either, both.
        let of = |local| [true, false, local, !local, true, false];
        assert_eq!(held(true), [of(true); 2]);
        assert_eq!(held(false), [of(false); 2]);
        assert_eq!(sets.holds(2, 0, &way(true, &tuple)), None);
        assert_eq!(sets.holds(-1, 0, &way(true, &tuple)), None);
        let unix = way(true, &[UNIX]);
        assert_eq!([0, 1].map(|place| sets.holds(place, 4, &unix)), [Some(false), Some(true)]);
    }

    #[test]
    fn addresses_of_ipv4_in_the_form_of_ipv6_are_those_where_both_are() {
        let sets = EndSets::read(&sets()).unwrap();
        let mapped = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 0, 0, 1, 0, 0];
        let link = [0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0];
        let both = way(true, &[&[IPV6][..], &mapped, &mapped].concat());
        let one = way(true, &[&[IPV6][..], &mapped, &link].concat());
        assert_eq!((both.socket, one.socket), (OF_IPV4, OF_IPV6));
        assert_eq!([&both, &one].map(|way| sets.holds(0, 0, way)), [Some(true), Some(false)]);
        assert_eq!(sets.holds(0, 1, &one), Some(true));
    }

    #[test]
    fn words_that_are_cut_off_or_too_many_are_refused() {
        let words = sets();
        assert!((0..words.len()).all(|length| EndSets::read(&words[..length]).is_none()));
        assert!(EndSets::read(&[&words[..], &[0]].concat()).is_none());
        assert!(EndSets::read(&[u32::MAX]).is_none());
        assert!(EndSets::read(&[0]).is_some());
    }
}
