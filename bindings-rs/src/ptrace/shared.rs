//! What the reader's side sees of the tracer: numbers, whether it has ended, how its command did.
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::launch::{NOT_EXECUTABLE, NOT_FOUND, Waiting};
use super::out::Counts;
use super::queue::Queue;
use super::tracees::Tracees;

#[derive(Clone, Default)]
pub struct Told {
    pub tracees: usize,
    pub most: usize,
    pub refused: u64,
    /// The command's process; 0: there is none, or none any more.
    pub command: i32,
    pub ended: bool,
    /// As wait(2) has it.
    pub exit: Option<i32>,
    /// The last answer to a request that the kernel refused, other than for a tracee that was gone.
    pub error: i32,
}

pub struct Shared {
    pub queue: Arc<Queue>,
    pub counts: Arc<Mutex<Counts>>,
    told: Mutex<(Told, Option<Waiting>)>,
    over: Condvar,
}

impl Shared {
    pub fn new(queue: Arc<Queue>, counts: Arc<Mutex<Counts>>) -> Self {
        Self { queue, counts, told: Mutex::default(), over: Condvar::new() }
    }

    fn lock(&self) -> MutexGuard<'_, (Told, Option<Waiting>)> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn told(&self) -> Told {
        self.lock().0.clone()
    }

    pub fn counts(&self) -> Counts {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub fn tell(&self, tracees: &Tracees) {
        let told = &mut self.lock().0;
        (told.tracees, told.most, told.refused) = (tracees.len(), tracees.most, tracees.refused);
    }

    pub fn note_refusal(&self, error: i32) {
        if error != libc::ESRCH {
            self.lock().0.error = error;
        }
    }

    /// Kept until it has said whether it could begin.
    pub fn keep_command(&self, command: Waiting) {
        self.lock().1 = Some(command);
    }

    pub fn set_command(&self, pid: i32) {
        self.lock().0.command = pid;
    }

    pub fn set_exit(&self, status: i32) {
        let told = &mut self.lock().0;
        (told.exit, told.command) = (Some(status), 0);
    }

    /// The tracer's thread is at its end.
    pub fn end(&self) {
        self.lock().0.ended = true;
        self.queue.close();
        self.over.notify_all();
    }

    /// Waits for that; whether it came in time.
    pub fn wait_for_end(&self, time: Duration) -> bool {
        let (told, _) = self
            .over
            .wait_timeout_while(self.lock(), time, |told| !told.0.ended)
            .unwrap_or_else(PoisonError::into_inner);
        told.0.ended
    }

    /// The exit code that a shell would give the command; None as long as there is none.
    pub fn exit_code(&self) -> Option<i32> {
        let mut told = self.lock();
        let status = told.0.exit?;
        if let Some(mut command) = told.1.take()
            && let Some(error) = command.error()
        {
            let code = if error == libc::ENOENT { NOT_FOUND } else { NOT_EXECUTABLE };
            told.0.exit = Some(code << 8);
            return Some(code);
        }
        Some(if libc::WIFSIGNALED(status) {
            128 + libc::WTERMSIG(status)
        } else {
            libc::WEXITSTATUS(status)
        })
    }
}
