// Where alerts and captures go, and where rules come from, on a mount that hangs: nothing waits for
// it but what lies on it, that is told, and a signal ends saker.
import { loadAddon } from "../../src/engine/host/addon.ts";
import { together } from "../together.ts";
import { assert, assertEquals, assertIncludes } from "./expect.ts";
import { type Alert, eventually, type Health, Saker } from "./saker.ts";
import { has, isRoot, ownMounts, Place, PYTHON, python, run, shell } from "./trigger.ts";

/** A FUSE mount whose server never answers; it hangs until saker, which inherits it, has ended. */
const HUNG = `
import ctypes, os, sys
_, where, *command = sys.argv[1:]
server = os.open("/dev/fuse", os.O_RDWR)
os.set_inheritable(server, True)
options = b"fd=%d,rootmode=40000,user_id=0,group_id=0" % server
if ctypes.CDLL(None, use_errno=True).mount(b"none", os.fsencode(where), b"fuse", 6, options) != 0:
    sys.exit(os.strerror(ctypes.get_errno()))
os.execvp(command[0], command)
`;

async function behindHung(where: string): Promise<string[]> {
  await Deno.mkdir(where);
  return ["unshare", ...await ownMounts(), PYTHON, "-c", HUNG, "hung", where];
}

async function canHang(): Promise<boolean> {
  if (!isRoot() || !has("python3") || !has("unshare")) return false;
  await using place = new Place();
  const [program, ...args] = await behindHung(place.file("hung"));
  return (await run(program!, [...args, "true"])).code === 0;
}

const HANGS = await canHang();

/** A saker that sees a mount which hangs, and has a rule on files of its place. */
class Scene implements AsyncDisposable {
  readonly saker: Saker;
  readonly place: Place;
  readonly #rules: string;

  private constructor(saker: Saker, place: Place, rules: string) {
    this.saker = saker;
    this.place = place;
    this.#rules = rules;
  }

  static async launch(argsOf: (hung: string, rules: string) => string[]): Promise<Scene> {
    const place = new Place();
    const hung = place.file("hung");
    const rules = place.file("rules.yaml");
    const condition = `evt.type in (open, openat) and fd.name startswith ${place.file("secret")}`;
    await Deno.writeTextFile(
      rules,
      `- {rule: Hang test, desc: d, condition: "${condition}", output: "Opened %fd.name", ` +
        "priority: WARNING, capture: true, capture_duration: 1}\n",
    );
    const options = { args: argsOf(hung, rules), through: await behindHung(hung) };
    return new Scene(Saker.launch([place.marker], options), place, rules);
  }

  /** As `launch`, and waits until it watches. */
  static async start(argsOf: (hung: string, rules: string) => string[]): Promise<Scene> {
    const scene = await Scene.launch(argsOf);
    await eventually("saker to be well", async () => {
      return (await scene.saker.health())?.status === 200 || undefined;
    });
    return scene;
  }

  /** Opens the place's file of that name again and again until saker tells of it. */
  async seen(name: string): Promise<Alert> {
    const path = this.place.file(`secret-${name}`);
    await Deno.writeTextFile(path, "");
    return await eventually(`the alert of ${name}`, async () => {
      await shell(this.place.marker, `cat ${path}`);
      return this.saker.alerts().find(({ output_fields }) => output_fields["fd.name"] === path);
    });
  }

  async degraded(reason: string): Promise<Health> {
    return await eventually(`"${reason}" to be told`, async () => {
      const health = await this.saker.health();
      const { status, reason: told } = health?.body ?? {};
      return status === "degraded" && told?.includes(reason) ? health : undefined;
    });
  }

  /** The rules come to lie on the mount. */
  async moveRules(): Promise<void> {
    await Deno.remove(this.#rules);
    await Deno.symlink(this.place.file("hung/rules.yaml"), this.#rules);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.saker.stop();
    await this.place[Symbol.asyncDispose]();
  }
}

together("a mount that hangs holds up what lies on it alone", !HANGS, [
  {
    name: "an alert file and an audit log on a mount that hangs hold up nothing, and are told of",
    async fn() {
      await using scene = await Scene.start((hung, rules) => [
        ...["-r", rules, "-o", `file_output={enabled: true, filename: ${hung}/alerts}`],
        ...["-o", `plugins[]={name: k8saudit, open_params: "file://${hung}/audit.log"}`],
      ]);
      await scene.seen("first");
      await scene.degraded("/audit.log: its file system has not answered for 1");
      const { body } = await scene.degraded("file: ");
      const outputs = body.outputs as { name: string; state: string }[];
      assertEquals(outputs.find(({ name }) => name === "file")?.state, "slow");
      await scene.seen("second");
      assertEquals((await scene.saker.stop()).code, 0);
    },
  },

  {
    name: "a spool on a mount that hangs holds up no output, and is told of",
    async fn() {
      await using scene = await Scene.start((hung, rules) => [
        ...["-r", rules, "-o", `file_output={enabled: true, filename: ${rules}.alerts}`],
        ...["-o", `spool={enabled: true, directory: ${hung}/spool}`],
      ]);
      await scene.seen("first");
      await eventually("the alert in the file", async () => {
        const text = await Deno.readTextFile(scene.place.file("rules.yaml.alerts"));
        return text.includes("secret-first") || undefined;
      });
      const { code, stderr } = await scene.saker.stop();
      assertEquals(code, 0, stderr);
      assertIncludes(stderr, "file: its disk does not answer, or another saker has it");
    },
  },

  {
    name: "captures on a mount that hangs hold up nothing, and are told of",
    async fn() {
      await using scene = await Scene.start((
        hung,
        rules,
      ) => ["-r", rules, "-o", `capture={enabled: true, path_prefix: ${hung}/c}`]);
      await scene.seen("first");
      const { status, body } = await scene.degraded(
        "captures: their file system has not answered for 1",
      );
      assertEquals(status, 200);
      const captures = body.captures as { started: number; waiting_bytes: number };
      assert(captures.started > 0 && captures.waiting_bytes > 0);
      await scene.seen("second");
      const { code, stderr } = await scene.saker.stop();
      assertEquals(code, 0, stderr);
      assertIncludes(stderr, "Warning: captures: their file system has not answered for 10 s");
      assertIncludes(stderr, "Captures that could not be written, or not whole: ");
    },
  },

  {
    name: "a recording on a mount that hangs lets alerts go on, and a signal ends it in one line",
    async fn() {
      await using scene = await Scene.launch((hung, rules) => [
        ...["-r", rules, "-o", "json_output=true"],
        ...["record", `${hung}/r.scap`, "--alerts"],
      ]);
      const { saker } = scene;
      await eventually("it to record", () => saker.told.includes("is recording to") || undefined);
      await scene.seen("first");
      await eventually("the mount to be told of", () => {
        return saker.told.includes("their file system has not answered for 10 s") || undefined;
      });
      await scene.seen("second");
      const { code, stderr } = await saker.stop();
      assertEquals(code, 1);
      const last = stderr.trimEnd().split("\n").at(-1)!;
      assert(
        /^Error: Cannot write capture ".*r\.scap": its file system does not take/.test(last),
        last,
      );
    },
  },
]);

Deno.test({
  name: "rules that come to lie on a mount that hangs hold up nothing, and the old ones stay",
  ignore: !HANGS,
  async fn() {
    await using scene = await Scene.start((_, rules) => ["-r", rules]);
    const { saker } = scene;
    await scene.moveRules();
    for (let count = 0; count < 5; count++) Deno.kill(saker.pid, "SIGHUP");
    for (const name of ["first", "second"]) await scene.seen(name);
    assertEquals((await saker.health())?.status, 200);
    assertEquals((await saker.stop()).code, 0);
  },
});

Deno.test({
  name: "a saker whose rules hang at its start is ended by a signal",
  ignore: !HANGS,
  async fn() {
    await using scene = await Scene.launch((hung) => ["-r", `${hung}/rules.yaml`]);
    const { saker } = scene;
    await eventually("it to be saker", async () => {
      return (await Deno.readTextFile(`/proc/${saker.pid}/comm`)).trim() === "saker" || undefined;
    });
    await python(scene.place.marker, "import time; time.sleep(1)");
    assertEquals((await saker.stop()).code !== 0, true);
  },
});

/** Goes into a root whose /etc is the mount, and stays there. */
const INSIDE = `
import os, sys
os.chroot(sys.argv[1])
print("inside", flush=True)
sys.stdin.read()
`;

Deno.test({
  name: "users of a container whose files hang are unknown, and nobody waits for them",
  ignore: !HANGS,
  async fn() {
    await using place = new Place();
    await Deno.mkdir(place.file("root"));
    const [program, ...args] = await behindHung(place.file("root/etc"));
    const child = new Deno.Command(program!, {
      args: [...args, PYTHON, "-I", "-S", "-c", INSIDE, place.file("root")],
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    const addon = loadAddon();
    const reader = child.stdout.getReader();
    try {
      assertIncludes(new TextDecoder().decode((await reader.read()).value), "inside");
      // More than are left behind: the last ones are not even begun.
      for (let asked = 0; asked < 6; asked++) {
        assertEquals(addon.snapshotAccounts("", child.pid).length, 0);
      }
    } finally {
      // The mount hangs as long as it lives, and with it whoever asked.
      await reader.cancel();
      await child.stdin.close();
    }
    assertEquals((await child.status).code, 0);
    await eventually("users to be read again", () => {
      return addon.snapshotAccounts("", Deno.pid).length > 0 || undefined;
    });
  },
});
