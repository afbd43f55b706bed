// Rules on containers fire in a real one, and those on the host on this machine: the default rules,
// and where they lie beside the project (../shared/rules) the official ones of all three files.
import { existsSync } from "node:fs";
import { assert } from "./expect.ts";
import type { Docker } from "./runtimes/docker.ts";
import { IMAGE } from "./runtimes/image.ts";
import { unpacked } from "./runtimes/unpacked.ts";
import { withRuntime } from "./runtimes/with_runtime.ts";
import { eventually, Saker } from "./saker.ts";
import { type Place, run } from "./trigger.ts";

const OFFICIAL = new URL("../../../shared/rules/", import.meta.url).pathname;
const FILES = ["falco_rules", "falco-incubating_rules", "falco-sandbox_rules"];

/** In a container with a terminal: which rule, and what a shell does about it. */
const INSIDE: readonly (readonly [rule: string, script: string])[] = [
  ["Terminal shell in container", ":"],
  ["Netcat Remote Code Execution in Container", "/bin/nc 127.0.0.1 1 -e /bin/true"],
  ["Launch Suspicious Network Tool in Container", "/bin/nc 127.0.0.1 1"],
  ["Packet socket created in container", "arping -c 1 -w 1 -I lo 127.0.0.1"],
  [
    "Redirect STDOUT/STDIN to Network Connection in Container",
    "nc -l -p 5555 -e /bin/true & sleep 0.5; nc 127.0.0.1 5555 < /dev/null",
  ],
  ["Linux Kernel Module Injection Detected", "insmod /etc/passwd"],
  ["Detect release_agent File Container Escapes", ": > /tmp/release_agent"],
  ["Execution from /dev/shm", "/bin/sh -c /dev/shm/nothing"],
  ["Read sensitive file untrusted", "cat /etc/shadow"],
  ["Change thread namespace", "nsenter -t 1 -u true"],
  [
    "Contact cloud metadata service from container",
    "ip addr add 169.254.169.254/32 dev lo; nc -l -p 80 & sleep 0.5; " +
    "nc 169.254.169.254 80 < /dev/null",
  ],
  ["Contact EC2 Instance Metadata Service From Container", ":"],
  ["Launch Package Management Process in Container", "/bin/dpkg -l"],
  ["Launch Remote File Copy Tools in Container", "cp /bin/busybox /tmp/scp; /tmp/scp"],
  ["Launch Ingress Remote File Copy Tools in Container", "/bin/wget -q http://127.0.0.1:1/"],
  ["Read environment variable from /proc files", "cat /proc/self/environ"],
  ["Kubernetes Client Tool Launched in Container", "cp /bin/busybox /tmp/kubectl; /tmp/kubectl"],
  ["Container Drift Detected (chmod)", ": > /tmp/drift; chmod 755 /tmp/drift"],
  ["Container Run as Root User", ":"],
  ["Decoding Payload in Container", "echo aGFybWxlc3M= | base64 -d"],
  ["Privileged Container Device Access", ": > /dev/sdz"],
  ["Container Access to Host Sensitive Paths", "mkdir /host; : > /host/file"],
];

/** The same of saker's own rules. */
const OWN: readonly (readonly [rule: string, script: string])[] = [
  ["Shell with a terminal in a container", ":"],
  ["Namespace entered from a container", "nsenter -t 1 -u true"],
  [
    "Container runtime commanded from a container",
    `/usr/bin/python3 -I -S -c 'import socket
listening, asking = socket.socket(socket.AF_UNIX), socket.socket(socket.AF_UNIX)
listening.bind("/tmp/docker.sock")
listening.listen()
asking.connect("/tmp/docker.sock")'`,
  ],
];

/** On the host, by a program of such a name. */
const OUTSIDE: readonly (readonly [rule: string, program: string, args: readonly string[]])[] = [
  ["Launch Suspicious Network Tool on Host", "nc", ["127.0.0.1", "1"]],
  ["Netcat/Socat Remote Code Execution on Host", "nc", ["127.0.0.1", "1", "-e", "/bin/true"]],
  ["User mgmt binaries", "useradd", ["--none"]],
];

async function created(docker: Docker, options: readonly string[], script: string) {
  const id = await docker.must("create", ...options, IMAGE, "/bin/sh", "-c", script);
  return { id, short: id.slice(0, 12) };
}

async function expectRules(saker: Saker, marker: string, rules: readonly string[]): Promise<void> {
  const missing = () => {
    const told = new Set(
      saker.alerts().filter(({ output, output_fields }) =>
        output_fields["container.id"] === marker || output.includes(marker)
      ).map(({ rule }) => rule),
    );
    return rules.filter((rule) => !told.has(rule));
  };
  try {
    await eventually("alerts", () => missing().length === 0 ? true : undefined, 20_000);
  } catch {
    assert(false, `no alert of: ${missing().join(", ")}`);
  }
}

const RIGHTS = ["SYS_ADMIN", "SYS_MODULE", "SYS_PTRACE", "NET_ADMIN"]
  .flatMap((capability) => ["--cap-add", capability]);
/** The host's programs: the image has no Python of its own. */
const PROGRAMS = ["/usr", "/lib", "/lib64"].flatMap((path) => ["--volume", `${path}:${path}:ro`]);
const ROOM = ["--network=none", "--security-opt=seccomp=unconfined", ...RIGHTS, ...PROGRAMS];
const EXTRA = [
  "-o",
  "rule_matching=all",
  "-o",
  'append_output[]={"extra_fields":["container.id"]}',
];

function scriptOf(steps: readonly (readonly [rule: string, script: string])[]): string {
  return steps.map(([, script]) => `(${script}) > /dev/null 2>&1`).join("; ") + "; wait";
}

Deno.test("the default rules on containers fire in a container", async (t) => {
  await withRuntime(t, "docker", async (docker) => {
    const { id, short } = await created(docker, ["--tty", ...ROOM], scriptOf(OWN));
    await using saker = await Saker.start([short], { args: EXTRA });
    await docker.must("start", id);
    await expectRules(saker, short, OWN.map(([rule]) => rule));
  });
});

Deno.test({
  name: "the official rules on containers fire in a container, those on the host on this machine",
  ignore: !existsSync(OFFICIAL),
  async fn(t) {
    await withRuntime(t, "docker", async (docker, place) => {
      const steps = scriptOf(INSIDE);
      const first = await created(docker, ["--tty", ...ROOM], steps);
      const second = await docker.must("create", "--network=none", IMAGE, "tar", "cf", "-", "/bin");
      const files = FILES.flatMap((name) => ["-r", `${OFFICIAL}${name}.yaml`]);
      await Deno.writeTextFile(place.file("enabled.yaml"), enabling());
      const args = [...files, "-r", place.file("enabled.yaml"), ...EXTRA];
      const markers = [first.short, second.slice(0, 12), place.marker];
      await using saker = await Saker.start(markers, { args });
      await docker.must("start", first.id);
      await docker.must("start", second);
      await onHost(place);
      await expectRules(saker, first.short, INSIDE.map(([rule]) => rule));
      await expectRules(saker, second.slice(0, 12), [
        "Exfiltrating Artifacts via Kubernetes Control Plane",
      ]);
      await expectRules(saker, place.marker, OUTSIDE.map(([rule]) => rule));
    });
  },
});

/** Turns on the rules that are off. */
function enabling(): string {
  return ["Container Drift Detected (chmod)", "Container Run as Root User"].map((rule) =>
    `- rule: ${rule}\n  enabled: true\n  override: { enabled: replace }\n`
  ).join("");
}

async function onHost(place: Place): Promise<void> {
  for (const [, name, args] of OUTSIDE) {
    const program = place.file(name);
    if (!existsSync(program)) await Deno.copyFile(unpacked("busybox"), program);
    await Deno.chmod(program, 0o755);
    await run(program, [...args, place.marker]);
  }
}
