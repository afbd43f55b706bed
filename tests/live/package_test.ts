// The packages as installed things: on a Debian with systemd the Debian package comes, is started,
// alerts, is upgraded over a configuration that somebody edited, and goes without leaving anything;
// so does the RPM, by rpm. All packages are the same bytes when they are made twice.
import { assert, assertEquals, assertIncludes } from "./expect.ts";
import {
  alerted,
  CONFIG,
  difference,
  noRpm,
  packages,
  processOf,
  reading,
  state,
  VERSION,
} from "./packages.ts";
import { Debian } from "./runtimes/debian.ts";
import { CannotRun } from "./runtimes/unpacked.ts";
import { has, Place, run, shell } from "./trigger.ts";

const [DEB, RPM] = [`saker_${VERSION}_amd64.deb`, `saker-${VERSION}-1.x86_64.rpm`];

Deno.test("packages made twice of one commit are the same bytes, and their sums are told", {
  ignore: !has("xz") || !has("readelf") || !has("dpkg"),
}, async () => {
  await using place = new Place();
  const kinds = [
    "deb",
    "tar",
    "image",
    "helm",
    "manifests",
    ...(noRpm() === undefined ? ["rpm"] : []),
  ];
  const [first, second] = [
    await packages(place, kinds, { directory: "first" }),
    await packages(place, kinds, { directory: "second" }),
  ];
  const names = [...Deno.readDirSync(first)].map(({ name }) => name).sort();
  assertEquals(names, [
    "SHA256SUMS",
    ...(noRpm() === undefined ? [RPM] : []),
    `saker-${VERSION}-image.tar`,
    `saker-${VERSION}-x86_64.tar.xz`,
    `saker-chart-${VERSION}.tgz`,
    `saker-manifests-${VERSION}.tgz`,
    DEB,
  ]);
  const differ = await run("diff", ["--brief", first, second]);
  assertEquals([differ.code, differ.stdout], [0, ""]);
  const checked = await run("sha256sum", ["--check", "--quiet", "SHA256SUMS"], second);
  assertEquals([checked.code, checked.stdout, checked.stderr], [0, "", ""]);
});

Deno.test("the tarball is installed by copying", { ignore: !has("xz") }, async () => {
  await using place = new Place();
  const archive = `${await packages(place, ["tar"])}/saker-${VERSION}-x86_64.tar.xz`;
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

/** Runs it on a machine, where there can be one. */
async function onDebian(
  t: Deno.TestContext,
  act: (debian: Debian, place: Place) => Promise<void>,
): Promise<void> {
  await using place = new Place();
  try {
    await using debian = await Debian.start(place);
    await act(debian, place);
  } catch (error) {
    if (!(error instanceof CannotRun)) throw error;
    await t.step({ name: `skipped: ${error.message}`, ignore: true, fn() {} });
  }
}

Deno.test("the Debian package is installed, started, alerts, is upgraded, removed, purged", {
  ignore: !has("xz") || !has("dpkg-deb"),
}, async (t) => {
  await onDebian(t, async (debian, place) => {
    const first = `${await packages(place, ["deb"])}/${DEB}`;
    await life(debian, await debian.put(first), await debian.put(await nextVersion(first, place)), {
      place,
    });
  });
});

Deno.test("the RPM is installed, alerts, is upgraded and removed", {
  ignore: noRpm() !== undefined || !has("readelf"),
}, async (t) => {
  await onDebian(t, async (debian, place) => {
    const made = await packages(place, ["rpm"]);
    await packages(place, ["rpm"], { release: 2 });
    const [first, next] = [
      await debian.put(`${made}/${RPM}`),
      await debian.put(`${made}/${RPM.replace("-1.x86", "-2.x86")}`),
    ];
    // What it asks for is Debian's own here, of which rpm knows nothing.
    const rpm = (...args: readonly string[]) => debian.must("rpm", ...args);
    await rpm("--query", "--all");
    const before = await debian.names();
    await rpm("--install", "--nodeps", first);
    // Debian's presets enable what is new; rpm starts nothing.
    assertEquals(await state(debian), "inactive enabled");
    await debian.must("systemctl", "start", "saker");
    await alerted(debian, place.mark("rpm"), (mark) => debian.run(...reading(mark)));
    assertEquals(await rpm("--verify", "--nodeps", "saker"), "");

    await debian.must(
      "sh",
      "-c",
      `echo 'append_output: [{extra_output: site=edited}]' >> ${CONFIG}`,
    );
    const earlier = await processOf(debian);
    await rpm("--upgrade", "--nodeps", next);
    assertIncludes(await rpm("--query", "saker"), `saker-${VERSION}-2`);
    assertEquals(await state(debian), "active enabled");
    assert(await processOf(debian) !== earlier, "the earlier program still runs");
    const alert = await alerted(debian, place.mark("next"), (mark) => debian.run(...reading(mark)));
    assertIncludes(alert.output, "site=edited");

    await rpm("--erase", "saker");
    assertIncludes(await state(debian), "inactive");
    const left = difference(before, await debian.names())
      .filter((name) => !/^.\/var\/(lib\/(rpm|saker)|log\/journal)/.test(name));
    // An edited configuration is an administrator's.
    assertEquals(left.map((line) => line.split(" ")[0]), [
      ...["+/etc/saker", "+/etc/saker/falco.yaml.rpmsave"],
    ]);
  });
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
