// Alerts to a topic of Kafka: each a record with its host as key, so that those of a host are in
// one partition, in order; many in one request. What is not answered is sent again just as it was,
// and the broker, which knows us and our numbers, has it once.
import type { KafkaLink, KafkaRecord } from "../../kafka/link.ts";
import type { KafkaOptions } from "../../kafka/options.ts";
import type { Message } from "../format/message.ts";
import { BEING_CLOSED, Ending } from "./ending.ts";
import { type Output, PartlyWritten } from "./output.ts";
import { toldBeside } from "./told_beside.ts";

/** `options` are asked for where a client is made: certificates are read anew. What they throw is
 * why there is none. */
export function kafkaOutput(options: () => KafkaOptions): Output {
  let making: Promise<KafkaLink> | undefined;
  let isStale = false;
  /** Sent, and not known to be in the topic. */
  let unknown: readonly KafkaRecord[] | undefined;
  const ending = new Ending();
  const drop = () => void making?.then((link) => link.drop(), () => {});
  const end = () => void making?.then((link) => link.close(), () => {});
  const clientOf = async (): Promise<KafkaLink> => {
    if (isStale) {
      // Another client would not know what this one has sent.
      if (unknown === undefined) {
        end();
        making = undefined;
      } else drop();
    }
    isStale = false;
    making ??= (async () => (await import("../../kafka/link.ts")).KafkaLink.make(options()))();
    try {
      return await making;
    } catch (error) {
      making = undefined;
      throw error;
    }
  };

  const writeAll = async (messages: readonly Message[], onMoved?: () => void): Promise<void> => {
    const all = messages.map(recordOf);
    let written = 0;
    let most = Infinity;
    let isAlone = false;
    try {
      const link = await ending.within(clientOf());
      await ending.within(link.ready());
      onMoved?.();
      while (written < all.length) {
        let records = all.slice(written, endOf(all, written, most));
        if (unknown !== undefined) {
          const again = all.slice(written, written + unknown.length);
          if (areSame(again, unknown)) records = again;
          else await link.forget();
        }
        unknown = records;
        try {
          await ending.within(link.send(records));
        } catch (error) {
          if ((error as Error).name !== "RecordsRefused") throw error;
          unknown = undefined;
          isAlone = records.length === 1;
          if (isAlone) throw error;
          // One of them is why: half as many, until it stands alone.
          most = Math.ceil(records.length / 2);
          continue;
        }
        unknown = undefined;
        most = Infinity;
        written += records.length;
        onMoved?.();
      }
    } catch (error) {
      // What is still under way there must not come behind what is sent next.
      if (!isAlone && !ending.isClosing) drop();
      throw new PartlyWritten(written, error, { refused: isAlone ? 1 : 0 });
    }
  };

  return {
    name: "kafka",
    async check(): Promise<void> {
      await (await clientOf()).look();
    },
    async write(messages: readonly Message[], onMoved?: () => void): Promise<void> {
      if (ending.isClosing) throw new PartlyWritten(0, new Error(BEING_CLOSED));
      await ending.write(writeAll(messages, onMoved));
    },
    reopen(): void {
      isStale = true;
    },
    close(): void {
      ending.close(end);
    },
  };
}

/** Of one request: a topic takes a million bytes by default, with what is said of each record. */
const REQUEST_BYTES_MAX = 900_000;
/** What a record has beside its value, at the most. */
const BESIDE_BYTES = 1_000;

/** So many from there on go in one request: of one key. */
function endOf(all: readonly KafkaRecord[], from: number, most: number): number {
  const { key } = all[from]!;
  let bytes = 0;
  let to = from;
  do bytes += all[to++]!.value.length + BESIDE_BYTES; while (
    to < all.length && to - from < most && all[to]!.key === key &&
    bytes + all[to]!.value.length + BESIDE_BYTES <= REQUEST_BYTES_MAX
  );
  return to;
}

function areSame(some: readonly KafkaRecord[], others: readonly KafkaRecord[]): boolean {
  return some.length === others.length &&
    some.every(({ headers }, at) => headers["Saker-Id"] === others[at]!.headers["Saker-Id"]);
}

function recordOf(message: Message): KafkaRecord {
  const { id, payload, headers } = toldBeside(message);
  return {
    key: message.hostname.toWellFormed(),
    value: payload,
    headers: Object.fromEntries([["Saker-Id", id], ...headers]),
  };
}
