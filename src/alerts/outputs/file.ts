// Alerts appended to a file, one line each. Without `keepAlive` the file is opened for every
// batch, so that a rotated file is left alone; with it, `reopen` does that. May rotate it itself.
import { type LineFile, openLineFile } from "../../files/line_file.ts";
import { reachable } from "../../engine/host/named_file.ts";
import { DescriptorReserve } from "../../files/reserve.ts";
import type { Message } from "../format/message.ts";
import { LineWriter } from "./lines.ts";
import type { Output } from "./output.ts";
import { rotate, type Rotation } from "./rotation.ts";

export interface FileOptions {
  readonly path: string;
  readonly keepAlive: boolean;
  readonly rotation?: Rotation;
}

export function fileOutput({ path, keepAlive, rotation }: FileOptions): Output {
  const lines = new LineWriter();
  const reserve = new DescriptorReserve();
  let held: LineFile | undefined;
  const release = () => {
    held?.close();
    held = undefined;
  };
  const openNamed = async () => {
    // Anew each time: the name may have come to be another file's.
    const file = reachable(path);
    try {
      return await openLineFile(file.path, reserve);
    } finally {
      file.release();
    }
  };
  const open = async () => {
    const file = await openNamed();
    if (file.endsMidLine !== undefined) lines.startAt(file.endsMidLine);
    return file;
  };
  return {
    name: "file",
    async check(): Promise<void> {
      (await openNamed()).close();
    },
    async write(messages: readonly Message[]): Promise<void> {
      if (rotation !== undefined && await rotate(path, rotation, bytesOf(messages))) release();
      const file = held ?? await open();
      if (keepAlive) held = file;
      try {
        await lines.write(messages.map(({ text }) => `${text}\n`), file);
        if (!keepAlive) file.close();
      } catch (error) {
        // Such as a pipe whose reader has gone: the next write finds another, or is told again.
        file.close();
        if (held === file) held = undefined;
        throw error;
      }
    },
    reopen(): void {
      release();
      lines.startAt(false);
    },
    close(): void {
      release();
      reserve.close();
    },
  };
}

/** About: what is not ASCII takes more. */
function bytesOf(messages: readonly Message[]): number {
  return messages.reduce((sum, { text }) => sum + text.length + 1, 0);
}
