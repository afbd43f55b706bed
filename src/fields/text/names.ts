// Names that numbers have: errors, signals, capabilities. Facts: the kernel's uapi headers
// (asm-generic/errno*.h, signal.h, linux/capability.h) and its internal errors from 512 on.

const ERRNOS: readonly (readonly [number, string])[] = [
  [
    1,
    "EPERM ENOENT ESRCH EINTR EIO ENXIO E2BIG ENOEXEC EBADF ECHILD EAGAIN ENOMEM EACCES EFAULT " +
    "ENOTBLK EBUSY EEXIST EXDEV ENODEV ENOTDIR EISDIR EINVAL ENFILE EMFILE ENOTTY ETXTBSY EFBIG " +
    "ENOSPC ESPIPE EROFS EMLINK EPIPE EDOM ERANGE EDEADLK ENAMETOOLONG ENOLCK ENOSYS ENOTEMPTY " +
    "ELOOP",
  ],
  [
    42,
    "ENOMSG EIDRM ECHRNG EL2NSYNC EL3HLT EL3RST ELNRNG EUNATCH ENOCSI EL2HLT EBADE EBADR EXFULL " +
    "ENOANO EBADRQC EBADSLT",
  ],
  [
    59,
    "EBFONT ENOSTR ENODATA ETIME ENOSR ENONET ENOPKG EREMOTE ENOLINK EADV ESRMNT ECOMM EPROTO " +
    "EMULTIHOP EDOTDOT EBADMSG EOVERFLOW ENOTUNIQ EBADFD EREMCHG ELIBACC ELIBBAD ELIBSCN ELIBMAX " +
    "ELIBEXEC EILSEQ ERESTART ESTRPIPE EUSERS ENOTSOCK EDESTADDRREQ EMSGSIZE EPROTOTYPE " +
    "ENOPROTOOPT EPROTONOSUPPORT ESOCKTNOSUPPORT EOPNOTSUPP EPFNOSUPPORT EAFNOSUPPORT EADDRINUSE " +
    "EADDRNOTAVAIL ENETDOWN ENETUNREACH ENETRESET ECONNABORTED ECONNRESET ENOBUFS EISCONN " +
    "ENOTCONN ESHUTDOWN ETOOMANYREFS ETIMEDOUT ECONNREFUSED EHOSTDOWN EHOSTUNREACH EALREADY " +
    "EINPROGRESS ESTALE EUCLEAN ENOTNAM ENAVAIL EISNAM EREMOTEIO EDQUOT ENOMEDIUM EMEDIUMTYPE " +
    "ECANCELED",
  ],
  [512, "ERESTARTSYS ERESTARTNOINTR ERESTARTNOHAND ENOIOCTLCMD ERESTART_RESTARTBLOCK"],
  [
    521,
    "EBADHANDLE ENOTSYNC EBADCOOKIE ENOTSUPP ETOOSMALL ESERVERFAULT EBADTYPE EJUKEBOX " +
    "EIOCBQUEUED EIOCBRETRY",
  ],
];

const errnoNames = new Map<number, string>(
  ERRNOS.flatMap(([first, names]) =>
    names.split(" ").map((name, index): [number, string] => [first + index, name])
  ),
);

/** Name of a negative result such as -2 (ENOENT); "" where it has none. */
export function errnoName(result: number): string {
  return errnoNames.get(-result) ?? "";
}

/** The number, above 0, of an error's name; undefined for what is none. */
export function errnoOf(name: string): number | undefined {
  for (const [errno, known] of errnoNames) if (known === name) return errno;
  return undefined;
}

const SIGNALS = ("SIGHUP SIGINT SIGQUIT SIGILL SIGTRAP SIGABRT SIGBUS SIGFPE SIGKILL SIGUSR1 " +
  "SIGSEGV SIGUSR2 SIGPIPE SIGALRM SIGTERM SIGSTKFLT SIGCHLD SIGCONT SIGSTOP SIGTSTP SIGTTIN " +
  "SIGTTOU SIGURG SIGXCPU SIGXFSZ SIGVTALRM SIGPROF SIGWINCH SIGIO SIGPWR SIGSYS").split(" ");

/** "" where the number has no name. */
export function signalName(signal: number): string {
  return SIGNALS[signal - 1] ?? "";
}

const CAPABILITIES = ("CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID " +
  "SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER " +
  "SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE " +
  "SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP " +
  "MAC_OVERRIDE MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF " +
  "CHECKPOINT_RESTORE").split(" ").map((name) => `CAP_${name}`);

/** Names of a set of capabilities, joined by a blank. */
export function capabilityNames(set: bigint): string {
  const names: string[] = [];
  for (const [bit, name] of CAPABILITIES.entries()) {
    if ((set >> BigInt(bit)) & 1n) names.push(name);
  }
  return names.join(" ");
}
