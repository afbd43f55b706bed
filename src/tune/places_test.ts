import { deepStrictEqual as equal, ok } from "node:assert";
import { partOf } from "./objects.ts";
import { coversAnyone, mayBePrefix, placeOf } from "./places.ts";
import { isGeneral, isKnown, kindOf } from "./programs.ts";

Deno.test("placeOf: a path's place is whose files it has", () => {
  const places = {
    system: ["/usr/bin/x", "/bin/x", "/usr/lib/a/b", "/usr/libexec/x"],
    local: ["/usr/local/sbin/x", "/opt/a/x", "/root/bin/x"],
    own: ["/home/bob/x", "/var/lib/app/x", "/srv/x"],
    anyone: ["/tmp/x", "/var/tmp/a/x", "/dev/shm/x", "/run/user/1000/x", "/proc/7/exe", "/a/tmp/x"],
    memory: ["memfd:x", "/memfd:x", "/usr/bin/x (deleted)", "x", ""],
    unknown: ["/lab/bin/x", "/usr/bin/../../tmp/x", "/tmpx/x"],
  };
  for (const [place, paths] of Object.entries(places)) {
    for (const path of paths) equal([path, placeOf(path)], [path, place]);
  }
});

Deno.test("mayBePrefix: nothing that covers what everybody may write, or what rules guard", () => {
  const wide = ["/", "/etc", "/var", "/dev", "/run", "/home", "/usr", "/usr/bin", "/var/log"];
  const guarded = [
    "/etc/cron.d",
    "/etc/cron.d/x",
    "/etc/pam.d",
    "/root/.ssh",
    "/etc/ssh",
    "/proc/1",
  ];
  const open = ["/tmp", "/tmp/a/b", "/var/tmp/a/b", "/home/bob", "/var/lib/php", "/run/user/7"];
  for (const path of [...wide, ...guarded, ...open]) ok(!mayBePrefix(path), path);
  for (const path of ["/etc/keys", "/var/lib/app/data", "/opt/app", "/usr/share/doc"]) {
    ok(mayBePrefix(path), path);
  }
  ok(coversAnyone("/var") && coversAnyone("/tmp/x") && !coversAnyone("/etc"));
});

Deno.test("partOf: a pattern covers all values, and no world that everybody may write", () => {
  const numbered = (before: string, after = "") =>
    Array.from({ length: 12 }, (_, at) => `${before}${at}${after}`);
  equal(partOf("fd.name", numbered("/etc/keys/k")), {
    ...{ field: "fd.name", comp: "glob", values: ["/etc/keys/k*"] },
  });
  equal(partOf("fd.name", numbered("/etc/keys/k", ".pem"))?.values, ["/etc/keys/k*.pem"]);
  for (const values of [numbered("/tmp/k"), numbered("/home/u", "/x"), numbered("/var/l", "/x")]) {
    equal(partOf("fd.name", values)?.comp, "in");
  }
  equal(partOf("fd.name", ["/etc/a*b", "/etc/a*c"])?.comp, "in");
  equal(partOf("fd.name", numbered("/etc/keys/a*b/"))?.comp, "in");
});

Deno.test("kindOf: versions and targets say nothing of what a program does", () => {
  const kinds = {
    general: ["/usr/bin/python3.11", "/usr/bin/x86_64-linux-gnu-gcc-12", "/bin/busybox"],
    server: ["/usr/sbin/php-fpm8.2", "/usr/sbin/nginx", "/usr/lib/postgresql/15/bin/postgres"],
    session: ["/usr/sbin/sshd", "/usr/bin/sudo", "/usr/bin/tmux"],
    launcher: ["/usr/sbin/cron", "/usr/lib/systemd/systemd", "/usr/local/bin/my-job-runner"],
    own: ["/usr/sbin/backupd", "/usr/local/bin/shadowd"],
  };
  for (const [kind, paths] of Object.entries(kinds)) {
    for (const path of paths) equal([path, kindOf(path)], [path, kind]);
  }
  // A program may begin sessions, and do what its caller says.
  ok(isGeneral("/usr/bin/sudo") && isGeneral("/usr/bin/node"));
  ok(isKnown("/opt/x/nginx") && !isKnown("/opt/x/my-job-runner"));
});
