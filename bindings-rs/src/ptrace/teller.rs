//! Makes events of what tracees do: probe-rs's fillers and stages, run one after the other in a
//! block of our own, and the finished block handed to the queue. In: a call that has returned, a
//! start, an end, a signal. Out: blocks, and what is counted of them.
use std::sync::{Arc, Mutex};

use probe::event::{Event, Next};
use probe::kernel::Settings;
use probe::lane::{self, BULK, CRITICAL};
use probe::scratch::{SCRATCH_BYTES, State};
use probe::{exec, exit, files, long, stage, table, traced};

use super::arena::{Kind, address};
use super::kernel::{Named, Tracee};
use super::names;
use super::out::{Counts, Out};
use super::proc_text::{Stat, namespace};
use super::queue::Queue;
use super::routes::{Route, code_of};
use super::scene::{Host, Scene, Subject};
use super::sifting::{Fate, Sieve};
use super::stages::follow;
use super::subject::ticks;

const EINPROGRESS: i64 = -115;
/// The first pid namespace's inode, the same on every kernel (`PROC_PID_INIT_INO`).
const FIRST_PIDS: u32 = 0xefff_fffc;

/// A call that has returned.
pub struct Call {
    pub route: Route,
    pub number: u64,
    pub compat: bool,
    pub args: [u64; 6],
    pub ret: i64,
}

type Filler = fn(&mut Event<Tracee>) -> Next;

macro_rules! table {
    ($($name:ident $code:ident $function:path;)*) => {
        const RUN: &[Filler] = &[$($function),*];
    };
}
probe::with_fillers!(table);

pub struct Teller {
    k: Box<Tracee>,
    out: Out,
    pub sieve: Sieve,
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
        });
        let out = Out { queue, counts, sequence: [0; 2] };
        Self { k, out, sieve: Sieve::default(), _rooms: rooms }
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

    /// A call that returned, and its second event where it is told as an older one too.
    pub fn call(&mut self, subject: Subject, call: &Call) {
        if call.ret < 0 && call.ret != EINPROGRESS && self.k.settings.drop_failed != 0 {
            return;
        }
        self.k.begin(subject);
        let via = if call.route.also.is_some() { 0 } else { call.route.via };
        self.filler(call, call.route.filler, via);
        if let Some(also) = call.route.also {
            self.filler(call, also, call.route.via);
        }
        self.upkeep();
    }

    /// Runs a filler, again for each message of a batch.
    fn filler(&mut self, call: &Call, filler: u16, via: u8) {
        let code = code_of(filler);
        if !lane::is_life(code) && self.sieve.drops_all(code) {
            self.sieve.count(code);
            return;
        }
        let run = RUN[filler as usize];
        let mut index = 0;
        loop {
            let state = self.state();
            (state.args, state.ret, state.index) = (call.args, call.ret, index);
            (state.sc, state.number) = (call.route.sc, call.number as u16);
            (state.compat, state.via, state.slot) = (u8::from(call.compat), via, 0);
            (state.bprm, state.also, state.also_via, state.gated) = (0, 0, 0, 0);
            (state.given, state.given_fd, state.asker) = (0, -1, 0);
            let k = &*self.k;
            // SAFETY: the block has SCRATCH_BYTES and is used by this event alone.
            let mut e = unsafe { Event::begin(k, k.block, code, lane::of(code)) };
            let next = run(&mut e);
            files::note(&mut e, code, index);
            if index == 0 {
                let walks = matches!(next, Next::Walk | Next::LookUp)
                    && e.state().then == stage::EMIT_WITH_PATHS;
                if walks && self.sieve.drops_by_numbers(&mut e) {
                    self.sieve.count(code);
                    return;
                }
                follow(k, &mut self.out, &mut self.sieve, &mut e, next);
            } else if self.sieve.fate(&mut e) == Fate::Dropped {
                self.sieve.count(code);
            } else {
                // Of the batch's descriptor its first event tells.
                self.out.emit(k, &mut e, Some(0));
            }
            if next != Next::EmitAndRepeat {
                return;
            }
            index += 1;
        }
    }

    /// A program that begins.
    pub fn started(&mut self, subject: Subject) {
        const CODE: u16 = table::SYSCALL_EXECVE_19_X;
        self.k.begin(subject);
        let k = &*self.k;
        let mut e = event(k, CODE);
        e.state().bprm = address(Kind::Program, 0);
        let next = exec::exec(&mut e);
        follow(k, &mut self.out, &mut self.sieve, &mut e, next);
        self.upkeep();
    }

    /// The end of a thread.
    pub fn ended(&mut self, subject: Subject) {
        self.k.begin(subject);
        let k = &*self.k;
        let mut e = event(k, table::PROCEXIT_1_E);
        if exit::exit(&mut e) == Next::Emit {
            self.out.emit(k, &mut e, Some(0));
        }
    }

    /// A signal that is delivered.
    pub fn signalled(&mut self, subject: Subject, signal: u32) {
        const CODE: u16 = table::SIGNALDELIVER_E;
        self.k.begin(subject);
        let k = &*self.k;
        let mut e = event(k, CODE);
        traced::signal(&mut e, signal, address(Kind::SignalInfo, 0));
        e.save();
        if self.sieve.fate(&mut e) == Fate::Dropped {
            self.sieve.count(CODE);
        } else {
            self.out.emit(k, &mut e, Some(0));
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
        let mut counts = self.out.counts();
        counts.arena_refused = refused;
        counts.sifted.copy_from_slice(&self.sieve.dropped);
    }
}

#[expect(clippy::cast_ptr_alignment, reason = "rooms are of words")]
fn event(k: &Tracee, code: u16) -> Event<'_, Tracee> {
    // SAFETY: the block begins with the State and has SCRATCH_BYTES; no other event holds it.
    unsafe {
        let state = &mut *k.block.cast::<State>();
        (state.args, state.ret, state.index) = ([0; 6], 0, 0);
        (state.compat, state.via, state.also, state.bprm) = (0, 0, 0, 0);
        (state.sc, state.number, state.slot, state.gated) = (0, 0, 0, 0);
        (state.given, state.given_fd) = (0, -1);
        Event::begin(k, k.block, code, lane::of(code))
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

const _: () = assert!(CRITICAL == 0 && BULK == 1);
