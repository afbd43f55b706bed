// `saker install` and `saker uninstall`: the program, its configuration and a systemd unit below a
// root. What was installed is noted with its sum, so that a file that somebody changed since is
// neither written over nor removed. Every file is told.
import { createHash } from "node:crypto";
import { dirname, join } from "node:path";
import { defaultText } from "../../config/default_text.ts";
import { reasonOf } from "../../files/reason.ts";
import { systemdUnit } from "../print/systemd_unit.ts";
import type { Terminal } from "../terminal.ts";

export interface InstallFlags {
  /** Install below this directory; / by default. */
  readonly root?: string;
  /** Use /etc/falco/falco.yaml as it is. */
  readonly falco?: boolean;
}

const PROGRAM = "/usr/local/bin/saker";
const CONFIG = "/etc/saker/saker.yaml";
const FALCO_CONFIG = "/etc/falco/falco.yaml";
const UNIT = "/etc/systemd/system/saker.service";
/** What was installed: path and sum, one a line. */
const NOTED = "/var/lib/saker/installed";

interface InstalledFile {
  readonly path: string;
  readonly bytes: Uint8Array;
  readonly mode: number;
}

type Sums = Map<string, string>;

export function install(flags: InstallFlags, terminal: Terminal): number {
  const root = rootOf(flags);
  if (flags.falco === true) requireFile(join(root, FALCO_CONFIG));
  const config = flags.falco === true ? FALCO_CONFIG : CONFIG;
  const encoder = new TextEncoder();
  const unit = systemdUnit({ program: PROGRAM, config });
  const files: InstalledFile[] = [
    { path: PROGRAM, bytes: ownProgram(), mode: 0o755 },
    ...(flags.falco === true
      ? []
      : [{ path: CONFIG, bytes: encoder.encode(defaultText()), mode: 0o640 }]),
    { path: UNIT, bytes: encoder.encode(unit), mode: 0o644 },
  ];
  const sums = readSums(root);
  for (const file of files) {
    terminal.out(`${put(root, file, sums)}  ${join(root, file.path)}\n`);
  }
  writeSums(root, sums);
  terminal.out(
    root === "/" ? "Next: systemctl daemon-reload && systemctl enable --now saker\n" : "",
  );
  return 0;
}

export function uninstall(flags: InstallFlags, terminal: Terminal): number {
  const root = rootOf(flags);
  const sums = readSums(root);
  if (sums.size === 0) {
    terminal.out(`Nothing is noted as installed in ${join(root, NOTED)}\n`);
    return 0;
  }
  for (const [path, sum] of sums) {
    const place = join(root, path);
    const present = sumAt(place);
    if (present === undefined) terminal.out(`not there  ${place}\n`);
    else if (present !== sum) terminal.out(`kept, it was changed  ${place}\n`);
    else {
      Deno.removeSync(place);
      terminal.out(`removed  ${place}\n`);
    }
    removeEmpty(dirname(place));
  }
  Deno.removeSync(join(root, NOTED));
  removeEmpty(dirname(join(root, NOTED)));
  terminal.out(
    root === "/" ? "Next: systemctl disable --now saker; systemctl daemon-reload\n" : "",
  );
  return 0;
}

/** What became of the file. */
function put(root: string, { path, bytes, mode }: InstalledFile, sums: Sums): string {
  const place = join(root, path);
  const wanted = sumOf(bytes);
  const present = sumAt(place);
  if (present === wanted) {
    sums.set(path, wanted);
    return "unchanged";
  }
  if (present !== undefined && present !== sums.get(path)) return "kept, it was changed";
  try {
    Deno.mkdirSync(dirname(place), { recursive: true, mode: 0o755 });
    // Whole or not at all; a program that runs keeps the file that it began with.
    const next = `${place}.new`;
    Deno.writeFileSync(next, bytes, { mode });
    Deno.chmodSync(next, mode);
    Deno.renameSync(next, place);
  } catch (error) {
    throw new Error(`Cannot install ${place}: ${reasonOf(error)}`);
  }
  sums.set(path, wanted);
  return present === undefined ? "installed" : "replaced";
}

/** This program; a checkout that the runtime runs is none. */
function ownProgram(): Uint8Array {
  const path = Deno.execPath();
  if (!Deno.build.standalone) {
    throw new Error(`saker install needs the built program, and this is run by ${path}`);
  }
  return Deno.readFileSync(path);
}

function rootOf({ root = "/" }: InstallFlags): string {
  if (!root.startsWith("/")) throw new Error(`--root ${root}: expected an absolute directory`);
  return root;
}

function requireFile(path: string): void {
  try {
    if (Deno.statSync(path).isFile) return;
  } catch (error) {
    throw new Error(`--falco: Cannot use ${path}: ${reasonOf(error)}`);
  }
  throw new Error(`--falco: ${path} is no file`);
}

function sumOf(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

function sumAt(path: string): string | undefined {
  try {
    return sumOf(Deno.readFileSync(path));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw new Error(`Cannot read ${path}: ${reasonOf(error)}`);
  }
}

function readSums(root: string): Sums {
  let text = "";
  try {
    text = Deno.readTextFileSync(join(root, NOTED));
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) {
      throw new Error(`Cannot read ${join(root, NOTED)}: ${reasonOf(error)}`);
    }
  }
  const lines = text.split("\n").map((line) => /^([0-9a-f]{64}) {2}(\/.*)$/.exec(line));
  return new Map(lines.flatMap((parts) => parts === null ? [] : [[parts[2]!, parts[1]!]]));
}

function writeSums(root: string, sums: Sums): void {
  const place = join(root, NOTED);
  Deno.mkdirSync(dirname(place), { recursive: true, mode: 0o700 });
  const lines = [...sums].map(([path, sum]) => `${sum}  ${path}\n`);
  Deno.writeTextFileSync(place, lines.join(""), { mode: 0o600 });
}

/** Directories of saker's own only. */
function removeEmpty(directory: string): void {
  if (!directory.endsWith("/saker")) return;
  try {
    Deno.removeSync(directory);
  } catch {
    // Something else is in it.
  }
}
