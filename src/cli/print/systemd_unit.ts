// The unit that `saker install` writes: where the program and its configuration lie comes in, the
// text of a systemd unit goes out. As closed as a program can be that loads probes into the kernel,
// reads every process and compiles machine code (the runtime does, so memory that is written may be
// executed).

export interface UnitPaths {
  readonly program: string;
  readonly config: string;
  /** Whose file it is, as comments at its head; by default `saker install`'s. */
  readonly head?: string;
  /** Lines of [Unit] besides: what a package brings and `saker install` does not. */
  readonly documentation?: string;
}

const INSTALLED = `# Written by saker install; saker uninstall removes it unless it was changed.
# What should differ here goes to a file of its own: systemctl edit saker
`;

/** What the probe and the tables need; none of them lets saker write what it does not own. */
export const CAPABILITIES: readonly (readonly [name: string, why: string])[] = [
  ["CAP_BPF", "load the probe's programs and maps"],
  ["CAP_PERFMON", "attach them to the kernel's tracepoints"],
  ["CAP_SYS_RESOURCE", "maps above the limits of memory, on kernels before 5.11"],
  ["CAP_SYS_PTRACE", "look at the files and the root of every process in /proc"],
  ["CAP_DAC_READ_SEARCH", "read programs and accounts of every user"],
  ["CAP_SYS_NICE", "engine.nice: empty the rings on a busy machine"],
];

export function systemdUnit(
  { program, config, head = INSTALLED, documentation = "" }: UnitPaths,
): string {
  const why = CAPABILITIES.map(([name, reason]) => `#   ${name}: ${reason}`);
  return `${head}[Unit]
Description=saker: watches this host through the kernel
${documentation === "" ? "" : `Documentation=${documentation}\n`}After=local-fs.target
StartLimitIntervalSec=0

[Service]
Type=notify
NotifyAccess=main
ExecStart=${program} -c ${config}
ExecReload=/bin/kill -HUP $MAINPID
Restart=always
RestartSec=5s
# A saker that has gone blind says no more that it is alive, and is started again.
WatchdogSec=60s
TimeoutStartSec=120s
TimeoutStopSec=20s
StandardOutput=journal
StandardError=journal
SyslogIdentifier=saker
StateDirectory=saker
StateDirectoryMode=0700
UMask=0077
OOMScoreAdjust=-500
LimitNOFILE=65536
LimitMEMLOCK=infinity

# What it may do:
${why.join("\n")}
CapabilityBoundingSet=${CAPABILITIES.map(([name]) => name).join(" ")}
NoNewPrivileges=yes
# /usr, /boot and /etc cannot be written; outputs to files go anywhere else.
ProtectSystem=full
ProtectHome=read-only
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectControlGroups=yes
ProtectClock=yes
ProtectHostname=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
SystemCallArchitectures=native
SystemCallFilter=~@mount @swap @reboot @module @raw-io @clock @cpu-emulation @obsolete

[Install]
WantedBy=multi-user.target
`;
}
