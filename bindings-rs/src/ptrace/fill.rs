//! Fills the arena when a filler reads it: files and where they are, sockets, the process's root
//! and working directory. What tells of the task itself stands in subject.rs.
use super::arena::{Arena, Kind, Object, TOP, address};
use super::facts::{Facts, ProcPath, SOCKFS, Whereabouts, link, whereabouts};
use super::layout::{OFFSETS, TASK_FACTS, UPID_BYTES};
use super::scene::{CURRENT, FIRST, PROGRAM, Scene};
use super::sockets::{ESTABLISHED, Ends, ends};
use super::subject;

const FMODE_CREATED: u32 = 1 << 20;
const SB_RDONLY: u64 = 1;
const S_IMMUTABLE: u32 = 8;
const _: () = assert!(UPID_BYTES == 16);

/// Copies what stands at a place of an object, which is made first where it is not there yet.
pub fn read(k: &Scene, kind: Kind, which: u32, at: usize, to: &mut [u8]) {
    let mut arena = k.arena.borrow_mut();
    let arena = &mut *arena;
    match kind {
        Kind::Text => {}
        Kind::Descriptors => {
            let file = open_file(k, arena, (at / 8) as i32);
            to.fill(0);
            let bytes = file.to_le_bytes();
            let len = to.len().min(8);
            to[..len].copy_from_slice(&bytes[..len]);
            return;
        }
        Kind::CloseBits => {
            // Of those that the event is about: others are not asked for.
            let first = (at * 8) as i32;
            let mut word = 0u64;
            for (fd, facts) in &arena.open {
                let flags = facts.map_or(0, |facts| arena.facts[facts as usize].flags);
                if (first..first + 64).contains(fd) && flags & libc::O_CLOEXEC as u32 != 0 {
                    word |= 1 << (fd - first);
                }
            }
            to.fill(0);
            let len = to.len().min(8);
            to[..len].copy_from_slice(&word.to_le_bytes()[..len]);
            return;
        }
        Kind::Task if which == CURRENT && at + to.len() > TASK_FACTS => {
            // Its second part makes it anew, once.
            if !arena.task_is_whole {
                arena.task_is_whole = true;
                let whole = subject::task_facts(k, arena);
                arena.keep(kind, which, whole);
            }
        }
        _ if !arena.has(kind, which) => {
            if let Some(object) =
                subject::object(k, arena, kind, which).or_else(|| object(k, arena, kind, which))
            {
                arena.keep(kind, which, object);
            }
        }
        _ => {}
    }
    arena.copy(kind, which, at, to);
}

/// Where the open file of a descriptor is; 0: there is none. One that is open under two numbers is
/// one file, as far as that is to be seen: the same file, opened in the same way.
fn open_file(k: &Scene, arena: &mut Arena, fd: i32) -> usize {
    let Some(number) = descriptor(k, arena, fd) else { return 0 };
    let how = |facts: &Facts| facts.flags & !(libc::O_CLOEXEC as u32);
    let own = &arena.facts[number as usize];
    let same = arena.open.iter().filter(|(other, facts)| {
        let facts = facts.map(|facts| &arena.facts[facts as usize]);
        **other >= 0
            && facts.is_some_and(|facts| {
                (facts.dev, facts.ino, &facts.link, how(facts))
                    == (own.dev, own.ino, &own.link, how(own))
            })
    });
    let first = same.map(|(other, _)| *other).min_by_key(|other| arena.open[other]);
    address(Kind::File, first.unwrap_or(fd) as u32)
}

/// The facts of a descriptor, by their number; None where there is no such descriptor.
fn descriptor(k: &Scene, arena: &mut Arena, fd: i32) -> Option<u32> {
    if let Some(known) = arena.open.get(&fd) {
        return *known;
    }
    let found = k.asker.borrow_mut().descriptor(k.subject.tid, fd);
    let number = found.map(|mut facts| {
        facts.created = k.subject.created;
        arena.facts.push(facts);
        arena.facts.len() as u32 - 1
    });
    arena.open.insert(fd, number);
    number
}

/// The facts of a file by the number in its address.
fn file(k: &Scene, arena: &mut Arena, which: u32) -> Option<u32> {
    if which != PROGRAM {
        return descriptor(k, arena, which as i32);
    }
    if let Some(known) = arena.open.get(&-1) {
        return *known;
    }
    let number = k.asker.borrow_mut().program(k.subject.tid).map(|facts| {
        arena.facts.push(facts);
        arena.facts.len() as u32 - 1
    });
    arena.open.insert(-1, number);
    number
}

/// The entry of a file, with its facts.
pub fn entry_of(arena: &mut Arena, number: u32) -> u32 {
    let facts = arena.facts[number as usize].clone();
    let entry = match whereabouts(&facts) {
        Whereabouts::Path(path) => arena.path(path),
        Whereabouts::Alone(name) => arena.alone(name),
    };
    arena.entries[entry as usize].facts = Some(number);
    entry
}

fn object(k: &Scene, arena: &mut Arena, kind: Kind, which: u32) -> Option<Object> {
    let o = &OFFSETS;
    let mut object = Object::default();
    match kind {
        Kind::Fs => fs(k, arena, which, &mut object),
        Kind::Files => {
            object.put(o.files_fdt, address(Kind::Table, 0));
        }
        Kind::Table => {
            object.put(o.fdt_max_fds, i32::MAX).put(o.fdt_fd, address(Kind::Descriptors, 0));
            object.put(o.fdt_close_on_exec, address(Kind::CloseBits, 0));
        }
        Kind::Mount => {
            // One mount stands for all: /proc tells paths through them.
            object.put(o.mount_parent, address(Kind::Mount, which));
            let mnt = o.mount_vfsmount;
            object.put(mnt + o.vfsmount_root, address(Kind::Dentry, TOP));
        }
        Kind::File => {
            let number = file(k, arena, which)?;
            let entry = entry_of(arena, number);
            let facts = &arena.facts[number as usize];
            object.put(o.file_mnt, mount()).put(o.file_dentry, address(Kind::Dentry, entry));
            object.put(o.file_inode, address(Kind::Inode, number));
            object.put(o.file_mode, if facts.created { FMODE_CREATED } else { 0 });
            object.put(o.file_flags, facts.flags);
            let socket = if facts.magic == SOCKFS { address(Kind::Socket, which) } else { 0 };
            object.put(o.file_private, socket);
        }
        Kind::Dentry => {
            let entry = arena.entries.get(which as usize)?;
            object.put(o.dentry_parent, address(Kind::Dentry, entry.parent));
            object.put(o.dentry_name + 4, entry.bytes);
            object.put(o.dentry_name + 8, address(Kind::Text, entry.name));
            if let Some(number) = entry.facts {
                object.put(o.dentry_inode, address(Kind::Inode, number));
                object.put(o.dentry_sb, address(Kind::Super, number));
            }
        }
        Kind::Inode => inode(arena.facts.get(which as usize)?, which, &mut object),
        Kind::Super => {
            let facts = arena.facts.get(which as usize)?;
            object.put(o.sb_dev, facts.dev).put(o.sb_magic, facts.magic);
            object.put(o.sb_flags, if facts.read_only { SB_RDONLY } else { 0 });
        }
        Kind::Socket => {
            let number = file(k, arena, which)?;
            let sock = arena.facts[number as usize].ino as u32;
            arena.socks.insert(sock, which as i32);
            object.put(o.socket_sk, address(Kind::Sock, sock));
        }
        Kind::Sock => sock(k, arena, which, &mut object)?,
        Kind::UnixName => {
            let name = unix_name(k, arena, which)?;
            object.put(o.unix_addr_len, name.len() as u32);
            object.put_bytes(o.unix_addr_name as usize, &name);
        }
        Kind::Inet6 => {
            let ends = ends_of(k, arena, which)?;
            object.put_bytes(o.pinet6_saddr as usize, &ends.own.v6);
        }
        _ => return None,
    }
    Some(object)
}

/// What the fillers call a mount: the part of `struct mount` that programs know.
pub fn mount() -> usize {
    address(Kind::Mount, 0) + OFFSETS.mount_vfsmount as usize
}

/// Root and working directory, as paths from our own root.
fn fs(k: &Scene, arena: &mut Arena, which: u32, object: &mut Object) {
    let (o, tid) = (&OFFSETS, k.subject.tid);
    let at = |arena: &mut Arena, name: &str| {
        link(&ProcPath::of(tid, name)).map(|path| arena.path(&path))
    };
    let (root, cwd) = if which == FIRST {
        // Roots are compared by where they are: another one with the same name is another one.
        let root = if has_our_root(k) { TOP } else { arena.alone(b"/") };
        (Some(root), Some(root))
    } else {
        (at(arena, "root"), at(arena, "cwd"))
    };
    object.put(o.fs_root_mnt, mount());
    object.put(o.fs_root_dentry, address(Kind::Dentry, root.unwrap_or(TOP)));
    object.put(o.fs_pwd_mnt, mount());
    object.put(o.fs_pwd_dentry, cwd.map_or(0, |entry| address(Kind::Dentry, entry)));
}

/// Whether a process's root is the one that we have.
pub fn has_our_root(k: &Scene) -> bool {
    let mut asker = k.asker.borrow_mut();
    let of = |facts: Facts| (facts.dev, facts.ino);
    let theirs = asker.facts(&ProcPath::of(k.subject.tid, "root")).map(of);
    let own = asker.facts(&ProcPath::of(std::process::id() as i32, "root")).map(of);
    theirs.is_some() && theirs == own
}

fn inode(facts: &Facts, which: u32, object: &mut Object) {
    let o = &OFFSETS;
    object.put(o.inode_ino, facts.ino).put(o.inode_links, facts.links);
    object.put(o.inode_mode, facts.mode);
    object.put(o.inode_flags, if facts.immutable { S_IMMUTABLE } else { 0 });
    object.put(o.inode_uid, facts.uid).put(o.inode_gid, facts.gid);
    object.put(o.inode_sb, address(Kind::Super, which));
    object.put(o.inode_ctime_sec, facts.changed.0).put(o.inode_ctime_nsec, facts.changed.1);
    object.put(o.inode_mtime_sec, facts.modified.0).put(o.inode_mtime_nsec, facts.modified.1);
}

/// A peer's object stands beside its socket's: nothing but its name is known of it.
const PEER: u32 = 1 << 31;

fn ends_of(k: &Scene, arena: &mut Arena, sock: u32) -> Option<Ends> {
    let fd = *arena.socks.get(&sock)?;
    if let Some(ends) = arena.ends.get(&sock) {
        return Some(ends.clone());
    }
    let ends = ends(k.subject.tid, k.subject.tgid, fd, u64::from(sock)).unwrap_or_default();
    arena.ends.insert(sock, ends.clone());
    Some(ends)
}

fn unix_name(k: &Scene, arena: &mut Arena, which: u32) -> Option<Vec<u8>> {
    let ends = ends_of(k, arena, which & !PEER)?;
    let [own, peer] = ends.unix;
    Some(if which & PEER == 0 { own } else { peer })
}

fn sock(k: &Scene, arena: &mut Arena, which: u32, object: &mut Object) -> Option<()> {
    let o = &OFFSETS;
    if which & PEER != 0 {
        let name = unix_name(k, arena, which)?;
        let at = if name.is_empty() { 0 } else { address(Kind::UnixName, which) };
        object.put(o.unix_addr, at);
        return Some(());
    }
    let ends = ends_of(k, arena, which)?;
    object.put(o.sock_family, ends.family).put(o.sock_state, ends.state);
    object.put(o.sock_protocol, ends.protocol).put(o.sock_type, ends.kind);
    object.put_bytes(o.sock_daddr as usize, &ends.other.v4);
    object.put_bytes(o.sock_dport as usize, &ends.other.port);
    object.put_bytes(o.sock_v6_daddr as usize, &ends.other.v6);
    object.put_bytes(o.inet_saddr as usize, &ends.own.v4);
    object.put_bytes(o.inet_sport as usize, &ends.own.port);
    object.put(o.inet_pinet6, address(Kind::Inet6, which));
    object.put(o.sock_backlog, ends.backlog.0).put(o.sock_max_backlog, ends.backlog.1);
    let [own, peer] = &ends.unix;
    object.put(o.unix_addr, if own.is_empty() { 0 } else { address(Kind::UnixName, which) });
    // A peer may have no name: then nothing is known of it but that it is there.
    let is_connected = ends.state == ESTABLISHED || !peer.is_empty();
    let peer = if is_connected { address(Kind::Sock, which | PEER) } else { 0 };
    object.put(o.unix_peer, peer);
    Some(())
}
