// What each default rule is about, done by programs: rule, and what they do.
import { assertEquals } from "./expect.ts";
import {
  compiled,
  covered,
  isFile,
  type Place,
  python,
  ringDefect,
  run,
  shell,
} from "./trigger.ts";

/** Does what the rule is about; everything that it does carries the marker. */
type Trigger = (marker: string, place: Place) => Promise<unknown>;

export interface Case {
  readonly rule: string;
  /** Tells cases of one rule apart. */
  readonly by: string;
  readonly trigger: Trigger;
  /** Why it cannot be tried on this machine; undefined where it can. */
  readonly without?: () => string | undefined;
}

const BINARY_DIRECTORY = "System binary directory changed";
const LOCAL_DIRECTORY = "Local program directory changed";
const SENSITIVE = "Sensitive file read by an untrusted program";

/** A shell line that runs Python with the path of a program to be. */
function inPython(directory: string, script: string): string {
  return `python3 -c 'import ctypes, os, sys
libc = ctypes.CDLL(None)
path = "${directory}/" + sys.argv[1]
${script}' "$0"`;
}

/** Each way in which something is put into, changed in or taken out of a directory of programs. */
function changesOf(rule: string, directory: string): Case[] {
  const ways: readonly [string, string][] = [
    ["write", `echo x > "${directory}/$0"`],
    ["rename", `: > "${directory}/a"; mv "${directory}/a" "${directory}/$0"`],
    ["unlink", `: > "${directory}/$0"; rm "${directory}/$0"`],
    ["mkdir", `mkdir "${directory}/$0"`],
    ["rmdir", `mkdir "${directory}/$0"; rmdir "${directory}/$0"`],
    ["chmod", `: > "${directory}/$0"; chmod 777 "${directory}/$0"`],
    ["link", `: > "${directory}/a"; ln "${directory}/a" "${directory}/$0"`],
    ["symlink", `ln -s /nowhere "${directory}/$0"`],
    ["creat", inPython(directory, `libc.creat(path.encode(), 0o755)`)],
    [
      "an unnamed file that is linked into place",
      inPython(
        directory,
        `fd = os.open("${directory}", os.O_TMPFILE | os.O_WRONLY)
AT_FDCWD, AT_SYMLINK_FOLLOW = -100, 0x400
source = f"/proc/self/fd/{fd}".encode()
assert libc.linkat(AT_FDCWD, source, AT_FDCWD, path.encode(), AT_SYMLINK_FOLLOW) == 0`,
      ),
    ],
  ];
  return ways.map(([by, script]) => ({
    rule,
    by: `${by} in ${directory}`,
    trigger: (marker) => covered(marker, directory, script),
  }));
}

export const CASES: readonly Case[] = [
  {
    rule: SENSITIVE,
    by: "cat",
    trigger: (marker) => shell(marker, `cat /etc/shadow > /dev/null; cat "./$0" 2>&1 || true`),
  },
  {
    rule: "Secrets read along with others",
    by: "tar",
    trigger: (marker) =>
      covered(marker, "/etc", `echo x > /etc/shadow; tar cf - --label="$0" /etc | wc -c`),
    without: () => isFile("/usr/bin/tar") ? undefined : "tar lies elsewhere",
  },
  {
    rule: "Password file asked for with getent",
    by: "getent",
    trigger: (marker) => shell(marker, `getent shadow "$0" || true`),
    without: () => isFile("/usr/bin/getent") ? undefined : "getent lies elsewhere",
  },
  {
    rule: "Password file read in looking up a user",
    by: "perl",
    trigger: (marker) => shell(marker, `perl -e '@user = getpwuid($<)' "$0"`),
    without: () => isFile("/usr/bin/perl") ? undefined : "perl lies elsewhere",
  },
  {
    rule: "Sensitive file given another name",
    by: "link",
    trigger: (marker) => covered(marker, "/etc", `: > /etc/shadow; ln /etc/shadow "/etc/$0"`),
  },
  {
    rule: "SSH private key read by an untrusted program",
    by: "cat",
    trigger: (marker, place) =>
      shell(marker, `mkdir -p "$1/.ssh"; echo k > "$1/.ssh/id_$0"; cat "$1/.ssh/id_$0"`, [
        place.path,
      ]),
  },
  {
    rule: "File written below the device directory",
    by: "shell redirection",
    trigger: (marker) => covered(marker, "/dev", `echo x > "/dev/$0"`),
  },
  {
    rule: "Disk or memory device opened for writing",
    by: "shell redirection",
    trigger: (marker) => covered(marker, "/dev", `: >> "/dev/sd$0"`),
  },
  ...changesOf(BINARY_DIRECTORY, "/usr/sbin"),
  ...changesOf(LOCAL_DIRECTORY, "/usr/local/bin"),
  {
    rule: "Setuid or setgid bit set",
    by: "chmod",
    trigger: (marker, place) => shell(marker, `: > "$1/$0"; chmod 4755 "$1/$0"`, [place.path]),
  },
  {
    rule: "Setgid bit set",
    by: "chmod",
    trigger: (marker, place) => shell(marker, `: > "$1/$0"; chmod 2755 "$1/$0"`, [place.path]),
  },
  {
    rule: "Log removed or emptied",
    by: "truncation",
    trigger: (marker) => covered(marker, "/var/log", ": > /var/log/auth.log"),
  },
  {
    rule: "Log removed or emptied",
    by: "unlink",
    trigger: (marker) =>
      covered(
        marker,
        "/var/log",
        `mkdir /var/log/audit; : >> "/var/log/audit/$0"; rm /var/log/audit/*`,
      ),
  },
  {
    rule: "Account or privilege file changed",
    by: "shell redirection",
    trigger: (marker) => covered(marker, "/etc", "echo x > /etc/passwd"),
  },
  {
    rule: "Scheduled job changed",
    by: "rename",
    trigger: (marker) =>
      covered(marker, "/etc", `mkdir /etc/cron.d; : > "/etc/$0"; mv "/etc/$0" /etc/cron.d`),
  },
  {
    rule: "Startup configuration changed",
    by: "shell redirection",
    trigger: (marker) =>
      covered(marker, "/etc", `mkdir -p /etc/systemd/system; : > "/etc/systemd/system/$0.service"`),
  },
  {
    rule: "SSH access changed",
    by: "shell redirection",
    trigger: (marker, place) =>
      shell(marker, `mkdir -p "$1/$0/.ssh"; echo k >> "$1/$0/.ssh/authorized_keys"`, [place.path]),
  },
  {
    rule: "Shell history removed or emptied",
    by: "unlink",
    trigger: (marker, place) =>
      shell(marker, `mkdir "$1/$0"; : >> "$1/$0/.bash_history"; rm "$1/$0/.bash_history"`, [
        place.path,
      ]),
  },
  {
    rule: "Shell started by a server program",
    by: "a copy of the shell called nginx",
    trigger: (marker, place) =>
      shell(marker, `cp -L /bin/sh "$1/nginx"; "$1/nginx" -c '/bin/sh -c ": $0"; :' "$0"`, [
        place.path,
      ]),
  },
  {
    rule: "Program run from memory",
    by: "memfd_create and execve",
    trigger: (marker) =>
      python(
        marker,
        `import os, sys
fd = os.memfd_create("trigger", 0)
os.write(fd, open("/bin/true", "rb").read())
os.execv(f"/proc/self/fd/{fd}", ["true", sys.argv[1]])`,
      ),
  },
  {
    rule: "Program run from memory",
    by: "fexecve",
    trigger: (marker) =>
      python(
        marker,
        `import os, sys
fd = os.memfd_create("trigger", os.MFD_CLOEXEC)
os.write(fd, open("/bin/true", "rb").read())
os.execve(fd, ["true", sys.argv[1]], {})`,
      ),
  },
  {
    rule: "Network relay hands over a program",
    by: "a program called nc",
    trigger: (marker, place) =>
      shell(marker, `cp -L /bin/true "$1/nc"; "$1/nc" -e /bin/sh "$0"`, [
        place.path,
      ]),
  },
  {
    rule: "Service account with an interactive shell",
    by: "nobody on a terminal",
    trigger: (marker) =>
      python(
        marker,
        `import os, pty, sys
pid, terminal = pty.fork()
if pid == 0:
    os.setgid(65534)
    os.setuid(65534)
    os.execv("/bin/sh", ["sh", "-c", ":", sys.argv[1]])
assert os.waitpid(pid, 0)[1] == 0`,
      ),
  },
  {
    rule: "Hidden program run",
    by: "a leading dot",
    trigger: (marker, place) => shell(marker, `cp -L /bin/true "$1/.$0"; "$1/.$0"`, [place.path]),
  },
  {
    rule: "Search for keys or passwords",
    by: "find",
    trigger: (marker, place) => shell(marker, `find "$1" -name id_rsa -o -name "$0"`, [place.path]),
  },
  {
    rule: "Program run from a temporary directory",
    by: "execve",
    trigger: (marker, place) => shell(marker, `cp -L /bin/true "$1/$0"; "$1/$0"`, [place.path]),
  },
  {
    rule: "Program run from a temporary directory",
    by: "a script",
    trigger: (marker, place) =>
      shell(marker, `printf '#!/bin/sh\\n:\\n' > "$1/$0.sh"; chmod 700 "$1/$0.sh"; "$1/$0.sh"`, [
        place.path,
      ]),
  },
  {
    rule: "Shell runs on a network connection",
    by: "dup2 and execve",
    trigger: (marker) =>
      withListener((port) =>
        python(
          marker,
          `import os, socket, sys
s = socket.create_connection(("127.0.0.1", int(sys.argv[2])))
os.dup2(s.fileno(), 0)
os.dup2(s.fileno(), 1)
os.execv("/bin/sh", ["sh", "-c", ":", sys.argv[1]])`,
          [`${port}`],
        )
      ),
  },
  {
    rule: "Standard stream replaced by a network connection",
    by: "dup2",
    trigger: (marker) =>
      withListener((port) =>
        python(
          marker,
          `import os, socket, sys
s = socket.create_connection(("127.0.0.1", int(sys.argv[2])))
os.dup2(s.fileno(), 0)`,
          [`${port}`],
        )
      ),
  },
  {
    rule: "System binary makes a network connection",
    by: "bash and /dev/tcp",
    trigger: (marker) =>
      withListener((port) =>
        shell(marker, `/bin/bash -c ': > "/dev/tcp/127.0.0.1/$1"' "$0" "$1"`, [`${port}`])
      ),
    without: () => isFile("/bin/bash") ? undefined : "there is no bash",
  },
  {
    rule: "Packet socket opened",
    by: "socket",
    trigger: (marker) =>
      python(marker, "import socket\nsocket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)"),
  },
  {
    rule: "Kernel module loaded",
    by: "init_module of nothing",
    trigger: (marker) =>
      systemCall(marker, `call(${number({ x86_64: 175, aarch64: 105 })}, 0, 0, 0)`),
    without: () => isFile("/proc/modules") ? undefined : "this kernel takes no modules",
  },
  {
    rule: "BPF program loaded",
    by: "bpf",
    // Two instructions: r0 = 0; exit.
    trigger: (marker) =>
      systemCall(
        marker,
        `code = ctypes.create_string_buffer(bytes.fromhex("b700000000000000" "9500000000000000"))
text = ctypes.create_string_buffer(b"GPL")
attributes = struct.pack("<IIQQIIQII", 1, 2, ctypes.addressof(code), ctypes.addressof(text),
                         0, 0, 0, 0, 0)
fd = call(${number({ x86_64: 321, aarch64: 280 })}, 5, attributes, len(attributes))
assert fd >= 0, ctypes.get_errno()`,
      ),
  },
  {
    rule: "Process taken over with ptrace",
    by: "PTRACE_ATTACH",
    trigger: (marker) =>
      systemCall(
        marker,
        // What answers has been executed to its end: before that it has either program's name.
        `child = subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)
child.stdin.write(b"x")
child.stdout.read(1)
result = libc.ptrace(16, child.pid, 0, 0)
os.waitpid(child.pid, 0)
libc.ptrace(17, child.pid, 0, 0)
child.kill()
assert result == 0`,
      ),
  },
  {
    rule: "Memory of a process opened for writing",
    by: "its own",
    trigger: (marker) => shell(marker, "exec 3<> /proc/self/mem"),
  },
  {
    rule: "Ring for unseen calls set up",
    by: "io_uring_setup",
    async trigger(marker, place) {
      const { code } = await run(await compiled(place, "uring"), ["/etc/hostname", marker]);
      assertEquals(code, 0);
    },
    without: ringDefect,
  },
  {
    rule: "Kernel told to run a program",
    by: "a release agent",
    trigger: (marker, place) =>
      shell(marker, `mkdir "$1/$0"; : > "$1/$0/release_agent"`, [place.path]),
  },
];

/** Python with ctypes: calls that no program makes for us. */
function systemCall(marker: string, script: string): Promise<unknown> {
  return python(
    marker,
    `import ctypes, os, struct, subprocess, sys
libc = ctypes.CDLL(None, use_errno=True)
call = libc.syscall
${script}`,
  );
}

function number(numbers: { readonly x86_64: number; readonly aarch64: number }): number {
  return numbers[Deno.build.arch];
}

async function withListener(trigger: (port: number) => Promise<unknown>): Promise<void> {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  await trigger((listener.addr as Deno.NetAddr).port);
}
