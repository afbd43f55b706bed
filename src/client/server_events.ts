// Server-sent events as they stand in a stream of text: pieces of any length come in, whole events
// go out. Comments are signs of life and no events.

export interface ServerEvent {
  /** `message` where it has no name. */
  readonly name: string;
  /** The last one so far; "" before the first. */
  readonly id: string;
  readonly data: string;
}

/** Characters of one event: an alert has some thousand. */
const EVENT_CHARS_MAX = 16 << 20;

export class ServerEvents {
  #rest = "";
  #id = "";
  #name = "";
  #data: string[] = [];
  #chars = 0;

  /** Throws where an event is longer than anything that saker sends. */
  take(piece: string): ServerEvent[] {
    const events: ServerEvent[] = [];
    const lines = (this.#rest + piece).split("\n");
    this.#rest = lines.pop()!;
    for (const line of lines) {
      const event = this.#line(line.endsWith("\r") ? line.slice(0, -1) : line);
      if (event !== undefined) events.push(event);
    }
    if (this.#chars + this.#rest.length > EVENT_CHARS_MAX) {
      throw new Error(`an event has more than ${EVENT_CHARS_MAX >> 20} million characters`);
    }
    return events;
  }

  #line(line: string): ServerEvent | undefined {
    if (line === "") return this.#end();
    const at = line.indexOf(":");
    const field = at < 0 ? line : line.slice(0, at);
    const value = at < 0 ? "" : line.slice(at + (line[at + 1] === " " ? 2 : 1));
    if (field === "data") {
      this.#data.push(value);
      this.#chars += value.length;
    } else if (field === "event") this.#name = value;
    else if (field === "id" && !value.includes("\0")) this.#id = value;
    return undefined;
  }

  /** Without data it is no event, whatever its name. */
  #end(): ServerEvent | undefined {
    const [data, name] = [this.#data, this.#name];
    this.#data = [];
    this.#name = "";
    this.#chars = 0;
    if (data.length === 0) return undefined;
    return { name: name || "message", id: this.#id, data: data.join("\n") };
  }
}
