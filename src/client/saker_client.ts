// A running saker, asked over HTTP: paths come in, its answers and its stream of alerts go out.
// What can go wrong is of two kinds: nobody answers (it may come back), or it answers and refuses.
import { type ServerEvent, ServerEvents } from "./server_events.ts";

export interface Place {
  /** Such as `http://127.0.0.1:8765`. */
  readonly url: string;
  readonly token?: string;
  /** PEM, besides those that this machine trusts. */
  readonly caCerts: readonly string[];
}

/** Nobody answers there, or not in time. */
export class NoAnswer extends Error {
  override readonly name = "NoAnswer";
}

/** It answers, but not with what was asked for. */
export class Refusal extends Error {
  override readonly name = "Refusal";
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

const ANSWER_MS = 10_000;
/** The stream has a sign of life every 15 seconds. */
const SILENT_MS = 40_000;
const ANSWER_CHARS_MAX = 64 << 20;

export class SakerClient {
  readonly url: string;
  readonly #token: string | undefined;
  readonly #client: Deno.HttpClient;

  constructor({ url, token, caCerts }: Place) {
    this.url = url;
    this.#token = token;
    this.#client = Deno.createHttpClient({ caCerts: [...caCerts] });
  }

  /** The text of an answer. Throws NoAnswer or Refusal. */
  async text(path: string, method: "GET" | "POST" = "GET"): Promise<string> {
    const signal = AbortSignal.timeout(ANSWER_MS);
    const answer = await this.#ask(path, {}, signal, method);
    try {
      let text = "";
      for await (const piece of answer.body!.pipeThrough(new TextDecoderStream())) {
        text += piece;
        if (text.length > ANSWER_CHARS_MAX) throw new Error("its answer has no end");
      }
      return text;
    } catch (error) {
      throw new NoAnswer(reasonIn(error), { cause: error });
    }
  }

  /** The same of JSON. */
  async json(path: string): Promise<unknown> {
    return this.#jsonOf(path, await this.text(path));
  }

  /** The same of what is done there. */
  async post(path: string): Promise<unknown> {
    return this.#jsonOf(path, await this.text(path, "POST"));
  }

  #jsonOf(path: string, text: string): unknown {
    try {
      return JSON.parse(text);
    } catch {
      throw new Refusal(200, `what answers at ${this.url} is no saker: ${path} is no JSON`);
    }
  }

  /**
   * Opens a stream of server-sent events, which ends by NoAnswer: the server closed it, or is
   * silent for too long. `after`: the last event of an earlier one.
   */
  async follow(
    path: string,
    { after, stop }: { readonly after?: string | undefined; readonly stop: AbortSignal },
  ): Promise<AsyncGenerator<ServerEvent, never>> {
    const silence = new AbortController();
    let timer = setTimeout(() => silence.abort(), ANSWER_MS);
    const signal = AbortSignal.any([stop, silence.signal]);
    const headers = after === undefined ? {} : { "last-event-id": after };
    let answer: Response;
    try {
      answer = await this.#ask(path, { ...headers, accept: "text/event-stream" }, signal);
    } finally {
      clearTimeout(timer);
    }
    const alive = () => {
      clearTimeout(timer);
      timer = setTimeout(() => silence.abort(), SILENT_MS);
    };
    return eventsOf(answer, alive, () => clearTimeout(timer));
  }

  close(): void {
    this.#client.close();
  }

  async #ask(
    path: string,
    headers: Readonly<Record<string, string>>,
    signal: AbortSignal,
    method: "GET" | "POST" = "GET",
  ): Promise<Response> {
    const token = this.#token;
    const authorization = token === undefined ? {} : { authorization: `Bearer ${token}` };
    let answer: Response;
    try {
      answer = await fetch(this.url + path, {
        method,
        headers: { ...headers, ...authorization },
        redirect: "manual",
        signal,
        client: this.#client,
      });
    } catch (error) {
      throw new NoAnswer(reasonIn(error), { cause: error });
    }
    if (answer.status === 200) return answer;
    throw new Refusal(answer.status, await refusalIn(answer, this.url + path));
  }
}

async function* eventsOf(
  answer: Response,
  alive: () => void,
  done: () => void,
): AsyncGenerator<ServerEvent, never> {
  const events = new ServerEvents();
  try {
    alive();
    for await (const piece of answer.body!.pipeThrough(new TextDecoderStream())) {
      alive();
      yield* events.take(piece);
    }
  } catch (error) {
    throw new NoAnswer(reasonIn(error), { cause: error });
  } finally {
    done();
  }
  throw new NoAnswer("it closed the stream");
}

/** Characters of an error that is told. */
const ERROR_CHARS_MAX = 300;

/** What a server says of why: saker's is JSON with `error`. */
async function refusalIn(answer: Response, url: string): Promise<string> {
  const text = await answer.text().catch(() => "");
  try {
    const { error } = JSON.parse(text) as { error?: unknown };
    if (typeof error === "string") return error.slice(0, ERROR_CHARS_MAX);
  } catch {
    // Some other server's page.
  }
  return `${url} answers with status ${answer.status}: this is no saker, or an older one`;
}

/** The runtime puts the reason behind what it was doing. */
function reasonIn(error: unknown): string {
  const name = (error as Error | undefined)?.name;
  if (name === "TimeoutError" || name === "AbortError") return "it does not answer in time";
  const message = error instanceof Error ? error.message : String(error);
  const reason = message.split("\n", 1)[0]!
    .replace(/^.*client error \(\w+\): /, "")
    .replace(/^.*(?:tcp connect error|dns error): /, "")
    .replace(/ ?\(os error \d+\)/, "");
  if (reason.includes("UnknownIssuer")) {
    return "its certificate is of an authority that is not trusted here (--ca-file)";
  }
  if (reason.includes("NotValidForName")) return "its certificate is for another name";
  return /^[A-Z][a-z]/.test(reason) ? reason[0]!.toLowerCase() + reason.slice(1) : reason;
}
