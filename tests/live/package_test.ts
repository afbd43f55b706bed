// The packages as installed things: on a Debian with systemd the Debian package comes, is started,
// alerts, is upgraded over a configuration that somebody edited, and goes without leaving anything;
// so does the RPM, by rpm. All packages are the same bytes when they are made twice.
import { assertEquals, assertIncludes } from "./expect.ts";
import {
  alerted,
  CONFIG,
  difference,
  NEXT,
  nextExecutable,
  noRpm,
  onDebian,
  packages,
  reading,
  runs,
  state,
  VERSION,
} from "./packages.ts";
import type { Debian } from "./runtimes/debian.ts";
import { SAKER } from "./saker.ts";
import { has, Place, run, shell } from "./trigger.ts";

const INSTALL = new URL("../../scripts/packages/install.sh", import.meta.url).pathname;
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

/** The next version's Debian package, whose configuration differs from this one's too. */
async function nextVersion(place: Place): Promise<string> {
  const executable = await nextExecutable(place);
  const made = await packages(place, ["deb"], { directory: "next", executable });
  const [work, next] = [place.file("unpacked"), place.file("saker_next.deb")];
  await shell(
    place.marker,
    `dpkg-deb -R "$1" "$2" &&
echo '# A default of the next version.' >>"$2/etc/saker/falco.yaml" &&
dpkg-deb -Znone --root-owner-group -b "$2" "$3" >&2`,
    [`${made}/saker_${NEXT}_amd64.deb`, work, next],
  );
  return next;
}

Deno.test("the Debian package is installed, started, alerts, is upgraded, removed, purged", {
  ignore: !has("xz") || !has("dpkg-deb"),
}, async (t) => {
  const make = async (place: Place) => ({
    first: `${await packages(place, ["deb"])}/${DEB}`,
    next: await nextVersion(place),
  });
  await onDebian(t, make, async (debian, place, { first, next }) => {
    await life(debian, await debian.put(first), await debian.put(next), { place });
  });
});

Deno.test("the RPM is installed, alerts, is upgraded and removed", {
  ignore: noRpm() !== undefined || !has("readelf"),
}, async (t) => {
  const make = async (place: Place) => {
    const executable = await nextExecutable(place);
    await packages(place, ["rpm"], { executable });
    return { executable, made: await packages(place, ["rpm"]) };
  };
  await onDebian(t, make, async (debian, place, { executable, made }) => {
    const [first, next] = [
      await debian.put(`${made}/${RPM}`),
      await debian.put(`${made}/${RPM.replace(VERSION, NEXT)}`),
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
    await runs(debian, SAKER, VERSION);
    await refusesTarball(debian, "an RPM: remove it first (rpm -e saker)");

    await debian.must(
      "sh",
      "-c",
      `echo 'append_output: [{extra_output: site=edited}]' >> ${CONFIG}`,
    );
    await rpm("--upgrade", "--nodeps", next);
    assertIncludes(await rpm("--query", "saker"), `saker-${NEXT}-1`);
    assertEquals(await state(debian), "active enabled");
    await runs(debian, executable, NEXT);
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

/** Files of a package are its manager's: the tarball's script leaves them alone. */
async function refusesTarball(debian: Debian, why: string): Promise<void> {
  const { code, stderr } = await debian.run("sh", await debian.put(INSTALL));
  assertEquals([code, stderr], [1, `saker: saker is installed here as ${why}\n`]);
}

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
  await runs(debian, SAKER, VERSION);
  await refusesTarball(debian, "a Debian package: remove it first (dpkg -r saker)");
  await alerted(debian, place.mark("inside"), (mark) => debian.run(...reading(mark)));
  // The kernel is the same: what the host does is seen too.
  await alerted(debian, place.mark("outside"), (mark) => run("/bin/sh", reading(mark).slice(1)));

  // An upgrade keeps what was edited, and the new program runs.
  await debian.must("sh", "-c", `echo 'append_output: [{extra_output: site=edited}]' >> ${CONFIG}`);
  await debian.must("dpkg", "-i", "--force-confold", next);
  assertEquals(await state(debian), "active enabled");
  await runs(debian, place.file("next_saker"), NEXT);
  assertIncludes(await debian.must("cat", CONFIG), "site=edited");
  assertEquals(await debian.must("dpkg-query", "-W", "saker"), `saker\t${NEXT}`);
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
