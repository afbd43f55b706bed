// Alerts appended to a file, one line each. Without `keepAlive` the file is opened for every
// batch, so that a rotated file is left alone; with it, `reopen` does that.
import type { Alert } from "../../engine/contract/alert.ts";
import { formatAlert, type FormatOptions } from "../format.ts";
import type { Output } from "./output.ts";

export interface FileOptions {
  readonly path: string;
  readonly keepAlive: boolean;
}

const encoder = new TextEncoder();

export function fileOutput({ path, keepAlive }: FileOptions, format: FormatOptions): Output {
  let held: Deno.FsFile | undefined;
  const release = () => {
    held?.close();
    held = undefined;
  };
  return {
    name: "file",
    async write(alerts: readonly Alert[]): Promise<void> {
      const text = alerts.map((alert) => formatAlert(alert, format) + "\n").join("");
      const file = held ?? await Deno.open(path, { append: true, create: true, mode: 0o600 });
      if (keepAlive) held = file;
      try {
        let bytes = encoder.encode(text);
        while (bytes.length > 0) bytes = bytes.subarray(await file.write(bytes));
      } finally {
        if (!keepAlive) file.close();
      }
    },
    reopen: release,
    close: release,
  };
}
