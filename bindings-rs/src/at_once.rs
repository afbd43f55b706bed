//! Programs loaded on several CPUs at once: it is the kernel's verifier that takes the time. In:
//! programs by name, and how one is loaded. Out: those that the kernel refused, and why.
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::thread;

use aya::programs::ProgramError;

use crate::failure::Failure;

pub fn load_at_once<P: Send>(
    mut programs: Vec<(&'static str, P)>,
    load: impl Fn(&mut P) -> Result<(), ProgramError> + Sync,
) -> BTreeMap<&'static str, Failure> {
    let threads = thread::available_parallelism().map_or(1, |count| count.get().min(4));
    let (queue, refused) = (Mutex::new(programs.iter_mut()), Mutex::new(BTreeMap::new()));
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let next = queue.lock().ok().and_then(|mut queue| queue.next());
                    let Some((name, program)) = next else { break };
                    if let Err(error) = load(program)
                        && let Ok(mut refused) = refused.lock()
                    {
                        refused.insert(*name, Failure::of_program(&error, name));
                    }
                }
            });
        }
    });
    refused.into_inner().unwrap_or_default()
}
