//! What one event is told from: whom it is of, as the table of tracees knows it, and the memory
//! that is filled from /proc meanwhile.
use std::cell::RefCell;

use probe::kernel::Maker;

use super::arena::Arena;
use super::facts::Asker;

/// Which task an object of Kind::Task is.
pub const CURRENT: u32 = 0;
pub const PARENT: u32 = 1;
/// The first process of the machine, or of our own pid namespace.
pub const FIRST: u32 = 2;
/// A thread of the same process that lives on.
pub const OTHER: u32 = 3;
/// The file that a process runs, among its open ones.
pub const PROGRAM: u32 = u32::MAX;
#[derive(Clone, Default)]
pub struct Subject {
    pub tid: i32,
    pub tgid: i32,
    /// The thread that made the process, as long as it lives; 0: ask /proc.
    pub parent: i32,
    pub maker: Option<Maker>,
    /// A thread of the process that lives on; 0: there is none.
    pub other: i32,
    /// As wait(2) has it.
    pub exit_code: i32,
    /// The name that was executed.
    pub program: Vec<u8>,
    /// The call made the file that it opened.
    pub created: bool,
    pub signal: Vec<u8>,
}

/// Of the machine's first process, as far as it may be looked at.
#[derive(Default)]
pub struct Host {
    /// Our own pid namespace is the machine's first.
    pub is_first: bool,
    pub mounts: u32,
    pub pids: u32,
    /// When it was started, ns since the boot.
    pub started: u64,
}

/// All that objects are made from.
#[derive(Default)]
pub struct Scene {
    pub subject: Subject,
    pub arena: RefCell<Arena>,
    pub asker: RefCell<Asker>,
    /// What process 1 and we are ourselves, asked once.
    pub host: Host,
}

impl Scene {
    /// Forgets what the last event was told from.
    pub fn begin(&mut self, subject: Subject) {
        self.subject = subject;
        self.arena.borrow_mut().clear();
    }
}
