//! Takes up processes that run already: all threads of one, and of all that it has started. What is
//! refused is told in one line, with what to do.
use std::collections::BTreeSet;
use std::fs;
use std::time::{Duration, Instant};

use super::ask;
use super::proc_text::{Status, numbers};
use super::tracees::Tracee;
use super::tracer::{Answer, Tracer};

/// Threads may begin others while they are taken up: so often it is looked again.
const ROUNDS: usize = 64;
/// How long the threads of a process have for their first stop.
const SETTLE: Duration = Duration::from_millis(200);
/// Processes of one tree, at the most.
const TREE: usize = 4096;

impl Tracer {
    /// Attaches to a process and its descendants. An error where the process itself is refused.
    pub fn attach(&mut self, pid: i32) -> Answer {
        self.attach_process(pid)?;
        let mut left = children(pid);
        let mut done = BTreeSet::from([pid]);
        while let Some(next) = left.pop() {
            if !done.insert(next) || done.len() > TREE {
                continue;
            }
            left.extend(children(next));
            // Of another user, perhaps: the others are followed.
            if self.attach_process(next).is_err() {
                self.tracees.refused += 1;
            }
        }
        Ok(())
    }

    fn attach_process(&mut self, pid: i32) -> Answer {
        let mut is_first = true;
        let mut seized = BTreeSet::new();
        for _ in 0..ROUNDS {
            let missing: Vec<i32> =
                threads(pid).into_iter().filter(|&tid| !self.tracees.has(tid)).collect();
            if missing.is_empty() {
                break;
            }
            for tid in missing {
                match ask::seize(tid, false) {
                    Ok(()) => {
                        let tracee = Tracee { tgid: pid, ..Tracee::default() };
                        self.tracees.insert(tid, tracee);
                        let _ = ask::interrupt(tid);
                        seized.insert(tid);
                        is_first = false;
                    }
                    Err(error) if is_first => return Err(refusal(pid, error)),
                    // It has ended meanwhile.
                    Err(_) => {}
                }
            }
        }
        if is_first && !self.tracees.has(pid) {
            return Err(refusal(pid, libc::ESRCH));
        }
        self.settle(seized);
        Ok(())
    }

    /// Lets threads come to their first stop, from which on their calls are told. One that waits in
    /// the kernel for a disk or a dead server comes to it later.
    fn settle(&mut self, mut seized: BTreeSet<i32>) {
        let end = Instant::now() + SETTLE;
        while !seized.is_empty() && Instant::now() < end {
            match ask::wait(true) {
                Ok(Some((tid, status))) => {
                    seized.remove(&tid);
                    self.stopped(tid, status);
                }
                Ok(None) => std::thread::sleep(Duration::from_micros(100)),
                Err(_) => return,
            }
        }
    }
}

fn threads(pid: i32) -> Vec<i32> {
    let Ok(entries) = fs::read_dir(format!("/proc/{pid}/task")) else { return Vec::new() };
    entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect()
}

fn children(pid: i32) -> Vec<i32> {
    threads(pid)
        .into_iter()
        .flat_map(|tid| numbers(pid, &format!("task/{tid}/children")))
        .map(|pid| pid as i32)
        .collect()
}

/// Why a process cannot be traced, and what to do.
pub fn refusal(pid: i32, error: i32) -> String {
    let why = match error {
        libc::ESRCH => "there is no such process".to_owned(),
        libc::EPERM | libc::EACCES => permission(pid),
        libc::ENOSYS => "ptrace is refused here (a seccomp filter, as some containers have)".into(),
        _ => std::io::Error::from_raw_os_error(error).to_string(),
    };
    format!("Cannot trace process {pid}: {why}")
}

fn permission(pid: i32) -> String {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let tracer = text.lines().find_map(|line| line.strip_prefix("TracerPid:")).map(str::trim);
    if let Some(tracer) = tracer.filter(|&tracer| tracer != "0") {
        let name = fs::read_to_string(format!("/proc/{tracer}/comm")).unwrap_or_default();
        return format!(
            "process {tracer} ({}) traces it already, and a process has one tracer; end that first",
            name.trim_end()
        );
    }
    // SAFETY: asks for a number only.
    let own = unsafe { libc::geteuid() };
    let theirs = Status::of(pid).uids[0];
    if own != 0 && theirs != own {
        return format!("it belongs to user {theirs}, and you are {own}; run saker as that user");
    }
    let scope = fs::read_to_string("/proc/sys/kernel/yama/ptrace_scope").unwrap_or_default();
    match scope.trim() {
        "1" => "kernel.yama.ptrace_scope is 1: only what saker starts may be traced; use saker \
                trace -- COMMAND, or run saker with CAP_SYS_PTRACE"
            .into(),
        "2" => "kernel.yama.ptrace_scope is 2: it takes CAP_SYS_PTRACE (run saker as root)".into(),
        "3" => "kernel.yama.ptrace_scope is 3: nothing can be traced until the next boot".into(),
        _ => {
            "it has privileges that you lack, or a filter refuses ptrace; run saker as root".into()
        }
    }
}
