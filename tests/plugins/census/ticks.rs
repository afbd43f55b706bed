//! Asynchronous events: a thread that sends one each so many milliseconds, until it is stopped. In:
//! the host's handler. Out: events "census.tick" with the data "tick N".
use crate::falco::{ASYNC_EVENT, Event, Handler, Owner, SUCCESS};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

/// An event of a name and data, as bytes in the interface's layout.
pub fn async_event(name: &str, data: &[u8]) -> Vec<u8> {
    let lengths = [4, name.len() as u32 + 1, data.len() as u32];
    let len = size_of::<Event>() as u32 + 12 + lengths.iter().sum::<u32>();
    let mut bytes = Vec::with_capacity(len as usize);
    bytes.extend(u64::MAX.to_le_bytes());
    bytes.extend(u64::MAX.to_le_bytes());
    bytes.extend(len.to_le_bytes());
    bytes.extend(ASYNC_EVENT.to_le_bytes());
    bytes.extend(3u32.to_le_bytes());
    lengths.iter().for_each(|length| bytes.extend(length.to_le_bytes()));
    bytes.extend(0u32.to_le_bytes());
    bytes.extend(name.as_bytes());
    bytes.push(0);
    bytes.extend(data);
    bytes
}

/// Whether the host took it.
pub fn send(owner: Owner, handler: Handler, name: &str, data: &[u8]) -> bool {
    let bytes = async_event(name, data);
    let mut error = [0; 1024];
    // SAFETY: the handler copies the event before it returns.
    unsafe { handler(owner, bytes.as_ptr().cast(), error.as_mut_ptr()) == SUCCESS }
}

#[derive(Default)]
pub struct Ticks {
    running: Option<(Arc<AtomicBool>, JoinHandle<()>)>,
    pub sent: Arc<AtomicU64>,
    pub refused: Arc<AtomicU64>,
}

struct To(Owner);
// SAFETY: the handler may be called from any thread with its owner.
unsafe impl Send for To {}

impl Ticks {
    pub fn start(&mut self, owner: Owner, handler: Handler, pause: Duration) {
        let (stop, to) = (Arc::new(AtomicBool::new(false)), To(owner));
        let (stopped, sent, refused) = (stop.clone(), self.sent.clone(), self.refused.clone());
        let thread = std::thread::spawn(move || {
            let to = to;
            while !stopped.load(Ordering::Relaxed) {
                std::thread::sleep(pause);
                let data = format!("tick {}", sent.load(Ordering::Relaxed) + 1);
                let count = if send(to.0, handler, "census.tick", data.as_bytes()) {
                    &sent
                } else {
                    &refused
                };
                count.fetch_add(1, Ordering::Relaxed);
            }
        });
        self.running = Some((stop, thread));
    }

    pub fn stop(&mut self) {
        if let Some((stop, thread)) = self.running.take() {
            stop.store(true, Ordering::Relaxed);
            thread.join().ok();
        }
    }
}
