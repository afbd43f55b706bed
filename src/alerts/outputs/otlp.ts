// Alerts as OpenTelemetry logs to a server of OTLP, many in a request, in order, over a connection
// that is kept. What the server answers decides, as the protocol's specification has it: taken,
// taken but for so many, to be sent again, or refused; then halves are sent until the one alert is
// known that is refused. What is loaded for it is loaded when the first alert goes there.
import type { Message } from "../format/message.ts";
import { BEING_CLOSED, Ending } from "./ending.ts";
import { type Output, PartlyWritten } from "./output.ts";

export interface OtlpAnswer {
  /** `again`: what is amiss heals although the alerts stay as they are. */
  readonly fate: "taken" | "again" | "refused";
  /** Of those that were taken, so many were not. */
  readonly rejected: number;
  readonly why: string;
  /** The server asks to be left alone for so long. */
  readonly againMs: number;
}

/** One way of the protocol, with its connection. */
export interface OtlpWay {
  /** All in one request; rejects where there is no answer. */
  send(messages: readonly Message[], signal: AbortSignal): Promise<OtlpAnswer>;
  close(): void;
}

export interface OtlpOptions {
  /** Reads what files there are, and connects when something is sent. */
  readonly open: () => Promise<OtlpWay>;
  /** Of one request. */
  readonly timeoutMs: number;
}

/** Alerts of one request. */
const ALERTS_MAX = 256;
/** Characters of their lines: collectors take messages of 4 MB by gRPC, unless told otherwise. */
const LINES_MAX = 1 << 20;

export function otlpOutput({ open, timeoutMs }: OtlpOptions): Output {
  let opened: Promise<OtlpWay> | undefined;
  let alertsMax = ALERTS_MAX;
  const ending = new Ending();
  let isStale = false;

  const drop = () => {
    opened?.then((way) => way.close(), () => {});
    opened = undefined;
  };
  const send = async (messages: readonly Message[]): Promise<OtlpAnswer> => {
    if (isStale) drop();
    isStale = false;
    opened ??= open();
    const mine = opened;
    mine.catch(() => {
      if (opened === mine) opened = undefined;
    });
    const way = await mine;
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(), timeoutMs);
    try {
      return await way.send(messages, AbortSignal.any([late.signal, ending.signal]));
    } catch (error) {
      if (late.signal.aborted) throw new Error(`no answer within ${timeoutMs} ms`);
      throw error;
    } finally {
      clearTimeout(timer);
    }
  };
  const writeAll = async (messages: readonly Message[], onMoved?: () => void): Promise<void> => {
    let written = 0;
    while (written < messages.length) {
      if (ending.isClosing) throw new PartlyWritten(written, new Error(BEING_CLOSED));
      const part = partOf(messages, written, alertsMax);
      let answer: OtlpAnswer;
      try {
        answer = await send(part);
      } catch (error) {
        throw new PartlyWritten(written, error);
      }
      onMoved?.();
      const { fate, why, againMs } = answer;
      if (fate === "again") throw new PartlyWritten(written, new Error(why), { againMs });
      if (fate === "refused") {
        if (part.length === 1) throw new PartlyWritten(written, new Error(why), { refused: 1 });
        alertsMax = Math.ceil(part.length / 2);
        continue;
      }
      alertsMax = Math.min(ALERTS_MAX, alertsMax * 2);
      const refused = Math.min(Math.max(answer.rejected, 0), part.length);
      written += part.length - refused;
      if (refused > 0) {
        const told = `the server rejects ${refused} of ${part.length}${why && `: ${why}`}`;
        throw new PartlyWritten(written, new Error(told), { refused });
      }
    }
  };
  return {
    name: "otlp",
    /** A request without alerts says whether the server is there and who we are to it. */
    async check(): Promise<void> {
      try {
        const { fate, why } = await send([]);
        if (fate === "again") throw new Error(why);
      } catch (error) {
        if (!ending.isClosing) throw error;
      }
    },
    async write(messages: readonly Message[], onMoved?: () => void): Promise<void> {
      await ending.write(writeAll(messages, onMoved));
    },
    reopen(): void {
      isStale = true;
    },
    close(): void {
      ending.close(drop);
    },
  };
}

/** From there on, so many at the most and not too large together; one in any case. */
function partOf(messages: readonly Message[], from: number, most: number): readonly Message[] {
  let to = from;
  let size = 0;
  while (to < messages.length && to - from < most) {
    size += messages[to]!.text.length;
    if (to > from && size > LINES_MAX) break;
    to++;
  }
  return messages.slice(from, to);
}
