//! Memory that only the start needed goes back to the kernel: what the allocator holds free, and
//! the pages of the executable that were read once. The latter are the file's own, unchanged, so
//! one that is needed again comes from the page cache.
use std::fs;
use std::path::Path;

/// A mapping of the executable that may be given back.
#[derive(Debug, PartialEq)]
struct Mapping {
    start: usize,
    bytes: usize,
}

/// Gives back what the start of this process left in memory.
pub fn release_start_memory() {
    // SAFETY: no pointer goes in, and only memory that nobody holds is given back.
    unsafe { libc::malloc_trim(0) };
    let (Ok(executable), Ok(smaps)) =
        (fs::read_link("/proc/self/exe"), fs::read_to_string("/proc/self/smaps"))
    else {
        return;
    };
    for Mapping { start, bytes } in unchanged_mappings(&smaps, &executable) {
        // SAFETY: the mapping is this process's, of a file, not writable and without a page of its
        // own, so that every page dropped here reads the same when it is touched again.
        unsafe { libc::madvise(start as *mut libc::c_void, bytes, libc::MADV_DONTNEED) };
    }
}

/// Mappings of `executable` in `smaps` (see proc_pid_smaps(5)) that are not writable and in which
/// no page was changed: relocated pages look read-only, and would be lost.
fn unchanged_mappings(smaps: &str, executable: &Path) -> Vec<Mapping> {
    let mut found = Vec::new();
    let mut candidate = None;
    for line in smaps.lines() {
        let words: Vec<&str> = line.split_ascii_whitespace().collect();
        match words[..] {
            [range, permissions, _, _, _, path] if range.contains('-') => {
                let is_ours = !permissions.contains('w') && Path::new(path) == executable;
                candidate = is_ours.then(|| mapping(range)).flatten();
            }
            ["Anonymous:", "0", "kB"] => found.extend(candidate.take()),
            ["Anonymous:", ..] => candidate = None,
            [range, _, _, _, _] if range.contains('-') => candidate = None,
            _ => {}
        }
    }
    found
}

fn mapping(range: &str) -> Option<Mapping> {
    let (start, end) = range.split_once('-')?;
    let start = usize::from_str_radix(start, 16).ok()?;
    let bytes = usize::from_str_radix(end, 16).ok()?.checked_sub(start)?;
    Some(Mapping { start, bytes })
}

/// What the addon exports; a test program has nobody to export to.
#[cfg(not(test))]
mod export {
    use napi_derive::napi;

    #[napi]
    pub fn release_start_memory() {
        super::release_start_memory();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_unchanged_read_only_mappings_of_the_executable_are_given_back() {
        let smaps = "\
1000-3000 r-xp 00001000 fe:00 7 /opt/saker
Rss: 8 kB
Anonymous:             0 kB
3000-4000 r--p 00003000 fe:00 7 /opt/saker
Anonymous:             4 kB
4000-5000 rw-p 00004000 fe:00 7 /opt/saker
Anonymous:             0 kB
5000-6000 r-xp 00000000 fe:00 8 /lib/libc.so.6
Anonymous:             0 kB
6000-7000 r--p 00000000 00:00 0
Anonymous:             0 kB
";
        let expected = [Mapping { start: 0x1000, bytes: 0x2000 }];
        assert_eq!(unchanged_mappings(smaps, Path::new("/opt/saker")), expected);
    }

    #[test]
    fn the_process_runs_on_after_its_pages_went_back() {
        release_start_memory();
        let smaps = fs::read_to_string("/proc/self/smaps").expect("smaps");
        let executable = fs::read_link("/proc/self/exe").expect("a path");
        assert!(!unchanged_mappings(&smaps, &executable).is_empty());
    }
}
