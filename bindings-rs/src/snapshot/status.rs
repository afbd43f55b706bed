//! `/proc/<id>/status`: ids, credentials, capabilities and memory of a thread.

use super::proc_dir::{decimal, radix, words};

#[derive(Default, Debug, PartialEq, Eq, Clone)]
pub struct Status {
    pub comm: Vec<u8>,
    pub tgid: u32,
    pub ppid: u32,
    /// Effective ids.
    pub uid: u32,
    pub gid: u32,
    /// Ids in the thread's own pid namespace; 0 where an old kernel does not tell.
    pub vtid: u32,
    pub vpid: u32,
    pub vpgid: u32,
    /// Whether it has a number in more than one pid namespace.
    pub nested: bool,
    pub cap_inheritable: u64,
    pub cap_permitted: u64,
    pub cap_effective: u64,
    pub vm_size_kb: u32,
    pub vm_rss_kb: u32,
    pub vm_swap_kb: u32,
}

impl Status {
    pub fn parse(text: &[u8]) -> Self {
        let mut status = Self::default();
        for line in text.split(|&byte| byte == b'\n') {
            let Some(colon) = line.iter().position(|&byte| byte == b':') else {
                continue;
            };
            let value = &line[colon + 1..];
            match &line[..colon] {
                b"Name" => status.comm = unescaped(value.strip_prefix(b"\t").unwrap_or(value)),
                b"Tgid" => status.tgid = nth(value, 0),
                b"PPid" => status.ppid = nth(value, 0),
                b"Uid" => status.uid = nth(value, 1),
                b"Gid" => status.gid = nth(value, 1),
                b"NSpid" => {
                    status.vtid = last(value);
                    status.nested = words(value).count() > 1;
                }
                b"NStgid" => status.vpid = last(value),
                b"NSpgid" => status.vpgid = last(value),
                b"CapInh" => status.cap_inheritable = hex(value),
                b"CapPrm" => status.cap_permitted = hex(value),
                b"CapEff" => status.cap_effective = hex(value),
                b"VmSize" => status.vm_size_kb = nth(value, 0),
                b"VmRSS" => status.vm_rss_kb = nth(value, 0),
                b"VmSwap" => status.vm_swap_kb = nth(value, 0),
                _ => {}
            }
        }
        status
    }
}

fn nth(value: &[u8], index: usize) -> u32 {
    words(value).nth(index).and_then(decimal).unwrap_or(0)
}

/// The ids of a thread are listed from the outermost namespace to its own.
fn last(value: &[u8]) -> u32 {
    words(value).last().and_then(decimal).unwrap_or(0)
}

fn hex(value: &[u8]) -> u64 {
    words(value).next().and_then(|word| radix(word, 16)).unwrap_or(0)
}

/// The kernel writes a newline in a name as `\n` and a backslash as `\\`.
fn unescaped(name: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(name.len());
    let mut bytes = name.iter();
    while let Some(&byte) = bytes.next() {
        plain.push(match byte {
            b'\\' => match bytes.next() {
                Some(b'n') => b'\n',
                Some(&other) => other,
                None => b'\\',
            },
            _ => byte,
        });
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_gives_the_effective_ids_and_those_of_the_innermost_namespace() {
        let status = Status::parse(
            b"Name:\ta\\nb \\\\c\xff\nTgid:\t70\nPid:\t71\nPPid:\t9\nUid:\t1\t2\t3\t4\n\
              Gid:\t5\t6\t7\t8\nNStgid:\t70\t30\t1\nNSpid:\t71\t31\t2\nNSpgid:\t60\t20\t1\n\
              CapInh:\t0000000000000001\nCapPrm:\t00000000000000ff\nCapEff:\t000001ffffffffff\n\
              VmSize:\t   1234 kB\nVmRSS:\t    56 kB\nVmSwap:\t       0 kB\n",
        );
        assert_eq!(status.comm, b"a\nb \\c\xff");
        assert_eq!((status.tgid, status.ppid), (70, 9));
        assert_eq!((status.uid, status.gid), (2, 6));
        assert_eq!((status.vpid, status.vtid, status.vpgid), (1, 2, 1));
        assert!(status.nested);
        assert_eq!(status.cap_effective, 0x1ff_ffff_ffff);
        assert_eq!((status.vm_size_kb, status.vm_rss_kb), (1234, 56));
    }

    #[test]
    fn a_status_that_is_no_status_gives_zeros() {
        assert_eq!(Status::parse(b"\xff\x00:\n::\nTgid:\tx\nUid:\n"), Status::default());
    }
}
