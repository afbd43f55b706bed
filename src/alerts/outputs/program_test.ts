// Programs of the shell that read alerts: all arrive, one that dies is told and started again.
import { deepStrictEqual, match, rejects, strictEqual } from "node:assert";
import { eventually, messages, texts, within } from "./message_fixture.ts";
import type { PartlyWritten } from "./output.ts";
import { programOutput } from "./program.ts";

/** A program that was given all may end after the test that started it. */
function test(name: string, fn: () => void | Promise<void>): void {
  Deno.test({ name, fn, sanitizeOps: false, sanitizeResources: false });
}

test("program: one that is kept running gets all lines; SIGUSR1 starts it anew", () =>
  within(async (directory) => {
    const output = programOutput({
      command: `cat >> ${directory}/out; echo . >> ${directory}/ends`,
      keepAlive: true,
    });
    await output.write(messages(0, 500));
    output.reopen();
    await output.write(messages(500, 600));
    output.close();
    const lines = await eventually(() => {
      const ends = Deno.readTextFileSync(`${directory}/ends`).length;
      return ends === 4 ? Deno.readTextFileSync(`${directory}/out`).split("\n") : undefined;
    });
    deepStrictEqual(new Set(lines.slice(0, -1)), new Set(texts(0, 600)));
    strictEqual(lines.length, 601);
  }));

test("program: started for each alert, which it gets whole and alone", () =>
  within(async (directory) => {
    const command = `cat > ${directory}/$$ && ls ${directory} | wc -l >> ${directory}/count`;
    const output = programOutput({ command, keepAlive: false });
    const odd = { ...messages(0, 1)[0]!, text: "'; touch x; $(touch y) `touch z` \"" };
    await output.write([...messages(0, 3), odd]);
    output.close();
    const found = [...Deno.readDirSync(directory)].filter(({ name }) => /^\d+$/.test(name))
      .map(({ name }) => Deno.readTextFileSync(`${directory}/${name}`));
    deepStrictEqual(new Set(found), new Set([...texts(0, 3), odd.text].map((one) => `${one}\n`)));
  }));

test("program: to read no input is no failure, not to be there is", async () => {
  await programOutput({ command: "true", keepAlive: false }).write(messages(0, 2));
  const none = { command: "/nowhere/program 2> /dev/null", keepAlive: false };
  await rejects(programOutput(none).write(messages(0, 2)), /the shell cannot start the program/);
  const kept = programOutput({ ...none, keepAlive: true });
  await rejects(kept.write(messages(0, 2)), (error: PartlyWritten) => {
    match(error.message, /the program has ended with 127/);
    return error.written === 0;
  });
});

test("program: one that dies is told, and started again", () =>
  within(async (directory) => {
    const command = `read line; echo "$line" >> ${directory}/out; sleep 0.3`;
    const output = programOutput({ command, keepAlive: true });
    await output.write(messages(0, 1));
    await eventually(async () => {
      try {
        await output.write(messages(1, 2));
      } catch (error) {
        return (error as Error).message.includes("the program has ended with 0") || undefined;
      }
    });
    await output.write(messages(2, 3));
    output.close();
    const lines = await eventually(() => {
      const lines = Deno.readTextFileSync(`${directory}/out`).split("\n");
      return lines.includes(texts(2, 3)[0]!) ? lines : undefined;
    });
    strictEqual(lines[0], texts(0, 1)[0]);
    await new Promise((resolve) => setTimeout(resolve, 400));
  }));
