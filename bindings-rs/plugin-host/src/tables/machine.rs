//! The table of threads as plugins see it: Falco's fields and the tables within them, and who tells
//! their values. In: nothing. Out: names and types of fields; the trait that saker's tables answer.
use std::ffi::CStr;

use crate::abi::{
    STATE_BOOL, STATE_I64, STATE_STRING, STATE_TABLE, STATE_U8, STATE_U16, STATE_U32, STATE_U64,
    StateType,
};

/// The table of threads, and those within each of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Which {
    Threads,
    Fds,
    Args,
    Env,
    Cgroups,
}

pub struct StaticField {
    pub name: &'static CStr,
    pub kind: StateType,
    /// Of fields that are tables.
    pub within: Option<Which>,
}

const fn field(name: &'static CStr, kind: StateType) -> StaticField {
    StaticField { name, kind, within: None }
}

const fn table(name: &'static CStr, within: Which) -> StaticField {
    StaticField { name, kind: STATE_TABLE, within: Some(within) }
}

/// A field's place here is its number for `Machine::read` (src/plugins/machine_fields.ts).
pub static THREADS: [StaticField; 33] = [
    field(c"tid", STATE_I64),
    field(c"pid", STATE_I64),
    field(c"ptid", STATE_I64),
    field(c"reaper_tid", STATE_I64),
    field(c"sid", STATE_I64),
    field(c"comm", STATE_STRING),
    field(c"exe", STATE_STRING),
    field(c"exe_path", STATE_STRING),
    field(c"exe_writable", STATE_BOOL),
    field(c"exe_upper_layer", STATE_BOOL),
    field(c"exe_lower_layer", STATE_BOOL),
    field(c"exe_from_memfd", STATE_BOOL),
    table(c"args", Which::Args),
    table(c"env", Which::Env),
    table(c"cgroups", Which::Cgroups),
    field(c"flags", STATE_U32),
    field(c"fd_limit", STATE_I64),
    field(c"uid", STATE_U32),
    field(c"gid", STATE_U32),
    field(c"loginuid", STATE_U32),
    field(c"exe_ino", STATE_U64),
    field(c"exe_ino_ctime", STATE_U64),
    field(c"exe_ino_mtime", STATE_U64),
    field(c"vtid", STATE_I64),
    field(c"vpid", STATE_I64),
    field(c"vpgid", STATE_I64),
    field(c"pgid", STATE_I64),
    field(c"pidns_init_start_ts", STATE_U64),
    field(c"root", STATE_STRING),
    field(c"tty", STATE_U32),
    table(c"file_descriptors", Which::Fds),
    field(c"cwd", STATE_STRING),
    field(c"container_id", STATE_STRING),
];

/// A field that Falco has from its container plugin, in whose place saker has a part of its own: a
/// column that a plugin adds under this name hides it.
pub fn gives_way(name: &CStr) -> bool {
    name == c"container_id"
}

pub static FDS: [StaticField; 32] = [
    field(c"type", STATE_U8),
    field(c"open_flags", STATE_U32),
    field(c"name", STATE_STRING),
    field(c"name_raw", STATE_STRING),
    field(c"old_name", STATE_STRING),
    field(c"flags", STATE_U32),
    field(c"dev", STATE_U32),
    field(c"mount_id", STATE_U32),
    field(c"ino", STATE_U64),
    field(c"pid", STATE_I64),
    field(c"fd", STATE_I64),
    field(c"socket_ipv4_src_ip", STATE_U32),
    field(c"socket_ipv4_dest_dip", STATE_U32),
    field(c"socket_ipv4_src_port", STATE_U16),
    field(c"socket_ipv4_dst_port", STATE_U16),
    field(c"socket_ipv4_l4_proto", STATE_U8),
    field(c"socket_ipv6_src_ip_low", STATE_U64),
    field(c"socket_ipv6_src_ip_high", STATE_U64),
    field(c"socket_ipv6_dest_ip_low", STATE_U64),
    field(c"socket_ipv6_dest_ip_high", STATE_U64),
    field(c"socket_ipv6_src_port", STATE_U16),
    field(c"socket_ipv6_dst_port", STATE_U16),
    field(c"socket_ipv6_l4_proto", STATE_U8),
    field(c"socket_ipv4_server_ip", STATE_U32),
    field(c"socket_ipv4_server_port", STATE_U16),
    field(c"socket_ipv4_server_l4_proto", STATE_U8),
    field(c"socket_ipv6_server_ip_low", STATE_U64),
    field(c"socket_ipv6_server_ip_high", STATE_U64),
    field(c"socket_ipv6_server_port", STATE_U16),
    field(c"socket_ipv6_server_l4_proto", STATE_U8),
    field(c"socket_unix_src", STATE_U64),
    field(c"socket_unix_dest", STATE_U64),
];

static VALUES: [StaticField; 1] = [field(c"value", STATE_STRING)];
static PAIRS: [StaticField; 2] = [field(c"first", STATE_STRING), field(c"second", STATE_STRING)];

impl Which {
    pub fn fields(self) -> &'static [StaticField] {
        match self {
            Self::Threads => &THREADS,
            Self::Fds => &FDS,
            Self::Args | Self::Env => &VALUES,
            Self::Cgroups => &PAIRS,
        }
    }

    pub fn name(self) -> &'static CStr {
        match self {
            Self::Threads => c"threads",
            Self::Fds => c"file_descriptors",
            Self::Args => c"args",
            Self::Env => c"env",
            Self::Cgroups => c"cgroups",
        }
    }

    pub fn key_type(self) -> StateType {
        match self {
            Self::Threads | Self::Fds => STATE_I64,
            Self::Args | Self::Env | Self::Cgroups => STATE_U64,
        }
    }
}

/// What a field holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    Number(u64),
    Text(Vec<u8>),
}

/// Who knows the threads. `tid` is the thread that a table is within; of the table of threads it is
/// not looked at. Asked on one thread only.
pub trait Machine {
    fn size(&self, which: Which, tid: i64) -> u64;
    fn has(&self, which: Which, tid: i64, key: i64) -> bool;
    fn keys(&self, which: Which, tid: i64) -> Vec<i64>;
    /// None: there is no such entry. What saker does not know is 0 or empty, as in Falco.
    fn read(&self, which: Which, tid: i64, key: i64, field: usize) -> Option<Told>;
}

/// Of sources without threads: the table is there, and empty.
pub struct NoThreads;

impl Machine for NoThreads {
    fn size(&self, _: Which, _: i64) -> u64 {
        0
    }
    fn has(&self, _: Which, _: i64, _: i64) -> bool {
        false
    }
    fn keys(&self, _: Which, _: i64) -> Vec<i64> {
        Vec::new()
    }
    fn read(&self, _: Which, _: i64, _: i64, _: usize) -> Option<Told> {
        None
    }
}
