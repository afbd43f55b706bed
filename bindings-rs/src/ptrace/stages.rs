//! The stages of an event from its filler to the queue, one after the other: what a probe runs as
//! programs of their own (ebpf-rs/src/stages.rs). In: what a filler said. Out: the event written,
//! kept back by the sieve, or dropped.
use probe::event::{Event, Next};
use probe::{cgroup, exec, files, further, open, path, process, stage};

use super::kernel::Tracee;
use super::names;
use super::out::Out;
use super::sifting::{Fate, Sieve, is_open};

/// Goes on with an event as its filler said, until it is written, kept back or lost.
pub fn follow(k: &Tracee, out: &mut Out, sieve: &mut Sieve, e: &mut Event<Tracee>, next: Next) {
    let mut next = next;
    loop {
        next = match next {
            Next::Drop => return,
            Next::EmitOne => {
                e.state().own = 1;
                Next::Stage(stage::END)
            }
            Next::EmitOwn => {
                e.state().told = 1;
                Next::Stage(stage::END)
            }
            Next::Emit | Next::EmitAndRepeat => Next::Stage(stage::END),
            Next::Walk => walk(e),
            Next::LookUp => {
                let (named, unresolved, moved) = names::look_up(k, e);
                {
                    let mut counts = out.counts();
                    counts.named += u64::from(named);
                    counts.unresolved += u64::from(unresolved);
                }
                further::note_looked_up(e, moved);
                walk(e)
            }
            Next::Stage(stage::CGROUPS) => cgroup::cgroups(e),
            Next::Stage(stage::CLONE_END) => process::clone_end(e),
            Next::Stage(stage::EXEC_MIDDLE) => exec::exec_middle(e),
            Next::Stage(stage::EXEC_END) => exec::exec_end(e),
            Next::Stage(stage::HANDLE_END) => open::handle_end(e),
            Next::Stage(stage::FURTHER) => further::further(e),
            Next::Stage(stage::FILES) => files::files(e),
            Next::Stage(stage::SIFT) => {
                // The path of the descriptor's file is there.
                if !sieve.keeps_used(e) {
                    sieve.count(e.state().code);
                    return;
                }
                Next::Stage(e.state().after)
            }
            Next::Stage(_) => {
                if let Some(more) = end(k, out, sieve, e) {
                    more
                } else {
                    return;
                }
            }
        };
    }
}

/// The last stage; what goes on where the event is not whole yet.
fn end(k: &Tracee, out: &mut Out, sieve: &mut Sieve, e: &mut Event<Tracee>) -> Option<Next> {
    let code = e.state().code;
    let is_start = e.state().bprm != 0;
    if is_start {
        if e.state().further != 0 {
            return Some(Next::Stage(stage::FURTHER));
        }
        let own = (e.state().long == 0).then_some(e.state().own);
        out.emit(k, e, own);
        return None;
    }
    if e.state().told == 0 {
        match sieve.fate(e) {
            Fate::Dropped => {
                sieve.count(code);
                return None;
            }
            Fate::ByName => e.state().by_name = 1,
            Fate::Kept => {}
        }
        debug_assert!(!is_open(code) || e.state().by_name == 0);
        if e.state().file_count != 0 || e.state().further != 0 {
            e.state().told = 1;
            return Some(Next::Stage(stage::FILES));
        }
    }
    let own = e.state().own;
    out.emit(k, e, Some(own));
    None
}

/// Walks the paths that are wanted, one at a time.
fn walk(e: &mut Event<Tracee>) -> Next {
    path::start(e);
    let mut steps = 0;
    while !path::climb(e) {
        steps += 1;
        if steps == path::FAR {
            path::cut(e);
            break;
        }
    }
    path::write(e);
    match path::next(e) {
        Next::Stage(stage::EMIT_WITH_PATHS) => {
            let paths = e.state().place_count;
            e.state().own = paths;
            Next::Stage(stage::END)
        }
        next => next,
    }
}
