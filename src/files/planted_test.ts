// Links in the way of a file that is written: whose they are decides.
import { rejects, strictEqual, throws } from "node:assert";
import { constants } from "node:fs";
import { openLineFile } from "./line_file.ts";
import { flagsAgainstLinks } from "./planted.ts";
import { DescriptorReserve } from "./reserve.ts";

const NOBODY = 65_534;

async function within(body: (directory: string) => void | Promise<void>): Promise<void> {
  const directory = Deno.makeTempDirSync();
  try {
    await body(directory);
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
}

Deno.test("a plain file, a new one and one's own link may be written", () =>
  within((directory) => {
    Deno.writeTextFileSync(`${directory}/a`, "");
    Deno.symlinkSync("a", `${directory}/own`);
    Deno.linkSync(`${directory}/a`, `${directory}/b`);
    Deno.chmodSync(directory, 0o755);
    strictEqual(flagsAgainstLinks(`${directory}/a`), constants.O_NOFOLLOW);
    strictEqual(flagsAgainstLinks(`${directory}/new`), constants.O_NOFOLLOW);
    strictEqual(flagsAgainstLinks(`${directory}/own`), 0);
  }));

Deno.test("a second name of a file is refused where others can write", () =>
  within((directory) => {
    Deno.writeTextFileSync(`${directory}/a`, "");
    Deno.linkSync(`${directory}/a`, `${directory}/b`);
    Deno.chmodSync(directory, 0o777);
    throws(() => flagsAgainstLinks(`${directory}/b`), /it has another name/);
  }));

Deno.test({
  name: "nothing is written through a link that another user has made",
  ignore: Deno.uid() !== 0,
  fn: () =>
    within(async (directory) => {
      const target = `${directory}/precious`;
      const path = `${directory}/alerts`;
      Deno.writeTextFileSync(target, "");
      Deno.symlinkSync(target, path);
      // The link itself, not what it leads to.
      const { success } = new Deno.Command("chown", { args: ["-h", `${NOBODY}`, path] })
        .outputSync();
      strictEqual(success, true);
      const reserve = new DescriptorReserve();
      await rejects(openLineFile(path, reserve), /a link that another user has made/);
      reserve.close();
      strictEqual(Deno.readTextFileSync(target), "");
    }),
});
