//! Calls of many commands: keys, semaphores, quotas, filters, contexts of file systems, io_uring.
use probe::table as t;

use super::{FILES, LANE, Recorded, of, record, signed};

const EBADF: i64 = -libc::EBADF as i64;
const EINVAL: i64 = -libc::EINVAL as i64;

fn number(value: i64) -> Vec<u8> {
    [&[0][..], &value.to_le_bytes()].concat()
}

fn text(value: &str) -> Vec<u8> {
    [&[1][..], value.as_bytes(), &[0]].concat()
}

#[test]
fn arguments_of_keyctl_are_numbers_or_texts_by_its_command() {
    // In memory before the call, which may fail before it looks at it.
    let encoding = *b"enc=raw\0";
    let act = || unsafe {
        // SAFETY: valid arguments; the session keyring is the child's own.
        let call = |args: [i64; 5]| {
            libc::syscall(libc::SYS_keyctl, args[0], args[1], args[2], args[3], args[4]);
        };
        call([1, c"saker-test".as_ptr() as i64, 9, 9, 9]);
        call([0, -3, 1, 9, 9]);
        call([10, -3, c"user".as_ptr() as i64, c"saker-none".as_ptr() as i64, 5]);
        call([6, 77, 0, 12, 9]);
        call([18, 9, 9, 9, 9]);
        call([25, 8, encoding.as_ptr() as i64, 9, 7]);
        call([1, 0, 9, 9, 9]);
        call([99, 1, 2, 3, 4]);
        0
    };
    let events = record(&[t::SYSCALL_KEYCTL_X], act);
    let [joined, asked, sought, described, parent, encrypted, unnamed, unknown] = &events[..]
    else {
        assert!(events.is_empty());
        return;
    };
    let zero = || number(0);
    assert_eq!((joined.number(1), &joined.params[2]), (1, &text("saker-test")));
    assert_eq!(joined.params[3..6], [zero(), zero(), zero()]);
    assert_eq!(joined.own(LANE), [0]);
    assert_eq!(
        (asked.number(1), &asked.params[2..6]),
        (0, &[number(-3), number(1), zero(), zero()][..])
    );
    let found = [number(-3), text("user"), text("saker-none"), number(5)];
    assert_eq!((sought.number(1), &sought.params[2..6]), (10, &found[..]));
    assert!(sought.number(0) < 0);
    let told = [number(77), zero(), number(12), zero()];
    assert_eq!((described.number(1), &described.params[2..6]), (6, &told[..]));
    assert_eq!(parent.params[2..6], [zero(), zero(), zero(), zero()]);
    let told = [number(8), text("enc=raw"), number(9), number(7)];
    assert_eq!((encrypted.number(1), &encrypted.params[2..6]), (25, &told[..]));
    assert_eq!(unnamed.params[2], [1], "a text that is not there");
    assert_eq!((unknown.number(1), &unknown.params[2]), (99, &zero()));
}

#[test]
fn semaphores_have_their_operations() {
    let act = || unsafe {
        // SAFETY: valid arguments; the set is the child's own and removed.
        let set = libc::semget(libc::IPC_PRIVATE, 3, libc::IPC_CREAT | libc::IPC_EXCL | 0o600);
        libc::semget(0x7357, -1, 0);
        libc::semctl(set, 1, libc::SETVAL, 7);
        libc::semctl(set, 1, libc::GETVAL, 9);
        let of = |sem_num, sem_op, how: i32| libc::sembuf { sem_num, sem_op, sem_flg: how as i16 };
        let mut list =
            [of(1, -2, libc::IPC_NOWAIT), of(2, 3, libc::SEM_UNDO | libc::IPC_NOWAIT), of(0, 1, 0)];
        libc::syscall(libc::SYS_semop, set, list.as_mut_ptr(), 3);
        libc::syscall(libc::SYS_semop, set, list.as_mut_ptr(), 1);
        list[0].sem_op = -100;
        libc::syscall(libc::SYS_semop, set, list.as_mut_ptr(), 1);
        libc::semctl(set, 0, libc::IPC_RMID);
        libc::semctl(set, 0, libc::IPC_RMID);
        0
    };
    let events = record(&[t::SYSCALL_SEMGET_X, t::SYSCALL_SEMOP_X, t::SYSCALL_SEMCTL_X], act);
    if events.is_empty() {
        return;
    }
    let of = |code| of(&events, code);
    let short = |event: &Recorded, at: usize| event.number(at) as i16;
    let made = of(t::SYSCALL_SEMGET_X);
    let set = made[0].number(0);
    assert!(set >= 0);
    assert_eq!((made[0].number(1), made[0].number(2), made[0].number(3)), (0, 3, 8192 | 16384));
    assert_eq!((made[1].number(0), made[1].number(1)), (EINVAL, 0x7357));
    assert_eq!((made[1].number(2) as i32, made[1].number(3)), (-1, 0));
    let commands = of(t::SYSCALL_SEMCTL_X);
    let told = |event: &Recorded| -> Vec<i64> { (0..5).map(|at| event.number(at)).collect() };
    assert_eq!(told(commands[0]), [0, set, 1, 4096, 7]);
    assert_eq!(told(commands[1]), [7, set, 1, 512, 0]);
    assert_eq!(told(commands[2]), [0, set, 0, 4, 0]);
    assert_eq!(commands[3].number(0), EINVAL);
    let operations = of(t::SYSCALL_SEMOP_X);
    let one = operations[0];
    assert_eq!((one.number(0), one.number(1), one.number(8)), (0, 3, set));
    assert_eq!((one.number(2), short(one, 3), one.number(4)), (1, -2, 1));
    assert_eq!((one.number(5), short(one, 6), one.number(7)), (2, 3, 1 | 2));
    assert_eq!((operations[1].number(1), operations[1].number(5)), (1, 0));
    let failed = operations[2];
    assert_eq!((failed.number(0), failed.number(1)), (i64::from(-libc::EAGAIN), 1));
    assert_eq!((failed.number(2), failed.number(3), failed.number(8)), (0, 0, set));
}

#[test]
fn quotactl_has_the_structure_of_its_command() {
    /// struct if_dqblk with all members but those of time valid.
    const LIMITS: [u64; 9] = [11, 12, 13, 14, 15, 16, 17, 18, 1 | 2 | 4];
    let command = |what: i64, kind: i64| what << 8 | kind;
    let act = || unsafe {
        // On the stack: a page of the program that nobody has read is not there, and the call fails
        // before the kernel reads it.
        let limits = std::hint::black_box(LIMITS);
        // SAFETY: the device is none: nothing is changed.
        let device = c"/dev/saker-none".as_ptr();
        let call = |what: i64, id: i64, at: i64| {
            libc::syscall(libc::SYS_quotactl, what, device, id, at);
        };
        call(command(0x80_0008, 1), 1000, limits.as_ptr() as i64);
        call(command(0x80_0002, 0), 4, c"/aquota.user".as_ptr() as i64);
        let info = [21u64, 22, 1 | 7 << 32];
        call(command(0x80_0006, 0), 5, info.as_ptr() as i64);
        let format = 2u32;
        call(command(0x80_0004, 0), 5, &raw const format as i64);
        call(command(0x5803, 1), 6, 0);
        libc::syscall(libc::SYS_quotactl, command(0x80_0001, 0), 0, 0, 0);
        0
    };
    let events = record(&[t::SYSCALL_QUOTACTL_X], act);
    let [set, on, info, format, of_xfs, sync] = &events[..] else {
        assert!(events.is_empty());
        return;
    };
    let told = |event: &Recorded| -> Vec<i64> { (3..18).map(|at| event.number(at)).collect() };
    assert!(set.number(0) < 0);
    assert_eq!((set.text(1), set.params[2].len()), ("/dev/saker-none".to_owned(), 0));
    assert_eq!(told(set), [11, 12, 13, 14, 15, 0, 0, 0, 0, 0, 1, 64, 2, 1000, 1]);
    assert_eq!(on.text(2), "/aquota.user");
    assert_eq!(told(on), [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 0, 8]);
    assert_eq!(told(info), [0, 0, 0, 0, 0, 0, 0, 21, 22, 1, 1, 16, 1, 0, 1]);
    assert_eq!(told(format), [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 4, 1, 0, 1]);
    assert_eq!(told(of_xfs), [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1024, 2, 6, 1]);
    assert_eq!(sync.params[1].len(), 0);
    assert_eq!(told(sync)[11..], [128, 1, 0, 1]);
}

#[test]
fn filters_contexts_and_rings_have_their_parameters() {
    // In memory before the call, which fails before it looks at them.
    let (blob, bytes) = (*b"blob\0", *b"bytes");
    let act = || unsafe {
        // SAFETY: valid arguments.
        let call = |number: i64, args: [i64; 6]| -> i64 {
            libc::syscall(number, args[0], args[1], args[2], args[3], args[4], args[5])
        };
        call(libc::SYS_seccomp, [2, 0, [1u16, 0].as_ptr() as i64, 0, 0, 0]);
        call(libc::SYS_seccomp, [1, 77, 0, 0, 0, 0]);
        let fs = call(libc::SYS_fsopen, [c"tmpfs".as_ptr() as i64, 0, 0, 0, 0, 0]) as i32;
        libc::dup2(fs, 130);
        let key = |text: &std::ffi::CStr| text.as_ptr() as i64;
        call(libc::SYS_fsconfig, [130, 1, key(c"size"), key(c"65536"), 0, 0]);
        call(libc::SYS_fsconfig, [130, 0, key(c"ro"), 0, 0, 0]);
        let (name, value) = (blob.as_ptr() as i64, bytes.as_ptr() as i64);
        call(libc::SYS_fsconfig, [900_000, 2, name, value, 5, 0]);
        call(libc::SYS_fsconfig, [900_000, 6, 0, 0, 0, 0]);
        let mut ring = [0u32; 32];
        let fd = call(libc::SYS_io_uring_setup, [4, ring.as_mut_ptr() as i64, 0, 0, 0, 0]) as i32;
        libc::dup2(fd, 131);
        call(libc::SYS_io_uring_enter, [131, 0, 0, 1, 0, 0]);
        call(libc::SYS_io_uring_enter, [900_000, 3, 2, 2 | 8, 0x1_0000_0010, 8]);
        call(libc::SYS_io_uring_register, [131, 8, ring.as_mut_ptr() as i64, 0, 0, 0]);
        call(libc::SYS_io_uring_register, [900_000, 20, 0x70, 5, 0, 0]);
        0
    };
    let codes = [
        t::SYSCALL_SECCOMP_X,
        t::SYSCALL_FSCONFIG_X,
        t::SYSCALL_IO_URING_ENTER_X,
        t::SYSCALL_IO_URING_REGISTER_X,
    ];
    let events = record(&codes, act);
    if events.is_empty() {
        return;
    }
    let of = |code| of(&events, code);
    let filters = of(t::SYSCALL_SECCOMP_X);
    assert_eq!(filters[0].numbers(&[1, 2]), [2, 0]);
    assert_eq!(
        (filters[1].numbers(&[0, 1, 2]), filters[1].own(LANE)),
        (vec![EINVAL, 1, 77], &[0][..])
    );
    let contexts = of(t::SYSCALL_FSCONFIG_X);
    let sized = contexts[0];
    assert_eq!(sized.numbers(&[0, 1, 2, 6]), [0, 130, 1, 0]);
    assert_eq!(
        (sized.text(3), sized.params[4].len(), sized.text(5)),
        ("size".to_owned(), 0, "65536".to_owned())
    );
    assert_eq!(signed(&sized.own(FILES)[..4]), 130);
    assert_eq!((contexts[1].number(2), contexts[1].text(3)), (0, "ro".to_owned()));
    assert!(contexts[1].params[5].is_empty());
    assert_eq!(contexts[2].numbers(&[0, 1, 2, 6]), [EBADF, 900_000, 2, 5]);
    assert_eq!((contexts[2].text(3), contexts[2].params[4].len()), ("blob".to_owned(), 0));
    assert_eq!((contexts[3].number(2), contexts[3].params[3].len()), (6, 0));
    let entered = of(t::SYSCALL_IO_URING_ENTER_X);
    assert_eq!(entered[0].numbers(&[1, 2, 3, 4, 5]), [131, 0, 0, 1, 0]);
    assert_eq!(entered[1].numbers(&[0, 1, 2, 3, 4, 5]), [EBADF, 900_000, 3, 2, 2 | 8, 0x10]);
    let registered = of(t::SYSCALL_IO_URING_REGISTER_X);
    assert_eq!(registered[0].numbers(&[1, 2, 4]), [131, 8, 0]);
    assert_ne!(registered[0].number(3), 0);
    assert_eq!(registered[1].numbers(&[1, 2, 3, 4]), [900_000, 20, 0x70, 5]);
    assert!(registered[1].number(0) == EBADF || registered[1].number(0) == EINVAL);
}

#[test]
fn descriptors_without_a_file_have_their_clock_and_flags() {
    let act = || unsafe {
        // SAFETY: valid arguments.
        libc::timerfd_create(libc::CLOCK_BOOTTIME, libc::TFD_NONBLOCK);
        libc::timerfd_create(77, 0);
        libc::syscall(libc::SYS_userfaultfd, libc::O_CLOEXEC | libc::O_NONBLOCK | 1);
        libc::syscall(libc::SYS_userfaultfd, 4);
        0
    };
    let events = record(&[t::SYSCALL_TIMERFD_CREATE_X, t::SYSCALL_USERFAULTFD_X], act);
    let [boot, unknown, faults, refused] = &events[..] else {
        assert!(events.is_empty());
        return;
    };
    assert!(boot.number(0) >= 0);
    assert_eq!(boot.numbers(&[1, 2]), [7, 1 << 6]);
    assert_eq!(unknown.numbers(&[0, 1, 2]), [EINVAL, 77, 0]);
    assert_eq!(faults.number(1), 1 << 12 | 1 << 6 | 1);
    assert!(refused.number(0) < 0);
    assert_eq!(refused.number(1), 0);
}
