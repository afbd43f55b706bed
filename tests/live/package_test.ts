// The packages as installed things: on a Debian with systemd the Debian package comes, is started,
// alerts, is upgraded over a configuration that somebody edited, and goes without leaving anything.
// Both packages are the same bytes when they are made twice.
import { assert, assertEquals, assertIncludes } from "./expect.ts";
import { Debian } from "./runtimes/debian.ts";
import { CannotRun } from "./runtimes/unpacked.ts";
import { type Alert, eventually } from "./saker.ts";
import { has, Place, run, shell } from "./trigger.ts";

const REPOSITORY = new URL("../..", import.meta.url).pathname;
const { version: VERSION } = JSON.parse(Deno.readTextFileSync(`${REPOSITORY}deno.json`));
const RULE = "Sensitive file read by an untrusted program";
const CONFIG = "/etc/saker/falco.yaml";

/** Makes packages there; their names. */
async function packages(directory: string, ...kinds: string[]): Promise<string[]> {
  const args = ["--fast", "--out", directory, ...kinds];
  const { code, stderr } = await run(`${REPOSITORY}scripts/package`, args);
  assertEquals([code, stderr], [0, ""]);
  return [...Deno.readDirSync(directory)].map(({ name }) => name).sort();
}

Deno.test("packages made twice of one commit are the same bytes, and their sums are told", {
  ignore: !has("xz") || !has("readelf"),
}, async () => {
  await using place = new Place();
  const [first, second] = [place.file("first"), place.file("second")];
  const names = await packages(first);
  assertEquals(names, [
    "SHA256SUMS",
    `saker-${VERSION}-x86_64.tar.xz`,
    `saker_${VERSION}_amd64.deb`,
  ]);
  assertEquals(await packages(second), names);
  const differ = await run("diff", ["--brief", first, second]);
  assertEquals([differ.code, differ.stdout], [0, ""]);
  const checked = await run("sha256sum", ["--check", "--quiet", "SHA256SUMS"], second);
  assertEquals([checked.code, checked.stdout, checked.stderr], [0, "", ""]);
});

Deno.test("the tarball is installed by copying", { ignore: !has("xz") }, async () => {
  await using place = new Place();
  await packages(place.path, "tar");
  const archive = place.file(`saker-${VERSION}-x86_64.tar.xz`);
  const work = place.file("unpacked");
  await Deno.mkdir(work);
  await shell(place.marker, 'tar -xJf "$1" -C "$2" --strip-components=1', [archive, work]);
  const install = await Deno.readTextFile(`${work}/INSTALL`);
  const root = place.file("root");
  await Deno.mkdir(root);
  const lines = install.split("\n").filter((line) => line.startsWith("    cp "));
  assertEquals(lines.length, 2);
  for (const line of lines) {
    await shell(place.marker, `cd "$1" && ${line.replace(/ \/$/, ' "$2"')}`, [work, root]);
  }
  const { code, stdout } = await run(`${root}/usr/bin/saker`, ["--version"]);
  assertEquals(code, 0);
  assertIncludes(stdout, `saker version: ${VERSION} `);
  // The configuration that it brings is sound, as far as its paths are those of a host.
  const config = (await Deno.readTextFile(root + CONFIG))
    .replaceAll(/\/(etc|usr)\/(?=s)/g, `${root}/$1/`);
  await Deno.writeTextFile(root + CONFIG, config);
  const dry = await run(`${root}/usr/bin/saker`, ["-c", root + CONFIG, "--dry-run"]);
  assertEquals([dry.code, /warning/i.test(dry.stderr)], [0, false], dry.stderr);
});

/** The Debian package of the version after, whose configuration differs from this one's. */
async function nextVersion(deb: string, place: Place): Promise<string> {
  const [work, next] = [place.file("next"), place.file("saker_next.deb")];
  await shell(
    place.marker,
    `dpkg-deb -R "$1" "$2" &&
sed -i 's/^Version: .*/&+next/' "$2/DEBIAN/control" &&
echo '# A default of the next version.' >>"$2/etc/saker/falco.yaml" &&
dpkg-deb -Znone --root-owner-group -b "$2" "$3" >&2`,
    [deb, work, next],
  );
  return next;
}

Deno.test("the Debian package is installed, started, alerts, is upgraded, removed, purged", {
  ignore: !has("xz") || !has("dpkg-deb"),
}, async (t) => {
  await using place = new Place();
  await packages(place.path, "deb");
  const first = place.file(`saker_${VERSION}_amd64.deb`);
  try {
    await using debian = await Debian.start(place);
    await life(debian, await debian.put(first), await debian.put(await nextVersion(first, place)), {
      place,
    });
  } catch (error) {
    if (!(error instanceof CannotRun)) throw error;
    await t.step({ name: `skipped: ${error.message}`, ignore: true, fn() {} });
  }
});

async function life(
  debian: Debian,
  deb: string,
  next: string,
  { place }: { readonly place: Place },
): Promise<void> {
  const before = await debian.names();
  await debian.must("dpkg", "-i", deb);
  assertEquals(await state(debian), "active enabled");
  assertEquals(await debian.must("dpkg", "--verify", "saker"), "");
  await alerted(debian, place.mark("inside"), (mark) => debian.run(...reading(mark)));
  // The kernel is the same: what the host does is seen too.
  await alerted(debian, place.mark("outside"), (mark) => run("/bin/sh", reading(mark).slice(1)));

  // An upgrade keeps what was edited, and the new program runs.
  await debian.must("sh", "-c", `echo 'append_output: [{extra_output: site=edited}]' >> ${CONFIG}`);
  const earlier = await processOf(debian);
  await debian.must("dpkg", "-i", "--force-confold", next);
  assertEquals(await state(debian), "active enabled");
  assert(await processOf(debian) !== earlier, "the earlier program still runs");
  assertIncludes(await debian.must("cat", CONFIG), "site=edited");
  assertEquals((await debian.must("dpkg-query", "-W", "saker")).endsWith("+next"), true);
  const alert = await alerted(
    debian,
    place.mark("upgraded"),
    (mark) => debian.run(...reading(mark)),
  );
  assertIncludes(alert.output, "site=edited");

  // What an administrator disabled stays so.
  await debian.must("systemctl", "disable", "--now", "saker");
  await debian.must("dpkg", "-i", "--force-confold", next);
  assertEquals(await state(debian), "inactive disabled");

  await debian.must("systemctl", "enable", "--now", "saker");
  await debian.must("sh", "-c", "echo '- list: own\n  items: [a]' > /etc/saker/rules.d/own.yaml");
  await debian.must("dpkg", "-r", "saker");
  assertIncludes(await state(debian), "inactive");
  assertIncludes(await debian.must("cat", CONFIG), "site=edited");
  // Removed is not purged: it comes back as it was.
  await debian.must("dpkg", "-i", "--force-confold", deb);
  assertEquals(await state(debian), "active enabled");
  assertIncludes(await debian.must("cat", CONFIG), "site=edited");
  await debian.must("dpkg", "-P", "saker");
  assertEquals(difference(before, await debian.names()), []);
}

/** A command that the default rules tell of, with a mark in its arguments. */
function reading(mark: string): string[] {
  return ["/bin/sh", "-c", "cat /etc/shadow >/dev/null; true", mark];
}

/** The alert of the service's journal that bears the mark, after something was done. */
async function alerted(
  debian: Debian,
  mark: string,
  act: (mark: string) => Promise<unknown>,
): Promise<Alert> {
  await act(mark);
  return await eventually(`the alert of ${mark}`, async () => {
    const told = await debian.must("journalctl", "-u", "saker", "-o", "cat", "--no-pager");
    return told.split("\n").filter((line) => line.startsWith("{") && line.includes(mark))
      .map((line) => JSON.parse(line) as Alert).find(({ rule }) => rule === RULE);
  });
}

async function state(debian: Debian): Promise<string> {
  const answers = [
    await debian.run("systemctl", "is-active", "saker"),
    await debian.run("systemctl", "is-enabled", "saker"),
  ];
  return answers.map(({ stdout }) => stdout.trim()).join(" ");
}

function processOf(debian: Debian): Promise<string> {
  return debian.must("systemctl", "show", "--property=MainPID", "--value", "saker");
}

function difference(before: readonly string[], after: readonly string[]): string[] {
  const [first, second] = [new Set(before), new Set(after)];
  return [
    ...before.filter((name) => !second.has(name)).map((name) => `-${name}`),
    ...after.filter((name) => !first.has(name)).map((name) => `+${name}`),
  ];
}
