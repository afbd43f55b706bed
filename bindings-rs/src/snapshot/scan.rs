//! Walks `/proc`: one entry for each thread, one descriptor list for each process.

use super::block::{Blocks, FD_LIST, LIST_MAX, NAMESPACES_MARK, PROCESS_LIST, Put, TEXT_MAX};
use super::cgroup::Cgroups;
use super::descriptor::Descriptors;
use super::namespaces::Namespaces;
use super::overlay::{Layer, Overlays};
use super::proc_dir::{ProcDir, decimal, link_buffer, words};
use super::status::Status;
use procfs::FromRead;
use procfs::process::Stat;
use rustix::fs::{CWD, Statx, StatxTimestamp};
use rustix::time::{ClockId, clock_gettime};
use std::collections::HashMap;
use std::path::Path;

/// Threads listed, as many as the state tables hold at the most.
const THREADS_MAX: usize = 262_144;
/// Clone flags of a thread that is not the main one: it shares descriptors and group
/// (PPM_CL_CLONE_FILES, PPM_CL_CLONE_THREAD).
const THREAD_FLAGS: u32 = 1 | 1 << 13;
const CAP_DAC_OVERRIDE: u64 = 1 << 1;
const NOBODY_LOGGED_IN: u32 = u32::MAX;
const SECOND_NS: u64 = 1_000_000_000;

pub struct Scan {
    proc: ProcDir,
    cgroups: Cgroups,
    namespaces: Namespaces,
    overlays: Overlays,
    descriptors: Descriptors,
    /// Wall-clock time of the boot, ns since the epoch.
    boot_ns: u64,
    tick_ns: u64,
    threads: usize,
    entries: Vec<u8>,
    fd_lists: Blocks,
    /// When the first process of each pid namespace (by its inode) started.
    namespace_starts: HashMap<u64, u64>,
    /// Where in `entries` the start of which namespace is to be filled in.
    wanted_starts: Vec<(usize, u64)>,
    file: Vec<u8>,
}

/// What all threads of a process have in common.
struct Program {
    exe: Vec<u8>,
    exepath: Vec<u8>,
    args: Vec<u8>,
    env: Vec<u8>,
    cwd: Vec<u8>,
    root: Vec<u8>,
    cgroups: Vec<u8>,
    fd_limit: u64,
    file: Option<Statx>,
    layer: Layer,
    memfd: bool,
    pid_namespace: u64,
}

impl Scan {
    pub fn open(host_root: &Path) -> std::io::Result<Self> {
        let path = host_root.join("proc");
        let path = path.to_str().ok_or(std::io::ErrorKind::InvalidInput)?;
        let proc = ProcDir::open(CWD, path)?;
        Ok(Self {
            namespaces: Namespaces::new(&proc, host_root),
            proc,
            cgroups: Cgroups::new(host_root),
            overlays: Overlays::new(host_root),
            descriptors: Descriptors::default(),
            boot_ns: boot_ns(),
            tick_ns: SECOND_NS / rustix::param::clock_ticks_per_second().max(1),
            threads: 0,
            entries: Vec::new(),
            fd_lists: Blocks::new(),
            namespace_starts: HashMap::new(),
            wanted_starts: Vec::new(),
            file: Vec::new(),
        })
    }

    /// Lists every process but `self_pid`. Kernel threads and the dead have no program and are
    /// left out.
    pub fn processes(&mut self, self_pid: u32) -> std::io::Result<()> {
        let pids = self.proc.numbers(THREADS_MAX);
        if pids.is_empty() {
            return Err(std::io::ErrorKind::NotFound.into());
        }
        for pid in pids {
            if pid != self_pid {
                self.process(pid, None);
            }
        }
        Ok(())
    }

    /// Lists one thread and the main thread of its process; false where it is gone.
    pub fn thread(&mut self, tid: u32) -> bool {
        let Ok(dir) = self.proc.dir(&tid.to_string()) else { return false };
        if dir.read_record("status", &mut self.file).is_err() {
            return false;
        }
        let pid = Status::parse(&self.file).tgid;
        self.process(pid, Some(tid)) && !self.entries.is_empty()
    }

    pub fn write(mut self, blocks: &mut Blocks) {
        for (at, namespace) in &self.wanted_starts {
            let start = self.namespace_starts.get(namespace).copied().unwrap_or(0);
            self.entries[*at..at + 8].copy_from_slice(&start.to_ne_bytes());
        }
        blocks.begin(PROCESS_LIST);
        blocks.body().append(&mut self.entries);
        blocks.end();
        blocks.append(&self.fd_lists.into_bytes());
    }

    /// Lists a process with its threads, or with the one thread that is asked for.
    fn process(&mut self, pid: u32, only: Option<u32>) -> bool {
        let Ok(dir) = self.proc.dir(&pid.to_string()) else { return false };
        let Some(program) = self.program(&dir) else { return false };
        if !self.put_thread(&dir, pid, &program) {
            return false;
        }
        let tasks = match only {
            Some(tid) => vec![tid],
            None => dir.dir("task").map_or(Vec::new(), |task| task.numbers(THREADS_MAX)),
        };
        for tid in tasks {
            if tid != pid
                && let Ok(task) = dir.dir(&format!("task/{tid}"))
            {
                self.put_thread(&task, tid, &program);
            }
        }
        self.fd_lists.begin(FD_LIST);
        self.fd_lists.body().u64(pid.into());
        self.descriptors.put_all(&dir, self.fd_lists.body());
        self.fd_lists.end();
        true
    }

    fn program(&mut self, dir: &ProcDir) -> Option<Program> {
        let mut buffer = link_buffer();
        let exepath = dir.link("exe", &mut buffer).to_vec();
        let (exe, args) = self.command_line(dir);
        if exe.is_empty() && args.is_empty() && exepath.is_empty() {
            return None;
        }
        let file = dir.stat("exe");
        // An overlay's files lie on a device without a major number: most others need no look.
        let layer = match &file {
            Some(facts) if facts.stx_dev_major == 0 => self.overlays.layer(dir, &exepath),
            _ => Layer::None,
        };
        Some(Program {
            exe,
            args,
            env: self.list(dir, "environ"),
            cwd: dir.link("cwd", &mut buffer).to_vec(),
            root: dir.link("root", &mut buffer).to_vec(),
            cgroups: match dir.read_record("cgroup", &mut self.file) {
                Ok(()) => self.cgroups.list(&self.file),
                Err(_) => Vec::new(),
            },
            fd_limit: self.fd_limit(dir),
            memfd: exepath.starts_with(b"/memfd:")
                && file.as_ref().is_some_and(|facts| facts.stx_nlink == 0),
            exepath,
            file,
            layer,
            pid_namespace: dir.stat("ns/pid").map_or(0, |facts| facts.stx_ino),
        })
    }

    /// The program as it was called, and its arguments, NUL-ended each.
    fn command_line(&mut self, dir: &ProcDir) -> (Vec<u8>, Vec<u8>) {
        let mut exe = self.list(dir, "cmdline");
        let end = exe.iter().position(|&byte| byte == 0).unwrap_or(exe.len());
        let args = exe.split_off((end + 1).min(exe.len()));
        exe.truncate(end);
        (exe, args)
    }

    /// A file of NUL-ended strings; where it is cut, the last one is ended all the same.
    fn list(&mut self, dir: &ProcDir, name: &str) -> Vec<u8> {
        if dir.read(name, &mut self.file, LIST_MAX).is_err() {
            return Vec::new();
        }
        if self.file.last().is_some_and(|&last| last != 0) {
            self.file.truncate(LIST_MAX - 1);
            self.file.push(0);
        }
        self.file.clone()
    }

    fn fd_limit(&mut self, dir: &ProcDir) -> u64 {
        if dir.read_record("limits", &mut self.file).is_err() {
            return u64::MAX;
        }
        self.file
            .split(|&byte| byte == b'\n')
            .find_map(|line| line.strip_prefix(b"Max open files"))
            .and_then(|values| words(values).next())
            .and_then(decimal)
            .unwrap_or(u64::MAX)
    }

    fn put_thread(&mut self, dir: &ProcDir, tid: u32, program: &Program) -> bool {
        if self.threads == THREADS_MAX || dir.read_record("status", &mut self.file).is_err() {
            return false;
        }
        let status = Status::parse(&self.file);
        if dir.read_record("stat", &mut self.file).is_err() {
            return false;
        }
        let Ok(stat) = Stat::from_read(self.file.as_slice()) else { return false };
        let loginuid = match dir.read_record("loginuid", &mut self.file) {
            Ok(()) => decimal(&self.file).unwrap_or(NOBODY_LOGGED_IN),
            Err(_) => NOBODY_LOGGED_IN,
        };
        self.threads += 1;
        let main = tid == status.tgid;
        let started = self.boot_ns + stat.starttime * self.tick_ns;
        if main && status.vpid == 1 {
            self.namespace_starts.insert(program.pid_namespace, started);
        }
        let (vtid, vpid) = (or(status.vtid, tid), or(status.vpid, status.tgid));
        let (ino, ctime, mtime) = program
            .file
            .as_ref()
            .map_or((0, 0, 0), |file| (file.stx_ino, ns(file.stx_ctime), ns(file.stx_mtime)));

        let entry = &mut self.entries;
        let at = entry.open_length();
        entry.u64(tid.into());
        entry.u64(status.tgid.into());
        entry.u64(status.ppid.into());
        entry.i64(stat.session.into());
        entry.i64(if status.vpgid == 0 { stat.pgrp.into() } else { status.vpgid.into() });
        entry.text(&status.comm, TEXT_MAX);
        entry.text(&program.exe, TEXT_MAX);
        entry.text(&program.exepath, TEXT_MAX);
        entry.text(&program.args, LIST_MAX);
        entry.text(&program.cwd, TEXT_MAX);
        entry.u64(program.fd_limit);
        entry.u32(if main { 0 } else { THREAD_FLAGS });
        entry.u32(status.uid);
        entry.u32(status.gid);
        entry.u32(status.vm_size_kb);
        entry.u32(status.vm_rss_kb);
        entry.u32(status.vm_swap_kb);
        entry.u64(stat.majflt);
        entry.u64(stat.minflt);
        // A thread's environment is that of its process: readers look there.
        entry.text(if main { &program.env } else { b"" }, LIST_MAX);
        entry.u64(vtid.into());
        entry.u64(vpid.into());
        entry.text(&program.cgroups, LIST_MAX);
        entry.text(&program.root, TEXT_MAX);
        self.wanted_starts.push((entry.len(), program.pid_namespace));
        entry.u64(0);
        entry.u32(stat.tty_nr as u32);
        entry.u32(loginuid);
        entry.u8(program.file.as_ref().is_some_and(|file| writable(file, &status)).into());
        entry.u64(status.cap_inheritable);
        entry.u64(status.cap_permitted);
        entry.u64(status.cap_effective);
        entry.u8((program.layer == Layer::Upper).into());
        entry.u64(ino);
        entry.u64(ctime);
        entry.u64(mtime);
        entry.u8(program.memfd.into());
        entry.u8((program.layer == Layer::Lower).into());
        entry.i64(stat.pgrp.into());
        // Ours, behind the fields that other readers know: when the thread was made.
        entry.u64(started);
        entry.u32(NAMESPACES_MARK);
        for number in self.namespaces.marks(dir, status.nested) {
            entry.u32(number);
        }
        entry.close_length(at);
        true
    }
}

fn or(value: u32, otherwise: u32) -> u32 {
    if value == 0 { otherwise } else { value }
}

/// Whether the thread could write to its own program: it owns it, may override the mode, or the
/// mode lets it.
fn writable(file: &Statx, status: &Status) -> bool {
    let mode = file.stx_mode;
    file.stx_uid == status.uid
        || status.cap_effective & CAP_DAC_OVERRIDE != 0
        || if file.stx_gid == status.gid { mode & 0o020 != 0 } else { mode & 0o002 != 0 }
}

fn ns(time: StatxTimestamp) -> u64 {
    (time.tv_sec as u64).wrapping_mul(SECOND_NS).wrapping_add(time.tv_nsec.into())
}

fn boot_ns() -> u64 {
    let ns = |clock| {
        let time = clock_gettime(clock);
        time.tv_sec as u64 * SECOND_NS + time.tv_nsec as u64
    };
    ns(ClockId::Realtime).saturating_sub(ns(ClockId::Boottime))
}
