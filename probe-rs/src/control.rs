//! Calls by which processes control themselves and each other.
use crate::event::{Event, Next};
use crate::kernel::Kernel;
use crate::{flags, namespaces};

/// ptrace: address and data are shown by what the request makes of them.
#[inline(always)]
pub fn ptrace<K: Kernel>(e: &mut Event<K>) -> Next {
    e.res();
    let (request, pid) = (e.arg(0), e.int(1));
    let (address, data) = (e.arg(2), e.arg(3));
    let ours = flags::ptrace(request);
    let worked = e.ret() >= 0;
    e.bytes(0u8);
    e.bytes(if worked { address } else { 0 });
    e.end(9);
    match ours {
        // CONT, SINGLESTEP, DETACH, SYSCALL carry a signal.
        8 | 10 | 12 | 13 if worked => {
            e.bytes(1u8);
            e.bytes(data as u8);
            e.end(2);
        }
        _ => {
            // PEEK* answer where `data` points.
            let value = match ours {
                _ if !worked => 0,
                2..=4 => e.k.read_user::<u64>(data as usize).unwrap_or(0),
                _ => data,
            };
            e.bytes(0u8);
            e.bytes(value);
            e.end(9);
        }
    }
    e.u16(ours);
    e.i64(i64::from(pid));
    Next::Emit
}

const PR_SET_NAME: u32 = 15;
const PR_GET_NAME: u32 = 16;
const PR_GET_CHILD_SUBREAPER: u32 = 37;

#[inline(always)]
pub fn prctl<K: Kernel>(e: &mut Event<K>) -> Next {
    e.res();
    let (option, value) = (e.arg(0) as u32, e.arg(1));
    e.u32(option);
    if option == PR_SET_NAME || option == PR_GET_NAME {
        e.string(1);
        e.i64(0);
    } else {
        e.empty();
        let shown = if option == PR_GET_CHILD_SUBREAPER {
            i64::from(e.k.read_user::<i32>(value as usize).unwrap_or(0))
        } else {
            value as i64
        };
        e.i64(shown);
    }
    Next::Emit
}

#[inline(always)]
pub fn setns<K: Kernel>(e: &mut Event<K>) -> Next {
    e.res();
    e.fd(0);
    let kind = e.arg(1) as u32;
    e.u32(flags::clone(kind));
    namespaces::write(e);
    Next::Emit
}

#[inline(always)]
pub fn unshare<K: Kernel>(e: &mut Event<K>) -> Next {
    e.res();
    let what = e.arg(0) as u32;
    e.u32(flags::clone(what));
    namespaces::write(e);
    Next::Emit
}

#[inline(always)]
pub fn kill<K: Kernel>(e: &mut Event<K>) -> Next {
    e.res();
    let (pid, signal) = (e.int(0), e.arg(1) as u8);
    e.i64(i64::from(pid));
    e.u8(signal);
    Next::Emit
}

#[inline(always)]
pub fn tgkill<K: Kernel>(e: &mut Event<K>) -> Next {
    e.res();
    let (pid, tid, signal) = (e.int(0), e.int(1), e.arg(2) as u8);
    e.i64(i64::from(pid));
    e.i64(i64::from(tid));
    e.u8(signal);
    Next::Emit
}

/// pidfd_open and pidfd_getfd.
#[inline(always)]
pub fn pidfd_open<K: Kernel>(e: &mut Event<K>) -> Next {
    e.res();
    let (pid, how) = (e.int(0), e.arg(1) as u32);
    e.i64(i64::from(pid));
    e.u32(flags::pidfd_open(how));
    Next::Emit
}

#[inline(always)]
pub fn pidfd_getfd<K: Kernel>(e: &mut Event<K>) -> Next {
    e.res();
    e.fd(0);
    e.fd(1);
    let how = e.arg(2) as u32;
    e.u32(how);
    Next::Emit
}
