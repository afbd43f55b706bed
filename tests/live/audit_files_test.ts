// Audit logs as API servers and log rotation write them, followed by the built binary: half lines,
// renames, truncation, directories, a saker that is killed in between.
import { AuditScene } from "./audit_scene.ts";
import { assert, assertEquals } from "./expect.ts";
import { eventually, runSaker } from "./saker.ts";
import { isRoot } from "./trigger.ts";

function append(path: string, text: string): void {
  Deno.writeTextFileSync(path, text, { append: true });
}

/** Saker says that it reads so many files. */
async function follows(scene: AuditScene, count: number): Promise<void> {
  await eventually(`${count} files to be followed`, async () => {
    return (await scene.told()).files?.files === count || undefined;
  });
}

Deno.test({
  name: "an audit log is followed through half lines, renames and truncation",
  ignore: !isRoot(),
  async fn() {
    await using scene = new AuditScene();
    const log = scene.file("audit.log");
    append(log, `${scene.event(1)}\n`);
    await scene.start({ openParams: `file://${log}` });
    await follows(scene, 1);
    append(log, `${scene.event(2)}\n`);
    await scene.sees(2);
    const whole = scene.event(3, 70_000);
    append(log, whole.slice(0, 100));
    await new Promise((resolve) => setTimeout(resolve, 400));
    append(log, whole.slice(100, 66_000));
    await new Promise((resolve) => setTimeout(resolve, 400));
    append(log, `${whole.slice(66_000)}\n{"kind": broken\n${scene.event(4)}\n`);
    await scene.sees(3, 4);
    append(log, `${scene.event(5)}\n`);
    Deno.renameSync(log, scene.file("audit-1.log"));
    append(scene.file("audit-1.log"), `${scene.event(6)}\n`);
    append(log, `${scene.event(7)}\n`);
    await scene.sees(5, 6, 7);
    Deno.truncateSync(log);
    append(log, `${scene.event(8)}\n`);
    await scene.sees(8);
    assertEquals(scene.seen(), [2, 3, 4, 5, 6, 7, 8]);
    const files = await eventually("the rotation to be counted", async () => {
      const { files } = await scene.told();
      return files.rotated === 1 && files.shortened === 1 ? files : undefined;
    });
    assertEquals([files.events, files.malformed], [7, 1]);
  },
});

Deno.test({
  name: "with a position file no event is lost to kill -9, and without one those meanwhile are",
  ignore: !isRoot(),
  async fn() {
    await using scene = new AuditScene();
    const log = scene.file("audit.log");
    const position = scene.file("position");
    append(log, `${scene.event(1)}\n`);
    const options = { openParams: `file://${log}`, init: { positionFile: position } };
    const first = await scene.start(options);
    await follows(scene, 1);
    append(log, `${scene.event(2)}\n`);
    await scene.sees(2);
    await eventually("the position to be kept", () => {
      const text = Deno.readTextFileSync(position);
      const { size } = Deno.statSync(log);
      return text.includes(`"offset":${size}`) || undefined;
    });
    await first.stop("SIGKILL");
    append(log, `${scene.event(3)}\n${scene.event(4).slice(0, 50)}`);
    const second = await scene.start(options);
    await scene.sees(3);
    append(log, `${scene.event(4).slice(50)}\n`);
    await scene.sees(4);
    assertEquals(scene.seen(), [3, 4]);
    await second.stop("SIGTERM");
    append(log, `${scene.event(5)}\n`);
    Deno.renameSync(log, scene.file("audit-1.log"));
    append(log, `${scene.event(6)}\n`);
    await scene.start(options);
    await scene.sees(5, 6);
    assertEquals(scene.seen(), [5, 6]);
    await scene.saker.stop();
    append(log, `${scene.event(7)}\n`);
    await scene.start({ openParams: `file://${log}` });
    await follows(scene, 1);
    append(log, `${scene.event(8)}\n`);
    await scene.sees(8);
    assertEquals(scene.seen(), [8]);
  },
});

Deno.test({
  name: "a plain path is read once, a directory too, packed files unpacked",
  ignore: !isRoot(),
  async fn() {
    await using scene = new AuditScene();
    const directory = scene.file("logs");
    Deno.mkdirSync(directory);
    append(`${directory}/b.log`, `${scene.event(1)}\n${scene.event(2)}`);
    const packed = new Blob([`${scene.event(3)}\n`]).stream()
      .pipeThrough(new CompressionStream("gzip"));
    Deno.writeFileSync(`${directory}/a.log.gz`, await new Response(packed).bytes());
    Deno.writeTextFileSync(
      scene.file("rules.yaml"),
      "- rule: R\n  desc: d\n  condition: ka.verb exists\n  output: '%ka.auditid'\n" +
        "  priority: INFO\n  source: k8s_audit\n",
    );
    const ending = await runSaker([
      ...["--enable-source=k8s_audit", "-r", scene.file("rules.yaml"), "-o", "json_output=true"],
      ...["-o", `plugins[]={name: k8saudit, open_params: ${directory}}`],
    ]);
    assertEquals(ending.code, 0, ending.stderr);
    const ids = ending.stdout.trimEnd().split("\n")
      .map((line) => JSON.parse(line).output_fields["ka.auditid"]).sort();
    assertEquals(ids, ["id-1", "id-2", "id-3"]);
    const missing = await runSaker([
      ...["--enable-source=k8s_audit", "-r", scene.file("rules.yaml")],
      ...["-o", `plugins[]={name: k8saudit, open_params: ${directory}/none}`],
    ]);
    assertEquals(missing.code, 1);
    assert(/^Error: .*none.*no such file/m.test(missing.stderr), missing.stderr);
  },
});
