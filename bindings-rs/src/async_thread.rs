//! Async work on a thread of its own: a name and the work come in; the thread ends with the work.
use std::io;
use std::thread;

use tokio::runtime::Builder;

/// Threads of one that read files or look names up, which may hang.
const BLOCKING_MAX: usize = 4;

/// Starts it. `work` makes the future on the thread, so that it need not be sent there.
pub fn run<F: Future<Output = ()>>(
    name: &str,
    work: impl FnOnce() -> F + Send + 'static,
) -> io::Result<()> {
    let runtime = Builder::new_current_thread()
        .enable_io()
        .enable_time()
        .max_blocking_threads(BLOCKING_MAX)
        .build()?;
    thread::Builder::new().name(name.into()).spawn(move || {
        runtime.block_on(work());
        // A file that hangs is left behind.
        runtime.shutdown_background();
    })?;
    Ok(())
}
