//! Calls that read, write, copy and ask by a descriptor.
use crate::compat;
use crate::event::{Event, Next};
use crate::flags::bit;
use crate::get;
use crate::kernel::Kernel;
use crate::snaplen::settle;
use crate::table::{flock_flags, splice_flags};
use crate::transfer::position;
use crate::vectors::{data, data_and_size, kept, kept_or};

#[inline(always)]
pub fn read<K: Kernel>(e: &mut Event<K>) -> Next {
    e.res();
    let (at, asked, ret) = (e.arg(1) as usize, e.arg(2) as u32, e.ret());
    settle(e, 0, at, asked);
    let bytes = kept(e, ret);
    e.data(at, bytes);
    e.fd(0);
    e.u32(asked);
    Next::Emit
}

/// What a failed call would have written is told too.
#[inline(always)]
pub fn write<K: Kernel>(e: &mut Event<K>) -> Next {
    e.res();
    let (at, asked) = (e.arg(1) as usize, e.arg(2) as u32);
    settle(e, 0, at, asked);
    let bytes = kept_or(e, asked);
    e.data(at, bytes);
    e.fd(0);
    e.u32(asked);
    Next::Emit
}

#[inline(always)]
pub fn readv<K: Kernel>(e: &mut Event<K>) -> Next {
    e.res();
    let (at, count, ret) = (e.arg(1) as usize, e.arg(2), e.ret());
    e.u32(if ret > 0 { ret as u32 } else { 0 });
    settle(e, 0, at, 0);
    let most = kept(e, ret);
    data(e, at, count, most);
    e.fd(0);
    Next::Emit
}

#[inline(always)]
pub fn preadv<K: Kernel>(e: &mut Event<K>) -> Next {
    readv(e);
    let position = position(e);
    e.u64(position);
    Next::Emit
}

#[inline(always)]
pub fn writev<K: Kernel>(e: &mut Event<K>) -> Next {
    e.res();
    let (at, count, ret) = (e.arg(1) as usize, e.arg(2), e.ret());
    settle(e, 0, at, 0);
    let most = if ret > 0 { kept(e, ret) } else { get!(e.state().most) as usize };
    let together = data_and_size(e, at, count, most);
    e.fd(0);
    e.u32(together);
    Next::Emit
}

#[inline(always)]
pub fn pwritev<K: Kernel>(e: &mut Event<K>) -> Next {
    writev(e);
    let position = position(e);
    e.u64(position);
    Next::Emit
}

/// The offset is the one that the call left behind.
#[inline(always)]
pub fn sendfile<K: Kernel>(e: &mut Event<K>) -> Next {
    e.res();
    let (at, asked) = (e.arg(2) as usize, e.arg(3));
    let narrow = get!(e.state().compat) != 0 && e.state().number != compat::SENDFILE64;
    let offset = if narrow {
        u64::from(e.k.read_user::<u32>(at).unwrap_or(0))
    } else {
        e.k.read_user::<u64>(at).unwrap_or(0)
    };
    e.u64(offset);
    e.fd(0);
    e.fd(1);
    e.u64(asked);
    Next::Emit
}

#[inline(always)]
pub fn splice<K: Kernel>(e: &mut Event<K>) -> Next {
    e.res();
    e.fd(0);
    e.fd(2);
    let (asked, how) = (e.arg(4), e.arg(5) as u32);
    e.u64(asked);
    e.u32(
        bit(how, 1, splice_flags::SPLICE_F_MOVE)
            | bit(how, 2, splice_flags::SPLICE_F_NONBLOCK)
            | bit(how, 4, splice_flags::SPLICE_F_MORE)
            | bit(how, 8, splice_flags::SPLICE_F_GIFT),
    );
    Next::Emit
}

/// The offsets are the addresses at which the caller keeps them, as with Falco.
#[inline(always)]
pub fn copy_file_range<K: Kernel>(e: &mut Event<K>) -> Next {
    e.res();
    let (from, to, asked) = (e.arg(1), e.arg(3), e.arg(4));
    e.fd(2);
    e.u64(to);
    e.fd(0);
    e.u64(from);
    e.u64(asked);
    Next::Emit
}

/// SEEK_SET, SEEK_CUR and SEEK_END have the kernel's numbers; Falco knows no later ones.
#[inline(always)]
const fn whence(value: u64) -> u8 {
    if value < 3 { value as u8 } else { 0 }
}

/// The 32-bit _llseek has its offset in two arguments.
#[inline(always)]
pub fn lseek<K: Kernel>(e: &mut Event<K>) -> Next {
    e.res();
    e.fd(0);
    let (high, low) = (e.arg(1), e.arg(2));
    if get!(e.state().compat) == 0 {
        e.u64(high);
        e.u8(whence(low));
    } else if e.state().number == compat::LLSEEK {
        let from = e.arg(4);
        e.u64(high << 32 | low);
        e.u8(whence(from));
    } else {
        e.i64(i64::from(high as i32));
        e.u8(whence(low));
    }
    Next::Emit
}

#[inline(always)]
pub fn ioctl<K: Kernel>(e: &mut Event<K>) -> Next {
    e.res();
    e.fd(0);
    let (request, argument) = (e.arg(1), e.arg(2));
    e.u64(request);
    e.u64(argument);
    Next::Emit
}

/// fstat, getdents, getdents64.
#[inline(always)]
pub fn asked<K: Kernel>(e: &mut Event<K>) -> Next {
    e.res();
    e.fd(0);
    Next::Emit
}

#[inline(always)]
pub fn flock<K: Kernel>(e: &mut Event<K>) -> Next {
    e.res();
    e.fd(0);
    let how = e.arg(1) as u32;
    e.u32(
        bit(how, 1, flock_flags::LOCK_SH)
            | bit(how, 2, flock_flags::LOCK_EX)
            | bit(how, 4, flock_flags::LOCK_NB)
            | bit(how, 8, flock_flags::LOCK_UN),
    );
    Next::Emit
}

#[inline(always)]
pub fn getcwd<K: Kernel>(e: &mut Event<K>) -> Next {
    e.res();
    if e.ret() >= 0 {
        e.string(0);
    } else {
        e.empty();
    }
    Next::Emit
}
