//! Descriptors of no file by name, modules, BPF; names below a directory's descriptor.
use std::ptr;

use probe::table as t;

use super::{FILES, Folder, Recorded, c, of, record, signed};

const EBADF: i64 = -libc::EBADF as i64;
const EINVAL: i64 = -libc::EINVAL as i64;
const CLOEXEC: i64 = 1 << 12;
const NONBLOCK: i64 = 1 << 6;

#[test]
fn descriptors_of_events_signals_and_watches_have_their_flags() {
    let how = libc::O_CLOEXEC | libc::O_NONBLOCK;
    let act = || unsafe {
        // SAFETY: valid arguments; what is refused is refused.
        let mask = 0u64;
        libc::syscall(libc::SYS_eventfd, 7);
        libc::syscall(libc::SYS_eventfd2, 8, how);
        libc::syscall(libc::SYS_eventfd2, 9, -1);
        libc::syscall(libc::SYS_signalfd, -1, &raw const mask, 8);
        libc::syscall(libc::SYS_signalfd4, -1, &raw const mask, 8, libc::O_CLOEXEC);
        libc::syscall(libc::SYS_signalfd4, 900_000, &raw const mask, 8, 0);
        libc::syscall(libc::SYS_inotify_init);
        libc::syscall(libc::SYS_inotify_init1, libc::O_NONBLOCK);
        libc::syscall(libc::SYS_inotify_init1, 3);
        libc::syscall(libc::SYS_epoll_create, 5);
        libc::syscall(libc::SYS_epoll_create, 0);
        libc::syscall(libc::SYS_epoll_create1, libc::O_CLOEXEC);
        libc::syscall(libc::SYS_epoll_create1, 3);
        0
    };
    let codes = [
        t::SYSCALL_EVENTFD_X,
        t::SYSCALL_EVENTFD2_X,
        t::SYSCALL_SIGNALFD_X,
        t::SYSCALL_SIGNALFD4_X,
        t::SYSCALL_INOTIFY_INIT_X,
        t::SYSCALL_INOTIFY_INIT1_X,
        t::SYSCALL_EPOLL_CREATE_X,
        t::SYSCALL_EPOLL_CREATE1_X,
    ];
    let events = record(&codes, act);
    if events.is_empty() {
        return;
    }
    let told = |code: u16, which: usize, places: &[usize]| {
        let event = of(&events, code)[which];
        (event.number(0).min(0), event.numbers(places))
    };
    assert_eq!(told(codes[0], 0, &[1, 2]), (0, vec![7, 0]));
    assert_eq!(told(codes[1], 0, &[1, 2]), (0, vec![CLOEXEC | NONBLOCK, 8]));
    assert_eq!(told(codes[1], 1, &[1, 2]), (EINVAL, vec![0, 9]));
    assert_eq!(told(codes[2], 0, &[1, 2, 3]), (0, vec![-1, 0, 0]));
    assert_eq!(told(codes[3], 0, &[1, 2, 3]), (0, vec![CLOEXEC, -1, 0]));
    assert_eq!(told(codes[3], 1, &[1, 2, 3]), (EBADF, vec![0, 900_000, 0]));
    assert_eq!(told(codes[4], 0, &[1]), (0, vec![0]));
    assert_eq!(told(codes[5], 0, &[1]), (0, vec![NONBLOCK]));
    assert_eq!(told(codes[5], 1, &[1]), (EINVAL, vec![0]));
    assert_eq!(told(codes[6], 0, &[1]), (0, vec![5]));
    assert_eq!(told(codes[6], 1, &[1]), (EINVAL, vec![0]));
    assert_eq!(told(codes[7], 0, &[1]), (0, vec![1]));
    assert_eq!(told(codes[7], 1, &[1]), (EINVAL, vec![0]));
}

#[test]
fn pipes_ranges_rings_and_maps_have_their_parameters() {
    let act = || unsafe {
        // SAFETY: valid arguments.
        let mut pair = [0i32; 2];
        libc::syscall(libc::SYS_pipe, pair.as_mut_ptr());
        libc::syscall(libc::SYS_pipe, 8);
        libc::syscall(libc::SYS_close_range, 800, 810, 4);
        libc::syscall(libc::SYS_close_range, 9, 8, 0);
        // Flags to clamp the entries; six words of parameters come first.
        let mut ring = [0u32; 32];
        ring[2] = 16;
        libc::syscall(libc::SYS_io_uring_setup, 3, ring.as_mut_ptr());
        ring[2] = 1 << 31;
        libc::syscall(libc::SYS_io_uring_setup, 4, ring.as_mut_ptr());
        let map = [2u32, 4, 4, 1, 0, 0, 0, 0];
        libc::syscall(libc::SYS_bpf, 0, map.as_ptr(), 32);
        libc::syscall(libc::SYS_bpf, 999, map.as_ptr(), 32);
        0
    };
    let codes = [
        t::SYSCALL_PIPE_X,
        t::SYSCALL_CLOSE_RANGE_X,
        t::SYSCALL_IO_URING_SETUP_X,
        t::SYSCALL_BPF_2_X,
    ];
    let events = record(&codes, act);
    if events.is_empty() {
        return;
    }
    let pipes = of(&events, codes[0]);
    let [first, second, ino] = pipes[0].numbers(&[1, 2, 3])[..] else { unreachable!() };
    assert!(pipes[0].number(0) == 0 && first > 2 && second > first && ino > 0);
    assert_eq!(pipes[1].numbers(&[0, 1, 2, 3]), [i64::from(-libc::EFAULT), -1, -1, 0]);
    let ranges = of(&events, codes[1]);
    assert_eq!(ranges[0].numbers(&[0, 1, 2, 3]), [0, 800, 810, 4]);
    assert_eq!(ranges[1].numbers(&[0, 1, 2, 3]), [EINVAL, 9, 8, 0]);
    let rings = of(&events, codes[2]);
    assert_eq!((rings[0].number(1), rings[1].number(1)), (3, 4));
    if rings[0].number(0) >= 0 {
        // Entries are rounded up, twice as many answers have room.
        assert_eq!(rings[0].numbers(&[2, 3, 4, 5, 6]), [4, 8, 1 << 5, 0, 0]);
        assert_ne!(rings[0].number(7), 0);
    }
    assert!(rings[1].number(0) < 0);
    let commands = of(&events, codes[3]);
    assert_eq!((commands[0].number(0).min(0), commands[0].number(1)), (0, 0));
    assert_eq!(commands[1].numbers(&[0, 1]), [EINVAL, 999]);
}

#[test]
fn modules_have_their_image_their_words_and_their_name() {
    // In memory before the calls, which fail before they look at them.
    let (image, one, two) = (*b"no module at all", *b"a=b\0", *b"c=d\0");
    let name = *b"saker-none\0";
    let act = || unsafe {
        // SAFETY: none of this is a module.
        libc::syscall(libc::SYS_init_module, image.as_ptr(), 16, one.as_ptr());
        libc::syscall(libc::SYS_finit_module, 900_000, two.as_ptr(), 3);
        libc::syscall(libc::SYS_delete_module, name.as_ptr(), libc::O_NONBLOCK);
        0
    };
    let codes = [t::SYSCALL_INIT_MODULE_X, t::SYSCALL_FINIT_MODULE_X, t::SYSCALL_DELETE_MODULE_X];
    let events = record(&codes, act);
    let [image, file, gone] = &events[..] else {
        assert!(events.is_empty());
        return;
    };
    assert!(image.number(0) < 0 && file.number(0) < 0 && gone.number(0) < 0);
    assert_eq!(image.params[1], b"no module at all");
    assert_eq!((image.number(2), image.text(3)), (16, "a=b".to_owned()));
    assert_eq!((file.number(1), file.text(2), file.number(3)), (900_000, "c=d".to_owned(), 3));
    assert_eq!((gone.text(1), gone.number(2)), ("saker-none".to_owned(), 1 << 1));
}

#[test]
fn names_below_a_directory_have_its_descriptor() {
    let folder = Folder::new("below");
    let (directory, file) = (c(&folder.0), c(folder.file("file")));
    let act = || unsafe {
        // SAFETY: valid paths below the test's own folder.
        libc::dup2(libc::open(directory.as_ptr(), libc::O_RDONLY), 130);
        libc::dup2(libc::open(file.as_ptr(), libc::O_RDWR), 131);
        libc::symlinkat(c"target".as_ptr(), 130, c"link".as_ptr());
        libc::mkdirat(130, c"made".as_ptr(), 0o751);
        libc::syscall(libc::SYS_mknodat, 130, c"fifo".as_ptr(), libc::S_IFIFO | 0o640, 0);
        libc::syscall(libc::SYS_renameat2, 130, c"fifo".as_ptr(), 130, c"pipe".as_ptr(), 1);
        libc::fchown(131, 71, 72);
        libc::symlinkat(c"target".as_ptr(), 900_000, c"link".as_ptr());
        libc::mkdirat(900_000, c"made".as_ptr(), 0o700);
        libc::syscall(libc::SYS_mknodat, 900_000, c"fifo".as_ptr(), 0o600, 0);
        libc::syscall(libc::SYS_renameat2, 900_000, c"a".as_ptr(), 130, c"b".as_ptr(), 2);
        libc::fchown(900_000, 73, 74);
        let mut handle = [0u32; 40];
        handle[0] = 128;
        let (mut mount, at) = (0i32, handle.as_mut_ptr());
        libc::syscall(libc::SYS_name_to_handle_at, 130, c"file".as_ptr(), at, &raw mut mount, 0);
        libc::syscall(libc::SYS_open_by_handle_at, 130, at, libc::O_RDONLY);
        libc::syscall(libc::SYS_open_by_handle_at, 900_000, at, libc::O_RDWR);
        0
    };
    let codes = [
        t::SYSCALL_SYMLINKAT_X,
        t::SYSCALL_MKDIRAT_X,
        t::SYSCALL_MKNODAT_X,
        t::SYSCALL_RENAMEAT2_X,
        t::SYSCALL_FCHOWN_X,
        t::SYSCALL_OPEN_BY_HANDLE_AT_X,
    ];
    let events = record(&codes, act);
    if events.is_empty() {
        return;
    }
    let texts = |event: &Recorded, places: &[usize]| -> Vec<String> {
        places.iter().map(|&at| event.text(at)).collect()
    };
    let links = of(&events, codes[0]);
    for (event, answer, fd) in [(links[0], 0, 130), (links[1], EBADF, 900_000)] {
        assert_eq!(event.numbers(&[0, 2]), [answer, fd]);
        assert_eq!(texts(event, &[1, 3]), ["target", "link"]);
    }
    let made = of(&events, codes[1]);
    assert_eq!(
        (made[0].numbers(&[0, 1, 3]), made[0].text(2)),
        (vec![0, 130, 0o751], "made".into())
    );
    assert_eq!(made[1].numbers(&[0, 1, 3]), [EBADF, 900_000, 0o700]);
    let nodes = of(&events, codes[2]);
    assert_eq!(nodes[0].numbers(&[0, 1, 3, 4]), [0, 130, 0o010_640, 0]);
    assert_eq!(nodes[1].numbers(&[0, 1, 3, 4]), [EBADF, 900_000, 0o100_600, 0]);
    let renamed = of(&events, codes[3]);
    assert_eq!(renamed[0].numbers(&[0, 1, 3, 5]), [0, 130, 130, 1]);
    assert_eq!(texts(renamed[0], &[2, 4]), ["fifo", "pipe"]);
    assert_eq!(renamed[1].numbers(&[0, 1, 3, 5]), [EBADF, 900_000, 130, 2]);
    let owned = of(&events, codes[4]);
    assert_eq!(owned[0].numbers(&[0, 1, 2, 3]), [0, 131, 71, 72]);
    assert_eq!(signed(&owned[0].own(FILES)[..4]), 131);
    assert_eq!(owned[1].numbers(&[0, 1, 2, 3]), [EBADF, 900_000, 73, 74]);
    let opened = of(&events, codes[5]);
    assert_eq!(opened[0].numbers(&[1, 2]), [130, 1]);
    if opened[0].number(0) >= 0 {
        let path = folder.0.join("file").display().to_string();
        assert_eq!((opened[0].text(3), opened[0].path()), (path.clone(), path));
        assert!(opened[0].number(5) > 0);
    }
    assert!(opened[1].number(0) < 0 && opened[1].params[3].is_empty());
    assert_eq!(opened[1].number(1), 900_000);
}

#[test]
fn every_way_to_start_a_process_is_told() {
    let act = || unsafe {
        // SAFETY: the children leave at once; vfork's by the same program text.
        let wait = |pid: i64| {
            if pid == 0 {
                libc::_exit(0);
            }
            libc::waitpid(pid as i32, ptr::null_mut(), 0);
        };
        let signal = libc::SIGCHLD;
        wait(libc::syscall(libc::SYS_clone, signal, 0, 0, 0, 0));
        // Of struct clone_args the flags come first, the signal fifth.
        let mut args = [0u64; 8];
        args[4] = signal as u64;
        wait(libc::syscall(libc::SYS_clone3, args.as_ptr(), 64));
        // The child of vfork has its parent's stack: it leaves before it touches it.
        let child: i64;
        std::arch::asm!(
            "syscall",
            "test eax, eax",
            "jnz 2f",
            "xor edi, edi",
            "mov eax, 60",
            "syscall",
            "2:",
            inlateout("rax") libc::SYS_vfork => child,
            out("rdi") _, out("rcx") _, out("r11") _,
        );
        wait(child);
        let program = [c"/bin/true".as_ptr(), ptr::null()];
        let empty = [ptr::null::<libc::c_char>()];
        // A call that fails at its descriptor reads no arguments: what lies on a page that nobody
        // has touched, a probe cannot read either.
        ptr::read_volatile(program[0]);
        libc::syscall(
            libc::SYS_execveat,
            900_000,
            c"nowhere".as_ptr(),
            program.as_ptr(),
            empty.as_ptr(),
            0,
        );
        0
    };
    let codes =
        [t::SYSCALL_CLONE_20_X, t::SYSCALL_CLONE3_X, t::SYSCALL_VFORK_20_X, t::SYSCALL_EXECVEAT_X];
    let events = record(&codes, act);
    if events.is_empty() {
        return;
    }
    for &code in &codes[..3] {
        let told: Vec<_> = events.iter().map(|event| (event.code, event.number(0))).collect();
        let parent = of(&events, code).into_iter().rfind(|event| event.number(0) > 0);
        let parent = parent.unwrap_or_else(|| panic!("no parent's event of {code} in {told:?}"));
        assert_eq!(parent.number(3), parent.tid as i64);
        assert_eq!(parent.number(4), parent.tid as i64);
        assert!(parent.number(10) > 1000 && !parent.text(13).is_empty());
        assert_eq!(parent.numbers(&[16, 17]), [0, 0]);
    }
    let failed = of(&events, codes[3])[0];
    assert_eq!((failed.number(0), failed.text(1)), (EBADF, "/bin/true".to_owned()));
}
