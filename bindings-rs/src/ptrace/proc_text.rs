//! What /proc says of a thread: `stat`, `status`, and lists of numbers. In: a thread. Out: its
//! numbers, zeros for what could not be read.
use super::facts::{ProcPath, read};

/// Longest of those files; the groups of a process can be many.
const TEXT_MAX: usize = 16_384;

/// Of a thread's `stat`, what the fillers ask for.
#[derive(Default)]
pub struct Stat {
    pub comm: Vec<u8>,
    pub terminal: u32,
    pub minor_faults: u64,
    pub major_faults: u64,
    /// Ticks since the boot.
    pub started: u64,
    pub memory_bytes: u64,
    pub args: (u64, u64),
    pub env: (u64, u64),
}

impl Stat {
    pub fn of(tid: i32) -> Self {
        read(&ProcPath::of(tid, "stat"), TEXT_MAX).map_or_else(Self::default, |t| Self::parse(&t))
    }

    fn parse(text: &[u8]) -> Self {
        // The name may hold anything: it ends at the last bracket.
        let (Some(open), Some(close)) = (
            text.iter().position(|&byte| byte == b'('),
            text.iter().rposition(|&byte| byte == b')'),
        ) else {
            return Self::default();
        };
        let rest = std::str::from_utf8(text.get(close + 1..).unwrap_or(b"")).unwrap_or("");
        let fields: Vec<&str> = rest.split_ascii_whitespace().collect();
        // The first of them is the third of the file (proc_pid_stat(5)).
        let number = |field: usize| -> u64 {
            fields.get(field - 3).and_then(|word| word.parse::<i64>().ok()).unwrap_or(0) as u64
        };
        let wide = |field: usize| -> u64 {
            fields.get(field - 3).and_then(|word| word.parse().ok()).unwrap_or(0)
        };
        Self {
            comm: text.get(open + 1..close).unwrap_or(b"").to_vec(),
            terminal: number(7) as u32,
            minor_faults: number(10),
            major_faults: number(12),
            started: number(22),
            memory_bytes: number(23),
            args: (wide(48), wide(49)),
            env: (wide(50), wide(51)),
        }
    }
}

/// Of a thread's `status`.
#[derive(Default)]
pub struct Status {
    pub tgid: i32,
    pub parent: i32,
    /// Real, effective, saved, of files.
    pub uids: [u32; 4],
    pub gids: [u32; 4],
    pub groups: Vec<u32>,
    /// The thread's number in each pid namespace, from ours down to its own; of its process, of its
    /// group of processes.
    pub numbers: Vec<i32>,
    pub process_numbers: Vec<i32>,
    pub group_numbers: Vec<i32>,
    /// Inheritable, permitted, effective.
    pub capabilities: [u64; 3],
    /// KiB: of files, anonymous, shared, swapped.
    pub resident: [u64; 4],
}

impl Status {
    pub fn of(tid: i32) -> Self {
        read(&ProcPath::of(tid, "status"), TEXT_MAX).map_or_else(Self::default, |t| Self::parse(&t))
    }

    fn parse(text: &[u8]) -> Self {
        let mut status = Self::default();
        for line in text.split(|&byte| byte == b'\n') {
            let Some(colon) = line.iter().position(|&byte| byte == b':') else { continue };
            let value = std::str::from_utf8(&line[colon + 1..]).unwrap_or("");
            let mut words = value.split_ascii_whitespace();
            let first = || value.split_ascii_whitespace().next().unwrap_or("");
            let hex = || u64::from_str_radix(first(), 16).unwrap_or(0);
            let kib = || first().parse().unwrap_or(0);
            let all = || -> Vec<i32> {
                value.split_ascii_whitespace().filter_map(|word| word.parse().ok()).collect()
            };
            match &line[..colon] {
                b"Tgid" => status.tgid = first().parse().unwrap_or(0),
                b"PPid" => status.parent = first().parse().unwrap_or(0),
                b"Uid" => status.uids = four(&mut words),
                b"Gid" => status.gids = four(&mut words),
                b"Groups" => status.groups = words.filter_map(|word| word.parse().ok()).collect(),
                b"NSpid" => status.numbers = all(),
                b"NStgid" => status.process_numbers = all(),
                b"NSpgid" => status.group_numbers = all(),
                b"CapInh" => status.capabilities[0] = hex(),
                b"CapPrm" => status.capabilities[1] = hex(),
                b"CapEff" => status.capabilities[2] = hex(),
                b"RssFile" => status.resident[0] = kib(),
                b"RssAnon" => status.resident[1] = kib(),
                b"RssShmem" => status.resident[2] = kib(),
                b"VmSwap" => status.resident[3] = kib(),
                _ => {}
            }
        }
        status
    }
}

/// Text of /proc that several objects of one event come from.
#[derive(Default)]
pub struct Known {
    stat: Option<Stat>,
    status: Option<Status>,
}

impl Known {
    pub fn stat(&mut self, tid: i32) -> &Stat {
        self.stat.get_or_insert_with(|| Stat::of(tid))
    }
    pub fn status(&mut self, tid: i32) -> &Status {
        self.status.get_or_insert_with(|| Status::of(tid))
    }
}

fn four<'a>(words: &mut impl Iterator<Item = &'a str>) -> [u32; 4] {
    std::array::from_fn(|_| words.next().and_then(|word| word.parse().ok()).unwrap_or(0))
}

/// All numbers of a short file, such as `children` or a map of ids.
pub fn numbers(tid: i32, rest: &str) -> Vec<u32> {
    let text = read(&ProcPath::of(tid, rest), TEXT_MAX).unwrap_or_default();
    String::from_utf8_lossy(&text)
        .split_ascii_whitespace()
        .filter_map(|word| word.parse().ok())
        .collect()
}

/// The inode of one of a thread's namespaces, as in `pid:[4026531836]`; 0: not known.
pub fn namespace(tid: i32, name: &str) -> u32 {
    let link = super::facts::link(&ProcPath::of(tid, &format!("ns/{name}"))).unwrap_or_default();
    let digits: Vec<u8> = link.into_iter().filter(u8::is_ascii_digit).collect();
    std::str::from_utf8(&digits).ok().and_then(|number| number.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stat_of_a_thread_whose_name_has_brackets_is_read() {
        let stat = Stat::parse(
            b"7 (a) b) S 3 7 7 34816 7 4 11 0 22 0 1 2 0 0 20 0 1 0 500 8192 9 1 1 1 1 0 0 0 0 \
              0 0 0 0 0 17 1 0 0 0 0 0 1 2 3 100 200 300 400 0\n",
        );
        assert_eq!(stat.comm, b"a) b");
        assert_eq!((stat.minor_faults, stat.major_faults), (11, 22));
        assert_eq!((stat.started, stat.memory_bytes, stat.terminal), (500, 8192, 34816));
        assert_eq!((stat.args, stat.env), ((100, 200), (300, 400)));
    }

    #[test]
    fn the_status_of_a_thread_has_its_ids_in_every_namespace() {
        let status = Status::parse(
            b"Tgid:\t70\nPPid:\t9\nUid:\t1\t2\t3\t4\nGid:\t5\t6\t7\t8\nGroups:\t4 20 \n\
              NSpid:\t71\t2\nCapEff:\t00000000000000ff\nRssAnon:\t     12 kB\n",
        );
        assert_eq!((status.tgid, status.parent, status.uids), (70, 9, [1, 2, 3, 4]));
        assert_eq!((status.groups, status.numbers), (vec![4, 20], vec![71, 2]));
        assert_eq!((status.capabilities[2], status.resident[1]), (0xff, 12));
    }
}
