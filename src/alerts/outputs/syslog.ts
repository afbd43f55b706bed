// Alerts to syslog: to the host's own daemon as Falco does, or to a receiver elsewhere. A receiver
// of syslog confirms nothing: what it had not read when its connection broke is lost.
import type { Message } from "../format/message.ts";
import { type Output, PartlyWritten } from "./output.ts";
import {
  counted,
  DATAGRAM_BYTES_MAX,
  localFrame,
  remoteFrame,
  type SyslogNames,
} from "./syslog_frame.ts";
import {
  openSyslogLink,
  type SyslogAddress,
  type SyslogLink,
  type SyslogTls,
} from "./syslog_link.ts";

export interface SyslogOptions {
  readonly address: SyslogAddress;
  readonly names: SyslogNames;
  readonly tls: SyslogTls;
  /** A connection, and a frame that the other side does not take, are given up after so long. */
  readonly timeoutMs: number;
  readonly now: () => Date;
}

/** Of a frame on a stream. */
const STREAM_BYTES_MAX = 1 << 20;

export function syslogOutput({ address, names, tls, timeoutMs, now }: SyslogOptions): Output {
  let link: SyslogLink | undefined;
  const release = () => {
    link?.close();
    link = undefined;
  };
  const open = async () => {
    const opening = openSyslogLink(address, tls);
    try {
      return await within(timeoutMs, opening);
    } catch (error) {
      // One that comes after all is not wanted any more.
      opening.then((late) => late.close(), () => {});
      throw error;
    }
  };
  const frame = (message: Message) => {
    if (address.kind === "local") return localFrame(message, names, now());
    if (address.kind === "udp") return remoteFrame(message, names, DATAGRAM_BYTES_MAX);
    return counted(remoteFrame(message, names, STREAM_BYTES_MAX));
  };
  return {
    name: "syslog",
    async check(): Promise<void> {
      link ??= await open();
    },
    async write(messages: readonly Message[], onMoved?: () => void): Promise<void> {
      let sent = 0;
      try {
        link ??= await open();
        for (const bytes of messages.map(frame)) {
          await within(timeoutMs, link.send(bytes));
          sent++;
          onMoved?.();
        }
      } catch (error) {
        release();
        throw new PartlyWritten(sent, error);
      }
    },
    reopen: release,
    close: release,
  };
}

/** Rejects where the promise takes longer. */
async function within<T>(ms: number, promise: Promise<T>): Promise<T> {
  let timer: number | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
