//! The process of one plugin. In: a socket and a piece of memory, as descriptors 3 and 4, the pid
//! of saker, the plugin's name and whether it may start processes as arguments. It ends with saker,
//! whichever way that ends.
use std::env::args;
use std::os::fd::BorrowedFd;
use std::process::ExitCode;

use plugin_host::child::{MAY_START, MEMORY_FD, SOCKET_FD};
use plugin_host::confined::start_no_processes;
use plugin_host::served::serve;
use plugin_host::text_for_plugin;

fn main() -> ExitCode {
    let mut arguments = args().skip(1);
    let parent = arguments.next().and_then(|pid| pid.parse::<i32>().ok()).unwrap_or(0);
    let title = text_for_plugin(&arguments.next().unwrap_or_default());
    let may_start = arguments.next().is_some_and(|may| may == MAY_START);
    // SAFETY: calls about this process alone; both descriptors were made for it and stay open.
    unsafe {
        libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
        libc::prctl(libc::PR_SET_NAME, title.as_ptr());
        // What saker had open and did not mean for a plugin.
        libc::syscall(libc::SYS_close_range, MEMORY_FD + 1, libc::c_uint::MAX, 0);
        // The thread of saker that started it may be before all others: a plugin that spins is not.
        libc::setpriority(libc::PRIO_PROCESS, 0, 0);
        if libc::getppid() != parent {
            return ExitCode::FAILURE;
        }
        if !may_start && let Err(error) = start_no_processes() {
            eprintln!("it cannot be kept from starting processes: {error}");
        }
        let (socket, memory) =
            (BorrowedFd::borrow_raw(SOCKET_FD), BorrowedFd::borrow_raw(MEMORY_FD));
        match serve(socket, memory) {
            Ok(()) => ExitCode::SUCCESS,
            Err(_) => ExitCode::FAILURE,
        }
    }
}
