//! Begins a tracer: its thread, its rings, its first tracee. In: what is to be traced and how.
//! Out: the door through which it is asked, or one line that says why it cannot be.
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use probe::kernel::Settings;

use super::ask;
use super::attach::refusal;
use super::filter::Filter;
use super::launch::launch;
use super::out::Counts;
use super::queue::Queue;
use super::routes::Routes;
use super::shared::Shared;
use super::teller::Teller;
use super::tracees::{Standing, Tracee, Tracees};
use super::tracer::{Answer, Request, Tracer};
use crate::failure::{Code, Failure};
use crate::settings::{Options, boot_epoch_ns};

/// What is to be traced.
#[derive(Clone)]
pub enum Target {
    /// A command, its words as they are; with a filter calls that nobody wants run at full speed.
    Command { words: Vec<Vec<u8>>, filtered: bool },
    /// A process that runs, with what it has started.
    Process(i32),
    /// What is attached later (tests).
    Nothing,
}

/// The reader's side of a tracer.
pub struct Door {
    pub shared: Arc<Shared>,
    requests: Sender<(Request, Sender<Answer>)>,
    tid: i32,
    process: i32,
}

/// Wakes the tracer's thread out of its waiting, and does nothing else.
fn wake_signal() -> i32 {
    libc::SIGRTMAX() - 5
}

extern "C" fn on_wake(_: libc::c_int) {}

/// The thread that made this one may have kept it from itself.
fn unblock_wake_signal() {
    // SAFETY: a set of our own, of this thread alone.
    unsafe {
        let mut set = std::mem::zeroed();
        libc::sigemptyset(&raw mut set);
        libc::sigaddset(&raw mut set, wake_signal());
        libc::pthread_sigmask(libc::SIG_UNBLOCK, &raw const set, std::ptr::null_mut());
    }
}

fn take_wake_signal() {
    // SAFETY: a handler that does nothing; without SA_RESTART waiting ends with EINTR.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = on_wake as *const () as usize;
        libc::sigaction(wake_signal(), &raw const action, std::ptr::null_mut());
    }
}

/// Whether this process may take on a filter without giving up privileges of its children.
fn may_filter() -> bool {
    const CAP_SYS_ADMIN: u32 = 21;
    let own = super::proc_text::Status::of(std::process::id() as i32);
    own.capabilities[2] >> CAP_SYS_ADMIN & 1 != 0
}

impl Door {
    pub fn open(target: Target, options: &Options, interest: &[u16]) -> Result<Self, Failure> {
        take_wake_signal();
        let rings = [options.critical_ring_bytes as usize, options.bulk_ring_bytes as usize];
        let queue = Arc::new(Queue::new(rings));
        let counts = Arc::new(Mutex::new(Counts::default()));
        let shared = Arc::new(Shared::new(Arc::clone(&queue), Arc::clone(&counts)));
        let settings = Settings {
            boot_epoch_ns: boot_epoch_ns(),
            self_tgid: options.self_pid,
            snaplen: options.snaplen.min(probe::snaplen::FULL),
            drop_failed: u32::from(options.drop_failed),
            critical_ring_bytes: options.critical_ring_bytes,
            port_from: options.full_ports.0,
            port_to: options.full_ports.1,
            dynamic: u32::from(options.dynamic_snaplen),
            pad: 0,
        };
        let (requests, asked) = channel();
        let (tell, begun) = channel();
        let routes = Routes::of(interest);
        let own = Arc::clone(&shared);
        thread::Builder::new()
            .name("saker-tracer".into())
            .stack_size(4 << 20)
            .spawn(move || {
                unblock_wake_signal();
                let teller = Teller::new(settings, queue, counts);
                match begin(target, routes, teller, own, asked) {
                    Ok(tracer) => {
                        // SAFETY: asks for a number only.
                        let _ = tell.send(Ok(unsafe { libc::gettid() }));
                        tracer.run();
                    }
                    Err(failure) => {
                        let _ = tell.send(Err(failure));
                    }
                }
            })
            .map_err(|error| {
                Failure::new(Code::Io, format!("Cannot start the tracer's thread: {error}"))
            })?;
        let tid = begun
            .recv()
            .map_err(|_| Failure::new(Code::Io, "Cannot start the tracer: its thread ended"))??;
        Ok(Self { shared, requests, tid, process: std::process::id() as i32 })
    }

    /// Asks the tracer, and waits for its answer.
    pub fn ask(&self, request: Request) -> Answer {
        let queue = &self.shared.queue;
        queue.set_asking(true);
        let answer = self.answer(request);
        queue.set_asking(false);
        answer
    }

    fn answer(&self, request: Request) -> Answer {
        let (answer, answered) = channel();
        if self.requests.send((request, answer)).is_err() {
            return Ok(());
        }
        loop {
            // It may be about to wait just now: it is woken again until it has answered.
            // SAFETY: a signal to a thread of our own, whose handler does nothing.
            unsafe {
                libc::syscall(libc::SYS_tgkill, self.process, self.tid, wake_signal());
            }
            match answered.recv_timeout(Duration::from_millis(10)) {
                Ok(answer) => return answer,
                // It has ended: nothing is left to ask.
                Err(_) if self.shared.told().ended => return Ok(()),
                Err(std::sync::mpsc::RecvTimeoutError::Disconnected) => return Ok(()),
                Err(std::sync::mpsc::RecvTimeoutError::Timeout) => {}
            }
        }
    }
}

fn begin(
    target: Target,
    routes: Routes,
    teller: Teller,
    shared: Arc<Shared>,
    requests: Receiver<(Request, Sender<Answer>)>,
) -> Result<Tracer, Failure> {
    let numbers = routes.numbers();
    let mut tracer = Tracer {
        teller,
        tracees: Tracees::default(),
        routes,
        shared,
        requests,
        command: None,
        command_pid: 0,
        filter: None,
        stops_all: false,
        early: std::collections::HashMap::new(),
        stays: matches!(target, Target::Nothing),
        letting_go: None,
    };
    match target {
        Target::Nothing => {}
        Target::Process(pid) => tracer.attach(pid).map_err(|why| {
            let code = if why.contains("no such") { Code::Invalid } else { Code::NoPermission };
            Failure::new(code, why)
        })?,
        Target::Command { words, filtered } => {
            tracer.filter = filtered.then(|| Filter::of(numbers, !may_filter()));
            let command = launch(&words, tracer.filter.as_ref())?;
            let pid = command.pid;
            if let Err(error) = ask::seize(pid, filtered) {
                let why = refusal(pid, error);
                drop(command);
                // SAFETY: our own child, which ends since its pipe is closed.
                unsafe { libc::waitpid(pid, std::ptr::null_mut(), libc::__WALL) };
                return Err(Failure::new(Code::NoPermission, why));
            }
            tracer.command_pid = pid;
            tracer.shared.set_command(pid);
            tracer.command = Some(command);
            let is_filtered = filtered;
            let tracee =
                Tracee { tgid: pid, standing: Standing::Quiet, is_filtered, ..Tracee::default() };
            tracer.tracees.insert(pid, tracee);
        }
    }
    Ok(tracer)
}
