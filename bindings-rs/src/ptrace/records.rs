//! The tracer as a source of records.
use std::collections::HashMap;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::time::Duration;

use probe::further::NAME_BYTES;
use probe::table::{PAGE_FAULT_E, SCHEDSWITCH_6_E};

use super::kernel::{NAMED_FILES, Named};
use super::start::{Door, Target};
use super::tracer::Request;
use crate::failure::{Code, Failure};
use crate::gaps::Gaps;
use crate::merge;
use crate::plan::Planned;
use crate::records::{Records, Stats};
use crate::settings::Options;

/// How long tracees have for going on without us.
const LET_GO: Duration = Duration::from_secs(6);

/// What comes within so long of the first is read with it.
const BATCH: Duration = Duration::from_millis(2);

pub struct TracerRecords {
    door: Door,
    has_begun: bool,
    files: (u64, u64),
}

impl TracerRecords {
    pub fn open(target: Target, options: &Options, interest: &[u16]) -> Result<Self, Failure> {
        let door = Door::open(target, options, interest)?;
        Ok(Self { door, has_begun: false, files: (0, 0) })
    }

    fn ask(&self, request: Request) -> Result<(), Failure> {
        self.door.ask(request).map_err(|why| Failure::new(Code::Invalid, why))
    }

    /// Takes up a process that runs (tests).
    #[cfg(test)]
    pub fn attach(&self, pid: i32) -> Result<(), Failure> {
        self.ask(Request::Attach(pid))
    }
}

impl Records for TracerRecords {
    fn drain(&mut self, out: &mut [u8], gaps: &mut Gaps) -> Result<usize, Failure> {
        if !self.has_begun {
            // Who reads is ready: the command may begin.
            self.has_begun = true;
            self.ask(Request::Begin)?;
        }
        Ok(self.door.shared.queue.read(|critical, bulk| merge::drain(critical, bulk, out, gaps)))
    }

    fn wait(&mut self, time: Duration) -> Result<bool, Failure> {
        if !self.door.shared.queue.is_empty() {
            return Ok(true);
        }
        let has_some = self.door.shared.queue.wait(time);
        if has_some {
            // More follows: to be woken for each event would take the tracees' processors.
            std::thread::sleep(BATCH);
        }
        Ok(has_some)
    }

    fn set_interest(&mut self, codes: &[u16]) -> Result<(), Failure> {
        self.ask(Request::Interest(codes.to_vec()))
    }

    fn set_sieve(&mut self, table: &[u8], keeps_opens: bool) -> Result<(), Failure> {
        self.ask(Request::Sieve(table.to_vec(), keeps_opens))
    }

    fn name_files(&mut self, names: Vec<Vec<u8>>, host_root: &str) -> Result<(), Failure> {
        let mut named = HashMap::new();
        let mut refused = 0;
        for name in names {
            let below = name.strip_prefix(b"/").unwrap_or(&name);
            let path = Path::new(host_root).join(OsStr::from_bytes(below));
            let Ok(facts) = fs::metadata(path) else { continue };
            if name.len() >= NAME_BYTES || named.len() >= NAMED_FILES {
                refused += 1;
                continue;
            }
            let mut bytes = [0u8; NAME_BYTES];
            bytes[..name.len()].copy_from_slice(&name);
            let (major, minor) = (libc::major(facts.dev()), libc::minor(facts.dev()));
            named.insert((major << 20 | minor & 0xf_ffff, facts.ino()), bytes);
        }
        self.files = (named.len() as u64, refused);
        self.ask(Request::Name(Named(named)))
    }

    fn sifted(&self) -> Vec<(u16, u64)> {
        by_code(&self.door.shared.counts().sifted)
    }

    fn lost(&self) -> Vec<(u16, u64)> {
        by_code(&self.door.shared.counts().lost_by_code)
    }

    fn cpus(&self) -> Vec<[u64; 3]> {
        let counts = self.door.shared.counts();
        vec![[counts.events, counts.lost[0], counts.lost[1]]]
    }

    fn stats(&mut self) -> Stats {
        let (counts, told) = (self.door.shared.counts(), self.door.shared.told());
        Stats {
            events: counts.events,
            lost: counts.lost,
            excess: 0,
            // Threads that the table had no room for, and objects that the arena had none for.
            skipped: told.refused + counts.arena_refused,
            truncated: counts.truncated,
            named: counts.named,
            unresolved: counts.unresolved,
            files: self.files,
            programs: 1,
            attached: u32::from(!told.ended),
        }
    }

    fn command(&self) -> u32 {
        self.door.shared.told().command as u32
    }

    fn ended(&self) -> Option<i32> {
        let shared = &self.door.shared;
        let is_over = shared.told().ended && shared.queue.is_empty();
        is_over.then(|| shared.exit_code().unwrap_or(0))
    }

    fn plan(&self) -> Vec<Planned> {
        let told = self.door.shared.told();
        let reason = if told.error == 0 {
            String::new()
        } else {
            let error = std::io::Error::from_raw_os_error(told.error);
            format!("the kernel refuses what the tracer asks: {error} (Linux 5.3 is needed)")
        };
        let unseen = "a tracer does not see it".to_owned();
        vec![
            Planned {
                name: "tracer",
                kind: "ptrace",
                target: "ptrace",
                events: Vec::new(),
                reason,
                refused: false,
            },
            Planned {
                name: "faulted",
                kind: "ptrace",
                target: "ptrace",
                events: vec![PAGE_FAULT_E],
                reason: unseen.clone(),
                refused: true,
            },
            Planned {
                name: "switched",
                kind: "ptrace",
                target: "ptrace",
                events: vec![SCHEDSWITCH_6_E],
                reason: unseen,
                refused: true,
            },
        ]
    }
}

impl Drop for TracerRecords {
    fn drop(&mut self) {
        // Nobody reads any more: the tracer is not to wait for that.
        self.door.shared.queue.close();
        let _ = self.door.ask(Request::LetGo);
        self.door.shared.wait_for_end(LET_GO);
    }
}

fn by_code(counts: &[u64]) -> Vec<(u16, u64)> {
    let told = counts.iter().enumerate().filter(|(_, count)| **count > 0);
    told.map(|(code, count)| (code as u16, *count)).collect()
}
