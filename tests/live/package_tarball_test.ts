// The tarball on a Debian with systemd, by the lines of its INSTALL alone: installed, upgraded over
// a configuration that somebody edited, removed, purged. And what its script refuses.
import { assertEquals, assertIncludes } from "./expect.ts";
import {
  alerted,
  CONFIG,
  difference,
  NEXT,
  nextExecutable,
  onDebian,
  packages,
  reading,
  runs,
  state,
  VERSION,
} from "./packages.ts";
import type { Debian } from "./runtimes/debian.ts";
import { SAKER } from "./saker.ts";
import { has, isFile, Place, run, shell } from "./trigger.ts";

const DROPPED = "/usr/share/saker/rules/of_the_first.yaml";

/** The tarball of an executable without xz, which the machine has not; its file. */
async function tarball(place: Place, version: string, executable: string): Promise<string> {
  const made = await packages(place, ["tar"], { directory: version, executable });
  const [packed, plain] = [`saker-${version}-x86_64.tar.xz`, place.file(`saker-${version}.tar`)];
  await shell(place.marker, 'xz -dc "$1" >"$2"', [`${made}/${packed}`, plain]);
  return plain;
}

/** Unpacks it on the machine; where it lies there. */
async function unpacked(debian: Debian, plain: string): Promise<string> {
  const there = await debian.put(plain);
  await debian.must("tar", "-C", "/root", "-xf", there);
  return there.replace(/\.tar$/, "");
}

Deno.test("the tarball is installed, alerts, is upgraded, removed, purged as its INSTALL says", {
  ignore: !has("xz") || !has("readelf"),
}, async (t) => {
  const make = async (place: Place) => {
    const executable = await nextExecutable(place);
    return {
      executable,
      firstTar: await tarball(place, VERSION, SAKER),
      nextTar: await tarball(place, NEXT, executable),
    };
  };
  await onDebian(t, make, async (debian, place, { executable, firstTar, nextTar }) => {
    const [first, next] = [await unpacked(debian, firstTar), await unpacked(debian, nextTar)];
    // A rule that the next version no longer has, and a default that it has anew.
    await debian.must("sh", "-c", `echo '[]' >${first}${DROPPED}`);
    await debian.must("sh", "-c", `echo '# A default of the next.' >>${next}${CONFIG}`);
    const lines = (await debian.must("cat", `${first}/INSTALL`)).split("\n")
      .filter((line) => line.startsWith("    ")).map((line) => line.trim());
    assertEquals(lines.length, 3);
    const [install, remove, purge] = lines as [string, string, string];
    const act = (line: string, from = "/") => debian.must("sh", "-c", `cd ${from} && ${line}`);

    const before = await debian.names();
    await act(install, first);
    assertEquals(await state(debian), "active enabled");
    await runs(debian, SAKER, VERSION);
    await alerted(debian, place.mark("first"), (mark) => debian.run(...reading(mark)));
    await debian.must("test", "-e", DROPPED);

    const edit = `echo 'append_output: [{extra_output: site=edited}]' >>${CONFIG}`;
    await debian.must("sh", "-c", edit);
    const told = await debian.run("sh", "-c", `cd ${next} && ${install}`);
    assertEquals(told.code, 0);
    assertIncludes(told.stderr, `${CONFIG} was edited and stays`);
    assertEquals(await state(debian), "active enabled");
    await runs(debian, executable, NEXT);
    const alert = await alerted(debian, place.mark("next"), (mark) => debian.run(...reading(mark)));
    assertIncludes(alert.output, "site=edited");
    assertIncludes(await debian.must("cat", `${CONFIG}.new`), "# A default of the next.");
    assertEquals((await debian.run("test", "-e", DROPPED)).code, 1);

    // What an administrator disabled stays so.
    await debian.must("systemctl", "disable", "--now", "saker");
    await act(install, next);
    assertEquals(await state(debian), "inactive disabled");

    await debian.must("systemctl", "enable", "--now", "saker");
    await act(remove);
    assertIncludes(await state(debian), "inactive");
    const left = difference(before, await debian.names()).map((line) => line.split(" ")[0]!);
    assertEquals(left.filter((name) => !/^.\/(etc|var\/lib)\/saker(\/|$)/.test(name)), []);
    // Removed is not purged: it comes back as it was.
    await act(install, next);
    assertEquals(await state(debian), "active enabled");
    assertIncludes(await debian.must("cat", CONFIG), "site=edited");
    await act(purge);
    assertEquals(difference(before, await debian.names()), []);
  });
});

Deno.test("the tarball is installed below a directory, its configuration is sound there", {
  ignore: !has("xz") || !has("readelf"),
}, async () => {
  await using place = new Place();
  const archive = `${await packages(place, ["tar"])}/saker-${VERSION}-x86_64.tar.xz`;
  const [work, root] = [place.file("unpacked"), place.file("root")];
  await Deno.mkdir(work);
  await shell(place.marker, 'tar -xJf "$1" -C "$2" --strip-components=1', [archive, work]);
  const install = (...args: readonly string[]) =>
    run("env", [`DESTDIR=${root}`, `${work}/install.sh`, ...args]);
  assertEquals((await install()).code, 0);
  const { code, stdout } = await run(`${root}/usr/bin/saker`, ["--version"]);
  assertEquals(code, 0);
  assertIncludes(stdout, `saker version: ${VERSION} `);
  const config = (await Deno.readTextFile(root + CONFIG))
    .replaceAll(/\/(etc|usr)\/(?=s)/g, `${root}/$1/`);
  await Deno.writeTextFile(root + CONFIG, config);
  const dry = await run(`${root}/usr/bin/saker`, ["-c", root + CONFIG, "--dry-run"]);
  assertEquals([dry.code, /warning/i.test(dry.stderr)], [0, false], dry.stderr);

  const unknown = await install("delete");
  assertEquals([unknown.code, unknown.stderr], [
    ...[1, 'saker: unknown argument "delete": expected install, remove or purge\n'],
  ]);
  assertEquals((await install("purge")).code, 0);
  assertEquals(isFile(`${root}/usr/bin/saker`) || isFile(root + CONFIG), false);
});
