// Noise whose tempting exception would have hidden an attack: it is not proposed, or not in force.
import { match, ok, strictEqual as same } from "node:assert";
import { AT_HAND, BACKUP, type Fields, fires, several } from "./propose_fixture.ts";
import { propose } from "./propose.ts";
import { tuningText } from "./proposal_text.ts";

/** Each: noise whose shortest exception would excuse the attack as well. */
const ATTACKS: readonly {
  readonly what: string;
  readonly noise: Fields;
  readonly rule?: string;
  readonly attack: Fields;
  readonly tempting: RegExp;
}[] = [
  {
    what: "a copy of cat under the backup's name",
    noise: BACKUP,
    attack: { ...BACKUP, "proc.exepath": "/tmp/x/backup" },
    tempting: /^$/,
  },
  {
    what: "cat, whoever runs it, where an agent's cat is noise",
    noise: {
      ...BACKUP,
      "proc.exepath": "/usr/bin/cat",
      "proc.name": "cat",
      "proc.birth.exepath[1]": "/usr/bin/dash",
      "proc.birth.exepath[2]": "/usr/libexec/agent",
    },
    attack: {
      ...BACKUP,
      "proc.exepath": "/usr/bin/cat",
      "proc.name": "cat",
      "proc.birth.exepath[1]": "/usr/bin/bash",
      "proc.birth.exepath[2]": "/usr/sbin/sshd",
    },
    tempting: /^$/,
  },
  {
    what: "cat in another job of a scheduler",
    noise: {
      ...BACKUP,
      "proc.exepath": "/usr/bin/cat",
      "proc.birth.exepath[1]": "/usr/bin/dash",
      "proc.birth.exepath[2]": "/usr/local/sbin/our-scheduler",
    },
    attack: {
      ...BACKUP,
      "proc.exepath": "/usr/bin/cat",
      "proc.birth.exepath[1]": "/usr/bin/dash",
      "proc.birth.exepath[2]": "/usr/local/sbin/our-scheduler",
      "proc.cmdline": "cat /etc/shadow",
    },
    tempting: /.?/,
  },
  {
    what: "the linker, which writes where it is told to",
    noise: {
      ...BACKUP,
      "proc.exepath": "/usr/bin/x86_64-linux-gnu-ld.bfd",
      "proc.pexepath": "/usr/lib/gcc/x86_64-linux-gnu/12/collect2",
      "proc.birth.exepath[1]": "/usr/lib/gcc/x86_64-linux-gnu/12/collect2",
      "proc.birth.exepath[2]": "/usr/bin/bash",
      "proc.birth.exepath[3]": "/usr/sbin/sshd",
    },
    attack: {
      ...BACKUP,
      "proc.exepath": "/usr/bin/x86_64-linux-gnu-ld.bfd",
      "proc.pexepath": "/usr/lib/gcc/x86_64-linux-gnu/12/collect2",
      "proc.birth.exepath[1]": "/usr/lib/gcc/x86_64-linux-gnu/12/collect2",
      "proc.birth.exepath[2]": "/usr/bin/bash",
      "proc.birth.exepath[3]": "/usr/sbin/sshd",
    },
    tempting: /proc\.exepath = \S+ld\.bfd: it does what its caller says/,
  },
  {
    what: "another command of an application that listens, and is in no table",
    noise: {
      ...BACKUP,
      "proc.exepath": "/usr/bin/dash",
      "proc.cmdline": "sh -c uptime",
      "proc.birth.exepath[1]": "/opt/shop/shopd",
    },
    rule: "Program run",
    attack: {
      ...BACKUP,
      "proc.exepath": "/usr/bin/dash",
      "proc.cmdline": "sh -c id",
      "proc.birth.exepath[1]": "/opt/shop/shopd",
    },
    tempting: /.?/,
  },
  {
    what: "a program that only itself is known to have started",
    noise: { ...BACKUP, "proc.exepath": "/opt/x/miner", "proc.birth.exepath[1]": "/opt/x/miner" },
    rule: "Miner run",
    attack: { ...BACKUP, "proc.exepath": "/opt/x/miner" },
    tempting: /proc\.name = backup/,
  },
  {
    what: "a program that an intruder has begun to run again and again, of a grave rule",
    noise: BACKUP,
    rule: "Kernel changed",
    attack: BACKUP,
    tempting: /.?/,
  },
  {
    what: "a shell below the web server",
    noise: {
      ...BACKUP,
      "proc.exepath": "/usr/bin/dash",
      "proc.name": "sh",
      "proc.pexepath": "/usr/sbin/nginx",
      "proc.birth.exepath[1]": "/usr/sbin/nginx",
    },
    rule: "Program run",
    attack: {
      ...BACKUP,
      "proc.exepath": "/usr/bin/dash",
      "proc.name": "sh",
      "proc.pexepath": "/usr/sbin/nginx",
      "proc.birth.exepath[1]": "/usr/sbin/nginx",
      "proc.cmdline": "sh -c id",
    },
    tempting: /proc\.name = sh/,
  },
  {
    what: "another program in the build directory of everybody",
    noise: { ...BACKUP, "proc.exepath": "/tmp/build/conftest", "proc.name": "conftest" },
    attack: { ...BACKUP, "proc.exepath": "/tmp/build/conftest", "proc.cmdline": "conftest -x" },
    tempting: /proc\.exepath = \/tmp\/build\/conftest: it lies where everybody may put files/,
  },
  {
    what: "a container that somebody else started under the noisy one's name",
    noise: {
      ...BACKUP,
      "container.id": "a1b2c3d4e5f6",
      "container.name": "backup",
      "container.image.repository": null,
    },
    attack: { ...BACKUP, "container.id": "0123456789ab", "container.name": "backup" },
    tempting: /container\.name = backup: it is chosen by whoever starts a container/,
  },
  {
    what: "a program that was put into the running container",
    noise: {
      ...BACKUP,
      "container.id": "a1b2c3d4e5f6",
      "container.image.repository": "example.org/backup",
      "container.image.digest": "sha256:11",
      "proc.is_exe_upper_layer": true,
    },
    attack: {
      ...BACKUP,
      "container.id": "a1b2c3d4e5f6",
      "container.image.repository": "example.org/backup",
      "container.image.digest": "sha256:11",
      "proc.is_exe_upper_layer": true,
      "fd.name": "/etc/shadow",
    },
    tempting: /container\.image\.repository = example\.org\/backup/,
  },
  {
    what: "an administrator's tool, whoever starts it, where the rule tells of programs",
    noise: {
      ...BACKUP,
      "proc.exepath": "/usr/sbin/zfs-helperd",
      "proc.pexepath": "/usr/bin/bash",
      "proc.birth.exepath[1]": "/usr/bin/bash",
      "proc.birth.exepath[2]": "/usr/sbin/sshd",
    },
    rule: "Program run",
    attack: {
      ...BACKUP,
      "proc.exepath": "/usr/sbin/zfs-helperd",
      "proc.pexepath": "/usr/bin/bash",
      "proc.birth.exepath[1]": "/usr/bin/bash",
      "proc.birth.exepath[2]": "/usr/sbin/sshd",
    },
    tempting: /proc\.name = backup/,
  },
  {
    what: "a program that its user may exchange",
    noise: { ...BACKUP, "user.uid": 34, "proc.is_exe_writable": true },
    attack: { ...BACKUP, "user.uid": 34, "proc.is_exe_writable": true },
    tempting: /proc\.name = backup/,
  },
  {
    what: "the backup's program, started by somebody else",
    noise: BACKUP,
    attack: { ...BACKUP, "proc.pexepath": "/usr/bin/bash" },
    tempting: /^$/,
  },
  {
    what: "a user's own file mounted over the program in a namespace of their own",
    noise: BACKUP,
    attack: { ...BACKUP, "user.uid": 1000 },
    tempting: /^$/,
  },
];

for (const { what, noise, rule, attack, tempting } of ATTACKS) {
  Deno.test(`propose: an attack is still told: ${what}`, () => {
    const tuning = propose(several(noise, rule), AT_HAND);
    ok(fires(tuning, attack, rule));
    const told = tuning.refusals.flatMap((refusal) => refusal.tempting).join("\n");
    match(told, tempting);
    // What would be refused here is in force nowhere, and said in words.
    if (tempting.source === ".?") same(tuning.proposals[0]!.level, "care");
    else if (tempting.source !== "^$") ok(tuning.refusals.every(({ why }) => why.length > 0));
    else same(tuning.remaining, 0, tuningText(tuning, []));
  });
}
