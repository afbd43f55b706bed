//! Makes events of what tracees do: probe-rs runs them (run.rs), in a block of our own. In: a call
//! that has returned, a start, an end, a signal. Out: blocks, and what is counted of them.
use std::sync::{Arc, Mutex};

use probe::kernel::Settings;
use probe::scratch::{SCRATCH_BYTES, State};
use probe::socket::EINPROGRESS;
use probe::{long, routes, run, table, traced};

use super::arena::{Kind, address};
use super::kernel::{Named, Tracee};
use super::names;
use super::out::{Counts, Out};
use super::proc_text::{Stat, namespace};
use super::queue::Queue;
use super::scene::{Host, Scene, Subject};
use super::sifting::Sieve;
use super::subject::ticks;

/// The first pid namespace's inode, the same on every kernel (`PROC_PID_INIT_INO`).
const FIRST_PIDS: u32 = 0xefff_fffc;

/// A call that has returned.
pub struct Call {
    /// See probe::routes.
    pub route: u32,
    pub number: u64,
    pub compat: bool,
    pub args: [u64; 6],
    pub ret: i64,
}

pub struct Teller {
    k: Box<Tracee>,
    _rooms: [Box<[u64]>; 2],
}

// SAFETY: the raw pointers are into rooms that go with it.
unsafe impl Send for Teller {}

impl Teller {
    pub fn new(settings: Settings, queue: Arc<Queue>, counts: Arc<Mutex<Counts>>) -> Self {
        let mut rooms = [
            vec![0u64; SCRATCH_BYTES / 8].into_boxed_slice(),
            vec![0u64; long::LONG_BYTES.div_ceil(8)].into_boxed_slice(),
        ];
        let (block, long) = (rooms[0].as_mut_ptr().cast(), rooms[1].as_mut_ptr().cast());
        let k = Box::new(Tracee {
            settings,
            block,
            long: (long, long::LONG_BYTES),
            scene: Scene { host: host(), ..Scene::default() },
            named: Named::default(),
            sieve: Sieve::default(),
            out: Out::new(queue, counts),
        });
        Self { k, _rooms: rooms }
    }

    pub fn boot_epoch_ns(&self) -> u64 {
        self.k.settings.boot_epoch_ns
    }

    /// Whether a name of a thread leads to something now.
    pub fn is_there(&mut self, subject: Subject, fd: i32, name: &[u8]) -> bool {
        self.k.begin(subject);
        names::is_there(&self.k, fd, name)
    }

    pub fn name_files(&mut self, named: Named) {
        self.k.named = named;
    }

    pub fn sift(&mut self, table: &[u8], keeps_opens: bool) -> Result<(), &'static str> {
        self.k.sieve.exchange(table, keeps_opens)
    }

    /// A call that returned, and its second event where it is told as an older one too.
    pub fn call(&mut self, subject: Subject, call: &Call) {
        if call.ret < 0 && call.ret != EINPROGRESS && self.k.settings.drop_failed != 0 {
            return;
        }
        self.k.begin(subject);
        let state = self.state();
        (state.args, state.ret) = (call.args, call.ret);
        routes::take(state, call.route, call.number, call.compat);
        // No gate before an open's event: what it looks at has to be asked of /proc all the same.
        state.gated = 1;
        // SAFETY: the block has SCRATCH_BYTES and is used by this event alone.
        unsafe { run::call(&*self.k, self.k.block) };
        self.upkeep();
    }

    /// A program that begins.
    pub fn started(&mut self, subject: Subject) {
        self.k.begin(subject);
        // SAFETY: as above.
        unsafe { run::started(&*self.k, self.k.block, address(Kind::Program, 0)) };
        self.upkeep();
    }

    /// The end of a thread.
    pub fn ended(&mut self, subject: Subject) {
        self.k.begin(subject);
        // SAFETY: as above.
        unsafe { run::ended(&*self.k, self.k.block) };
    }

    /// A signal that is delivered.
    pub fn signalled(&mut self, subject: Subject, signal: u32) {
        self.k.begin(subject);
        // SAFETY: as above.
        unsafe {
            run::aside(&*self.k, self.k.block, table::SIGNALDELIVER_E, |e| {
                traced::signal(e, signal, address(Kind::SignalInfo, 0));
            });
        }
    }

    #[expect(clippy::cast_ptr_alignment, reason = "rooms are of words")]
    fn state(&mut self) -> &mut State {
        // SAFETY: the block begins with the State, and no event holds it.
        unsafe { &mut *self.k.block.cast::<State>() }
    }

    /// Numbers that others may ask for.
    fn upkeep(&mut self) {
        let refused = self.k.scene.arena.borrow().refused;
        self.k.out.counts().arena_refused = refused;
    }
}

/// What is known of the machine's first process; on the host itself we stand for it.
fn host() -> Host {
    let own = std::process::id() as i32;
    let pids = namespace(own, "pid");
    let mounts = namespace(1, "mnt");
    let is_first = pids == FIRST_PIDS;
    Host {
        is_first,
        pids: if is_first { pids } else { 0 },
        mounts: if mounts == 0 && is_first { namespace(own, "mnt") } else { mounts },
        started: ticks(Stat::of(1).started),
    }
}
