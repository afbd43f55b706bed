//! The tracer's thread: waits for stops of its tracees, has them told, and lets them go on. Every
//! request of ptrace(2) is made here, since the kernel takes them of one thread only.
//!
//! In: what others ask (Request), stops. Out: events (teller.rs), how the command ended.
use std::collections::HashMap;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};

use probe::kernel::Maker;
use probe::table::SIGNALDELIVER_E;

use super::ask::{self, At, On, Stop};
use super::calls;
use super::filter::Filter;
use super::kernel::Named;
use super::launch::Waiting;
use super::proc_text::Status;
use super::routes::Routes;
use super::shared::Shared;
use super::teller::{Call, Teller};
use super::tracees::{InCall, Standing, Tracee, Tracees};
use crate::settings::since_boot_ns;

/// What the reader's side asks of the tracer.
pub enum Request {
    /// The command may begin.
    Begin,
    Interest(Vec<u16>),
    Sieve(Vec<u8>, bool),
    Name(Named),
    /// A process with all its threads, and what it has started.
    #[cfg(test)]
    Attach(i32),
    /// All tracees go on without us, and the thread ends.
    LetGo,
}

pub type Answer = Result<(), String>;

pub struct Tracer {
    pub teller: Teller,
    pub tracees: Tracees,
    pub routes: Routes,
    pub shared: std::sync::Arc<Shared>,
    pub requests: Receiver<(Request, Sender<Answer>)>,
    pub command: Option<Waiting>,
    /// Its id, once it is there.
    pub command_pid: i32,
    pub filter: Option<Filter>,
    /// The filter holds too little: every call of every tracee stops.
    pub stops_all: bool,
    /// Stops of threads that nobody has told us of yet.
    pub early: HashMap<i32, i32>,
    /// It lives on without tracees (tests).
    pub stays: bool,
    pub letting_go: Option<Instant>,
}

/// A tracee that does not stop is waited for so long when all are let go.
const LET_GO: Duration = Duration::from_secs(5);
/// How long the thread that makes another one has for telling of it.
const EARLY: Duration = Duration::from_millis(1);

impl Tracer {
    pub fn run(mut self) {
        loop {
            self.take_requests();
            if self.letting_go.is_some_and(|since| since.elapsed() > LET_GO) {
                break;
            }
            if self.tracees.is_empty() && self.early.is_empty() && self.command.is_none() {
                if !self.stays || self.letting_go.is_some() {
                    break;
                }
                if !self.wait_for_request() {
                    break;
                }
                continue;
            }
            let at_once = !self.early.is_empty() || self.letting_go.is_some();
            match ask::wait(at_once) {
                Ok(Some((tid, status))) => self.stopped(tid, status),
                Ok(None) => {
                    std::thread::sleep(EARLY);
                    self.adopt();
                }
                Err(libc::EINTR) => {}
                // All are gone, told or not.
                Err(_) => self.forget_all(),
            }
            self.shared.tell(&self.tracees);
        }
        self.shared.end();
    }

    fn forget_all(&mut self) {
        for tid in self.tracees.tids() {
            self.tracees.remove(tid);
        }
        self.early.clear();
        if let Some(command) = self.command.take() {
            drop(command);
            self.shared.set_exit(super::launch::NOT_EXECUTABLE << 8);
        }
    }

    fn take_requests(&mut self) {
        while let Ok((request, answer)) = self.requests.try_recv() {
            let _ = answer.send(self.take(request));
        }
    }

    /// False where nobody can ask any more.
    fn wait_for_request(&mut self) -> bool {
        match self.requests.recv_timeout(Duration::from_secs(1)) {
            Ok((request, answer)) => {
                let _ = answer.send(self.take(request));
                true
            }
            Err(RecvTimeoutError::Timeout) => true,
            Err(RecvTimeoutError::Disconnected) => false,
        }
    }

    fn take(&mut self, request: Request) -> Answer {
        match request {
            Request::Begin => {
                if let Some(mut command) = self.command.take() {
                    if self.filter.is_none() {
                        // It stands still before it begins, and from then on at each call.
                        let _ = ask::interrupt(command.pid);
                    }
                    command.go();
                    self.shared.keep_command(command);
                }
            }
            Request::Interest(codes) => {
                self.routes = Routes::of(&codes);
                let numbers = self.routes.numbers();
                let holds = self.filter.as_ref().is_none_or(|filter| filter.holds(&numbers));
                if !holds && !self.stops_all {
                    self.stops_all = true;
                    for tid in self.tracees.tids() {
                        let _ = ask::interrupt(tid);
                    }
                }
            }
            Request::Sieve(table, keeps_opens) => {
                return self.teller.sift(&table, keeps_opens).map_err(str::to_owned);
            }
            Request::Name(named) => self.teller.name_files(named),
            #[cfg(test)]
            Request::Attach(pid) => return self.attach(pid),
            Request::LetGo => self.let_all_go(),
        }
        Ok(())
    }

    fn let_all_go(&mut self) {
        if self.letting_go.is_some() {
            return;
        }
        self.letting_go = Some(Instant::now());
        // A child that has not begun sees its pipe closed and ends.
        self.command = None;
        for tid in self.tracees.tids() {
            if self.filter.is_some() {
                // Without a tracer its filtered calls would fail: it ends with us, as was said.
                // SAFETY: a tracee of ours, whose id cannot be another's before we have waited.
                unsafe { libc::kill(tid, libc::SIGKILL) };
            } else {
                let _ = ask::interrupt(tid);
            }
        }
    }

    /// Something has happened to a tracee.
    pub fn stopped(&mut self, tid: i32, status: i32) {
        let stop = Stop::of(status);
        if stop == Stop::Ended {
            return self.ended(tid, status);
        }
        if !self.tracees.has(tid) {
            self.early.insert(tid, status);
            return;
        }
        if self.letting_go.is_some() {
            return self.let_go(tid, stop);
        }
        if self.tracees.get(tid).is_some_and(|tracee| tracee.standing == Standing::Refused) {
            self.tracees.remove(tid);
            let on = if self.filter.is_some() { On::Free } else { On::Away };
            let _ = ask::go_on(tid, on, 0);
            return;
        }
        let mut signal = 0;
        match stop {
            Stop::Call | Stop::Filtered => self.at_call(tid, stop),
            Stop::Fork => self.forked(tid),
            Stop::Exec => self.executed(tid),
            Stop::Exit => {
                let code = ask::message(tid).unwrap_or(0) as i32;
                self.tell_end(tid, code);
            }
            Stop::Group => {
                self.tell_birth(tid);
                let _ = ask::go_on(tid, On::Listen, 0);
                return;
            }
            Stop::Interrupted => self.tell_birth(tid),
            Stop::Signal(number) => {
                signal = number;
                self.signalled(tid, number);
            }
            Stop::Other | Stop::Ended => {}
        }
        self.go_on(tid, signal);
    }

    fn go_on(&mut self, tid: i32, signal: i32) {
        let Some(tracee) = self.tracees.get(tid) else { return };
        let free = tracee.is_filtered && tracee.call.is_none() && !self.stops_all;
        // One that was killed meanwhile is told of by its end.
        let _ = ask::go_on(tid, if free { On::Free } else { On::ToCall }, signal);
    }

    /// Lets a stopped tracee go on without us, as it would have.
    fn let_go(&mut self, tid: i32, stop: Stop) {
        if stop == Stop::Fork
            && let Ok(child) = ask::message(tid)
        {
            self.tracees.insert(child as i32, Tracee { tgid: child as i32, ..Tracee::default() });
            self.take_early(child as i32);
        }
        if let Some(tracee) = self.tracees.remove(tid)
            && let Some(call) = tracee.call
        {
            calls::restore(tid, &call);
        }
        let signal = if let Stop::Signal(number) = stop { number } else { 0 };
        let _ = ask::go_on(tid, On::Away, signal);
    }

    fn at_call(&mut self, tid: i32, stop: Stop) {
        match ask::call(tid) {
            Ok(At::Entry { number, args, compat }) => {
                let is_in_call = self.tracees.get(tid).is_some_and(|tracee| tracee.call.is_some());
                // Of a filtered call that was seen to begin the filter tells once more.
                if !(stop == Stop::Filtered && is_in_call) {
                    let (routes, tracees) = (&self.routes, &self.tracees);
                    let call =
                        calls::begin(routes, tracees, &mut self.teller, tid, number, args, compat);
                    if let Some(tracee) = self.tracees.get(tid) {
                        tracee.call = call;
                    }
                }
            }
            Ok(At::Exit { ret }) => {
                let subject = self.tracees.subject(tid);
                let Some(tracee) = self.tracees.get(tid) else { return };
                let is_quiet = tracee.standing == Standing::Quiet;
                let Some(call) = tracee.call.take() else { return };
                calls::restore(tid, &call);
                if let (Some(route), false) = (call.route, is_quiet) {
                    let InCall { number, args, compat, creates, .. } = call;
                    let mut subject = subject;
                    subject.created = creates && ret >= 0;
                    self.teller.call(subject, &Call { route, number, compat, args, ret });
                }
            }
            Ok(At::Elsewhere) => {}
            Err(error) => self.shared.note_refusal(error),
        }
    }

    /// A tracee has made another one.
    fn forked(&mut self, tid: i32) {
        let Ok(child) = ask::message(tid) else { return };
        let child = child as i32;
        let Some(parent) = self.tracees.get(tid) else { return };
        let (tgid, birth) = (parent.tgid, parent.call.clone());
        let (standing, is_filtered) = (parent.standing, parent.is_filtered);
        let told = Status::of(child).tgid;
        let own = if told == 0 { child } else { told };
        let maker = (own != tgid).then(|| Maker {
            tgid: tgid as u64,
            time: since_boot_ns() + self.teller.boot_epoch_ns(),
        });
        let tracee = Tracee {
            tgid: own,
            parent: tid,
            maker,
            birth,
            standing,
            is_filtered,
            ..Tracee::default()
        };
        self.tracees.insert(child, tracee);
        self.take_early(child);
    }

    /// Goes on with a stop that came before its thread was known.
    fn take_early(&mut self, tid: i32) {
        if let Some(status) = self.early.remove(&tid) {
            self.stopped(tid, status);
        }
    }

    /// Threads whose maker was killed before it could tell of them.
    fn adopt(&mut self) {
        for tid in self.early.keys().copied().collect::<Vec<_>>() {
            let status = Status::of(tid);
            let tgid = if status.tgid == 0 { tid } else { status.tgid };
            let is_filtered = self.filter.is_some();
            let parent = status.parent;
            self.tracees.insert(tid, Tracee { tgid, parent, is_filtered, ..Tracee::default() });
            self.take_early(tid);
        }
    }

    /// The first stop of a new thread: its side of the call that made it.
    fn tell_birth(&mut self, tid: i32) {
        let mut subject = self.tracees.subject(tid);
        let Some(tracee) = self.tracees.get(tid) else { return };
        let Some(birth) = tracee.birth.take() else { return };
        subject.maker = tracee.maker;
        if tracee.standing == Standing::Quiet {
            return;
        }
        if let Some(route) = birth.route {
            let InCall { number, args, compat, .. } = birth;
            self.teller.call(subject, &Call { route, number, compat, args, ret: 0 });
        }
    }

    fn executed(&mut self, tid: i32) {
        let former = ask::message(tid).map_or(tid, |former| former as i32);
        self.tracees.execute(former, tid);
        let mut subject = self.tracees.subject(tid);
        if let Some(tracee) = self.tracees.get(tid) {
            tracee.standing = Standing::Followed;
            if let Some(call) = &tracee.call {
                subject.program.clone_from(&call.program);
            }
        }
        self.teller.started(subject);
    }

    fn tell_end(&mut self, tid: i32, code: i32) {
        let mut subject = self.tracees.subject(tid);
        let Some(tracee) = self.tracees.get(tid) else { return };
        if tracee.end_is_told || tracee.standing == Standing::Quiet {
            return;
        }
        subject.exit_code = code;
        self.tracees.end(tid);
        self.teller.ended(subject);
    }

    fn ended(&mut self, tid: i32, status: i32) {
        self.early.remove(&tid);
        // Of one that was killed there may have been no other word.
        self.tell_end(tid, status & 0xffff);
        self.tracees.remove(tid);
        if tid == self.command_pid {
            self.command = None;
            self.shared.set_exit(status);
        }
    }

    fn signalled(&mut self, tid: i32, signal: i32) {
        if !self.routes.codes.contains(&SIGNALDELIVER_E) {
            return;
        }
        let mut subject = self.tracees.subject(tid);
        if let Ok(info) = ask::signal(tid) {
            subject.signal = info;
            self.teller.signalled(subject, signal as u32);
        }
    }
}
