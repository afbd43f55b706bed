//! Sockets: made, bound, connected, accepted.
use crate::address::{Direction, sock_of, sockaddr, tuple};
use crate::event::{Event, Next};
use crate::kernel::Kernel;
use crate::{flags, offset};

/// What a connection answers that is still being made: no failure.
pub const EINPROGRESS: i64 = -115;

#[inline(always)]
pub fn socket<K: Kernel>(e: &mut Event<K>) -> Next {
    e.res();
    let (domain, kind, protocol) = (e.arg(0) as u8, e.arg(1) as u32, e.arg(2) as u32);
    e.u32(u32::from(flags::family(domain)));
    e.u32(kind);
    e.u32(protocol);
    e.u32(flags::descriptor(kind));
    Next::Emit
}

#[inline(always)]
pub fn bind<K: Kernel>(e: &mut Event<K>) -> Next {
    e.res();
    let (at, len) = (e.arg(1) as usize, e.arg(2) as u16);
    sockaddr(e, at, len as usize);
    e.fd(0);
    Next::Emit
}

#[inline(always)]
pub fn connect<K: Kernel>(e: &mut Event<K>) -> Next {
    e.res();
    let (fd, at, len) = (e.int(0), e.arg(1) as usize, e.arg(2) as u16);
    let ret = e.ret();
    if ret == 0 || ret == EINPROGRESS {
        tuple(e, fd, Direction::Out, at, len as usize);
    } else {
        e.empty();
    }
    e.fd(0);
    sockaddr(e, at, len as usize);
    Next::Emit
}

#[inline(always)]
pub fn listen<K: Kernel>(e: &mut Event<K>) -> Next {
    e.res();
    e.fd(0);
    let backlog = e.int(1);
    e.u32(backlog as u32);
    Next::Emit
}

#[inline(always)]
pub fn accept<K: Kernel>(e: &mut Event<K>) -> Next {
    e.res();
    let k = e.k;
    let (mut queued, mut most, mut percent) = (0u32, 0u32, 0u8);
    let ret = e.ret();
    if ret >= 0 {
        tuple(e, ret as i32, Direction::In, 0, 0);
        let listener = sock_of(k, e.int(0));
        if listener != 0 {
            queued = k.int(listener + offset!(k, sock_backlog));
            most = k.int(listener + offset!(k, sock_max_backlog));
            if queued != 0 && most != 0 {
                percent = (u64::from(queued) * 100 / u64::from(most)) as u8;
            }
        }
    } else {
        e.empty();
    }
    e.u8(percent);
    e.u32(queued);
    e.u32(most);
    Next::Emit
}

#[inline(always)]
pub fn accept4<K: Kernel>(e: &mut Event<K>) -> Next {
    accept(e);
    let how = e.arg(3) as u32;
    e.u32(flags::descriptor(how));
    Next::Emit
}

#[inline(always)]
pub fn socketpair<K: Kernel>(e: &mut Event<K>) -> Next {
    e.res();
    let k = e.k;
    let at = e.arg(3) as usize;
    let pair: [i32; 2] = if e.ret() == 0 { k.read_user(at).unwrap_or([-1, -1]) } else { [-1, -1] };
    e.state().pair = pair;
    e.i64(i64::from(pair[0]));
    e.i64(i64::from(pair[1]));
    let source = sock_of(k, pair[0]);
    let peer = if source == 0 { 0 } else { k.address(source + offset!(k, unix_peer)) };
    e.u64(source as u64);
    e.u64(peer as u64);
    let (domain, kind, protocol) = (e.arg(0) as u8, e.arg(1) as u32, e.arg(2) as u32);
    e.u32(u32::from(flags::family(domain)));
    e.u32(kind);
    e.u32(protocol);
    Next::Emit
}

#[inline(always)]
pub fn shutdown<K: Kernel>(e: &mut Event<K>) -> Next {
    e.res();
    e.fd(0);
    let how = e.arg(1) as u32;
    e.u8(flags::shutdown(how));
    Next::Emit
}
