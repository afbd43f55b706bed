//! The objects that tell of a task: its ids, credentials, memory, namespaces, control groups. In: a
//! thread. Out: objects in the arena.
use super::arena::{Arena, Kind, Object, address};
use super::facts::{ProcPath, read};
use super::layout::{OFFSETS, TASK_FACTS};
use super::proc_text::{Status, namespace, numbers};
use super::scene::{CURRENT, FIRST, Host, OTHER, PARENT, PROGRAM, Scene, Subject};

/// Controllers of control groups that events tell of, by the names that the kernel has for them.
const SUBSYSTEMS: [&str; 5] = ["cpuset", "cpu", "cpuacct", "io", "memory"];
const RLIMIT_AT: u32 = 7 * 16;
const PAGE_KIB: u64 = 4;

/// Makes an object of a task's; None where it is of another kind.
pub fn object(k: &Scene, arena: &mut Arena, kind: Kind, which: u32) -> Option<Object> {
    let mut object = Object::default();
    let is_made = of_process(k, arena, kind, which, &mut object)
        || of_names(k, arena, kind, which, &mut object)
        || of_groups(k, arena, kind, which, &mut object);
    is_made.then_some(object)
}

/// What tells of a process; whether it is of such a kind.
fn of_process(k: &Scene, arena: &mut Arena, kind: Kind, which: u32, object: &mut Object) -> bool {
    let (subject, o) = (&k.subject, &OFFSETS);
    let tid = subject.tid;
    match kind {
        Kind::Task => task(k, which, object),
        Kind::Mm => memory(arena, tid, object),
        Kind::Signal => {
            for kind in 0..4 {
                object.put(o.signal_pids + 8 * kind, address(Kind::Pid, kind));
            }
            object.put(o.signal_rlim + RLIMIT_AT, open_files(subject.tgid));
            let terminal = arena.known.stat(tid).terminal;
            let at = if terminal == 0 { 0 } else { address(Kind::Terminal, 0) };
            object.put(o.signal_tty, at);
            let head = address(Kind::Signal, which) + o.signal_thread_head as usize;
            let other = address(Kind::Task, OTHER) + o.task_thread_node as usize;
            object.put(o.signal_thread_head, if subject.other == 0 { head } else { other });
            // Which ancestor takes orphans is not to be known from outside: the walk up finds none,
            // and says so.
            object.put(o.signal_subreaper_bit / 8, 2u8);
        }
        Kind::Terminal => {
            object.put(o.tty_driver, address(Kind::TerminalDriver, 0));
        }
        Kind::TerminalDriver => {
            // As stat(2) has devices, and as the kernel has them.
            let told = arena.known.stat(tid).terminal;
            object.put(o.tty_driver_major, told >> 8 & 0xfff);
            object.put(o.tty_driver_minor, told & 0xff | told >> 12 & 0xf_ff00);
        }
        Kind::Cred => cred(arena.known.status(tid), object),
        Kind::Groups => {
            let groups = &arena.known.status(tid).groups;
            object.put(o.groups_count, groups.len() as u32);
            for (at, gid) in groups.iter().enumerate() {
                object.put(o.groups_ids + 4 * at as u32, *gid);
            }
        }
        Kind::Program => {
            let text = arena.text(&subject.program);
            object.put(o.bprm_filename, address(Kind::Text, text));
        }
        Kind::SignalInfo => {
            object.put_bytes(0, &subject.signal);
        }
        _ => return false,
    }
    true
}

fn memory(arena: &mut Arena, tid: i32, object: &mut Object) {
    let o = &OFFSETS;
    let stat = arena.known.stat(tid);
    object.put(o.mm_arg_start, stat.args.0).put(o.mm_arg_end, stat.args.1);
    object.put(o.mm_env_start, stat.env.0).put(o.mm_env_end, stat.env.1);
    object.put(o.mm_total_vm, stat.memory_bytes / 4096);
    let resident = arena.known.status(tid).resident;
    let [files, own, shared, swapped] = resident.map(|kib| kib / PAGE_KIB);
    for (which, pages) in
        [(o.rss_file, files), (o.rss_anon, own), (o.rss_shmem, shared), (o.rss_swap, swapped)]
    {
        object.put(o.mm_rss + 8 * which, pages);
    }
    object.put(o.mm_exe_file, address(Kind::File, PROGRAM));
}

/// What tells of namespaces, and of numbers in them.
fn of_names(k: &Scene, arena: &mut Arena, kind: Kind, which: u32, object: &mut Object) -> bool {
    let (o, tid) = (&OFFSETS, k.subject.tid);
    match kind {
        Kind::Pid => pid(k, arena, which, object),
        Kind::PidNamespace => {
            let inum = if which == 0 { k.host.pids } else { namespace(tid, "pid") };
            object.put(o.pidns_level, which).put(o.pidns_inum, inum);
            object.put(o.pidns_reaper, if which == 0 { address(Kind::Task, FIRST) } else { 0 });
        }
        Kind::Proxy => {
            // Namespaces are compared by where they are.
            let host = k.host.mounts;
            let is_host = which == FIRST || host != 0 && namespace(tid, "mnt") == host;
            let mounts = address(Kind::MountNamespace, if is_host { FIRST } else { which });
            object.put(o.nsproxy_mounts, if which == FIRST && host == 0 { 0 } else { mounts });
            let (own, children) = (namespace(tid, "pid"), namespace(tid, "pid_for_children"));
            let level = levels(&k.host, arena.known.status(tid)) - 1;
            // One that is nobody's yet stands for another one.
            let level = if children == own || children == 0 { level } else { 63 };
            object.put(o.nsproxy_pid_children, address(Kind::PidNamespace, level));
        }
        Kind::MountNamespace => {
            let inum = if which == FIRST { k.host.mounts } else { namespace(tid, "mnt") };
            object.put(o.mntns_inum, inum);
        }
        Kind::UserNamespace => {
            for (at, name) in [(o.ns_uid_map, "uid_map"), (o.ns_gid_map, "gid_map")] {
                let numbers = numbers(tid, name);
                object.put(at + o.map_count, numbers.len() as u32 / 3);
                // Those that lie in the map itself (credentials.rs) have room.
                for (index, number) in numbers.iter().take(3 * 5).enumerate() {
                    object.put(at + o.map_extents + 4 * index as u32, *number);
                }
            }
        }
        _ => return false,
    }
    true
}

/// What tells of control groups.
fn of_groups(k: &Scene, arena: &mut Arena, kind: Kind, which: u32, object: &mut Object) -> bool {
    let (o, tid) = (&OFFSETS, k.subject.tid);
    let name = SUBSYSTEMS.get(which as usize).copied().unwrap_or("");
    match kind {
        Kind::CssSet => {
            for id in 0..SUBSYSTEMS.len() as u32 {
                object.put(o.css_set_subsys + 8 * id, address(Kind::Css, id));
            }
        }
        Kind::Css => {
            object.put(o.css_ss, address(Kind::Subsystem, which));
            object.put(o.css_cgroup, address(Kind::Group, which));
        }
        Kind::Subsystem => {
            // A controller that is in no hierarchy has no name to be told by.
            let text = group_of(&groups(tid), name).map(|_| arena.text(name.as_bytes()));
            object.put(o.ss_name, text.map_or(0, |text| address(Kind::Text, text)));
        }
        Kind::Group => {
            let path = group_of(&groups(tid), name).unwrap_or_default();
            object.put(o.cgroup_kn, address(Kind::Node, arena.path(&path)));
        }
        Kind::Node => {
            // Folders stand in the tree of names, whose top they have in common.
            let entry = arena.entries.get(which as usize);
            let (parent, name) = entry.map_or((0, 0), |entry| (entry.parent, entry.name));
            object.put(o.kn_name, address(Kind::Text, name));
            let above = if which == super::arena::TOP { 0 } else { address(Kind::Node, parent) };
            object.put(o.kn_parent, above);
        }
        _ => return false,
    }
    true
}

fn task(k: &Scene, which: u32, object: &mut Object) {
    let (subject, o) = (&k.subject, &OFFSETS);
    let (tid, tgid) = match which {
        PARENT => (parent_of(subject), parent_of(subject)),
        FIRST => (1, 1),
        OTHER => (subject.other, subject.tgid),
        _ => (subject.tid, subject.tgid),
    };
    object.put(o.task_pid, tid).put(o.task_tgid, tgid);
    // The way up from a parent leads nowhere: see Kind::Signal.
    object.put(o.task_real_parent, address(Kind::Task, PARENT));
    object.put(o.task_nsproxy, address(Kind::Proxy, which));
    object.put(o.task_fs, address(Kind::Fs, which));
    object.put(o.task_thread_pid, address(Kind::Pid, 0));
    object.put(o.task_signal, address(Kind::Signal, which));
    if which != CURRENT {
        if which == FIRST {
            object.put(o.task_start_time, k.host.started);
        }
        return;
    }
    object.put(o.task_mm, address(Kind::Mm, 0)).put(o.task_files, address(Kind::Files, 0));
    object.put(o.task_cred, address(Kind::Cred, 0)).put(o.task_cgroups, address(Kind::CssSet, 0));
    object.put(o.task_exit_code, subject.exit_code);
}

/// The part of the current task that /proc is asked for.
pub fn task_facts(k: &Scene, arena: &mut Arena) -> Object {
    let (tid, o) = (k.subject.tid, &OFFSETS);
    let mut object = Object::default();
    task(k, CURRENT, &mut object);
    let stat = arena.known.stat(tid);
    object.put_bytes(o.task_comm as usize, &stat.comm[..stat.comm.len().min(15)]);
    object.put(o.task_maj_flt, stat.major_faults).put(o.task_min_flt, stat.minor_faults);
    object.put(o.task_start_time, ticks(stat.started));
    let login = numbers(tid, "loginuid").first().copied().unwrap_or(u32::MAX);
    object.put(o.task_loginuid, login);
    let head = address(Kind::Task, CURRENT) + o.task_children as usize;
    let task = format!("task/{tid}/children");
    let has_children = !numbers(tid, &task).is_empty();
    object.put(o.task_children, if has_children { head + 1 } else { head });
    debug_assert!(o.task_children as usize >= TASK_FACTS);
    object
}

/// Ticks as the kernel's nanoseconds.
pub fn ticks(ticks: u64) -> u64 {
    // SAFETY: asks for a number only.
    let per_second = unsafe { libc::sysconf(libc::_SC_CLK_TCK) }.max(1) as u64;
    ticks.saturating_mul(1_000_000_000 / per_second)
}

fn parent_of(subject: &Subject) -> i32 {
    if subject.parent != 0 { subject.parent } else { Status::of(subject.tid).parent }
}

/// The soft limit of open files.
fn open_files(pid: i32) -> u64 {
    let mut limit = libc::rlimit { rlim_cur: u64::MAX, rlim_max: u64::MAX };
    // SAFETY: only writes the limit.
    unsafe { libc::prlimit(pid, libc::RLIMIT_NOFILE, std::ptr::null(), &raw mut limit) };
    limit.rlim_cur
}

/// Levels of pid namespaces from the machine's first one down; what is above our own counts as one.
fn levels(host: &Host, status: &Status) -> u32 {
    status.numbers.len().max(1) as u32 + u32::from(!host.is_first)
}

/// 0: of the thread, 1: of its process, 2: of its group, 3: of its session.
fn pid(k: &Scene, arena: &mut Arena, which: u32, object: &mut Object) {
    let o = &OFFSETS;
    let status = arena.known.status(k.subject.tid);
    let mut all = match which {
        1 => status.process_numbers.clone(),
        2 => status.group_numbers.clone(),
        _ => status.numbers.clone(),
    };
    if all.is_empty() {
        all.push(if which == 1 { k.subject.tgid } else { k.subject.tid });
    }
    if !k.host.is_first {
        // What it is called further up is not to be known: the nearest that there is.
        all.insert(0, all[0]);
    }
    object.put(o.pid_level, all.len() as u32 - 1);
    for (level, number) in all.iter().enumerate() {
        let at = o.pid_numbers + level as u32 * o.upid_size;
        object.put(at, *number);
        object.put(at + o.upid_ns, address(Kind::PidNamespace, level as u32));
    }
}

fn cred(status: &Status, object: &mut Object) {
    let o = &OFFSETS;
    object.put(o.cred_euid, status.uids[1]).put(o.cred_fsuid, status.uids[3]);
    object.put(o.cred_egid, status.gids[1]).put(o.cred_fsgid, status.gids[3]);
    let [inheritable, permitted, effective] = status.capabilities;
    object.put(o.cred_cap_inheritable, inheritable).put(o.cred_cap_permitted, permitted);
    object.put(o.cred_cap_effective, effective);
    object.put(o.cred_groups, address(Kind::Groups, 0));
    object.put(o.cred_user_ns, address(Kind::UserNamespace, 0));
}

fn groups(tid: i32) -> Vec<u8> {
    read(&ProcPath::of(tid, "cgroup"), 16_384).unwrap_or_default()
}

/// The group that governs a thread for a controller: of the hierarchy that has the controller, else
/// of the unified one.
fn group_of(text: &[u8], controller: &str) -> Option<Vec<u8>> {
    let old = if controller == "io" { "blkio" } else { controller };
    let mut unified = None;
    for line in text.split(|&byte| byte == b'\n') {
        let mut parts = line.splitn(3, |&byte| byte == b':');
        let (_, Some(controllers), Some(path)) = (parts.next(), parts.next(), parts.next()) else {
            continue;
        };
        if controllers.split(|&byte| byte == b',').any(|name| name == old.as_bytes()) {
            return Some(path.to_vec());
        }
        if controllers.is_empty() {
            unified = Some(path.to_vec());
        }
    }
    unified
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_controller_is_governed_by_its_hierarchy_or_by_the_unified_one() {
        let text = b"5:cpu,cpuacct:/a/b\n3:blkio:/disk\n0::/u\n";
        assert_eq!(group_of(text, "cpuacct").as_deref(), Some(&b"/a/b"[..]));
        assert_eq!(group_of(text, "io").as_deref(), Some(&b"/disk"[..]));
        assert_eq!(group_of(text, "memory").as_deref(), Some(&b"/u"[..]));
        assert_eq!(group_of(b"", "memory"), None);
    }
}
