//! Where programs are attached, and which slots the stages of events have.

use probe::table::{SOCKET_RECVMMSG_X, SOCKET_SENDMMSG_X};

pub const SYS_EXIT: &str = "sys_exit";
pub const EXEC: &str = "sched_process_exec";
pub const EXIT: &str = "sched_process_exit";
pub const FORK: &str = "sched_process_fork";

/// The stage that kernels before 5.17 refuse: events of names then come without the kernel's paths.
pub const LOOK_UP: &str = "stage_look_up";

/// Stages that events can do without: names then come as the caller gave them, descriptors without
/// what the kernel knows of them, and one call is not told of at all.
/// A path of very many components is cut without the stage of those.
pub const DISPENSABLE: [&str; 5] =
    [LOOK_UP, "stage_files", "stage_further", "stage_far", HANDLE_END];
pub const HANDLE_END: &str = "stage_handle_end";

/// Stages on `sys_exit` and their slots (probe::stage).
pub const STAGES: [(&str, u32); 12] = [
    ("stage_start", 8),
    ("stage_walk", 1),
    ("stage_cgroups", 3),
    ("stage_clone_end", 4),
    ("stage_exec_middle", 5),
    ("stage_exec_end", 6),
    (HANDLE_END, 7),
    (LOOK_UP, 9),
    ("stage_files", probe::stage::FILES),
    ("stage_further", probe::stage::FURTHER),
    ("stage_far", probe::stage::FAR),
    ("stage_end", probe::stage::END),
];
/// The sieve before the rings; kernels before 5.17 lack the loop that it walks names with.
pub const SIFT: (&str, u32) = ("stage_sift", probe::stage::SIFT);
/// The names of opens before their events are made; needs the same loop.
pub const GATE: (&str, u32) = ("stage_gate", probe::stage::GATE);
/// The messages of a batch behind the first, and the events that need them; kernels before 5.17
/// tell those by tail calls, 33 at the most.
pub const BATCHES: [(&str, u32, u16); 2] = [
    ("stage_sent", probe::stage::SENT, SOCKET_SENDMMSG_X),
    ("stage_received", probe::stage::RECEIVED, SOCKET_RECVMMSG_X),
];
/// Stages of a program's start.
pub const EXEC_STAGES: [(&str, u32); 9] = [
    ("started_start", 8),
    ("started_walk", 1),
    ("started_far", probe::stage::FAR),
    ("started_cgroups", 3),
    ("started_exec_middle", 5),
    ("started_exec_end", 6),
    ("started_further", probe::stage::FURTHER),
    ("started_end", probe::stage::END),
    ("started_long", probe::stage::LONG),
];
