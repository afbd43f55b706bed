// Who acted in an alert, by fields that whoever acts cannot choose. In: an alert's fields. Out: the
// fields that an exception may rest on, or why there are none, or what the alert does not tell.
import type { AlertValue, PrintedAlert } from "./alert.ts";
import { type Look, placeOf } from "./places.ts";
import { isGeneral, isKnown, kindOf } from "./programs.ts";

export interface Pin {
  readonly field: string;
  readonly value: AlertValue;
}

export interface Actor {
  /**
   * `safe`: nobody but root, or who holds what the words name, can make it hold. `care`: somebody
   * may, and `why` says who. `refused`: an intruder makes it hold. `untold`: the alert does not say
   * enough.
   */
  readonly level: "safe" | "care" | "refused" | "untold";
  readonly pins: readonly Pin[];
  /** In plain words. */
  readonly why: readonly string[];
  /** Fields that would have to be in the output. */
  readonly lacks: readonly string[];
  /** What it is about, for a person: a program, an account. */
  readonly subject: string;
}

export interface ActorOptions {
  /** The rule tells of programs that are run: who ran it counts, whatever it is. */
  readonly isExecution: boolean;
  /** Only fields that Falco has. */
  readonly falcoOnly: boolean;
  /** Looks at files of this host. */
  readonly look: Look | undefined;
}

/** Levels of ancestors that an exception may name. */
const CHAIN_MAX = 5;

export function actorOf(alert: PrintedAlert, options: ActorOptions): Actor {
  if (alert.source === "syscall") return new ProcessActor(alert, options).actor();
  if (alert.source === "k8s_audit") return auditActor(alert);
  return {
    level: "refused",
    pins: [],
    why: [`who picks the fields of the source ${alert.source} is not known to saker`],
    lacks: [],
    subject: alert.source,
  };
}

/** A value that an exception can be written on. */
export function textOf(alert: PrintedAlert, field: string): string | undefined {
  const value = alert.fields.get(field);
  return typeof value === "string" && value !== "" && value !== "<NA>" ? value : undefined;
}

class ProcessActor {
  readonly #alert: PrintedAlert;
  readonly #options: ActorOptions;
  readonly #pins: Pin[] = [];
  readonly #why: string[] = [];
  readonly #lacks: string[] = [];
  #level: "safe" | "care" | "refused" = "safe";

  constructor(alert: PrintedAlert, options: ActorOptions) {
    this.#alert = alert;
    this.#options = options;
  }

  actor(): Actor {
    const program = textOf(this.#alert, "proc.exepath");
    if (program === undefined) {
      const subject = textOf(this.#alert, "proc.name") ?? "unknown programs";
      if (!this.#alert.fields.has("proc.exepath")) this.#lacks.push("proc.exepath");
      else this.#refuse("the alert's process has no path of a program");
      return this.#made(subject);
    }
    const inContainer = this.#container();
    this.#program(program, inContainer);
    if (this.#level === "refused") return this.#made(program);
    if (isGeneral(program) || this.#options.isExecution) this.#lineage(program);
    return this.#made(program);
  }

  #made(subject: string): Actor {
    const untold = this.#lacks.length > 0 && this.#level !== "refused";
    return {
      level: untold ? "untold" : this.#level,
      pins: this.#pins,
      why: this.#why,
      lacks: this.#lacks,
      subject,
    };
  }

  #refuse(why: string): void {
    this.#level = "refused";
    this.#why.push(why);
  }

  #care(why: string): void {
    if (this.#level === "safe") this.#level = "care";
    this.#why.push(why);
  }

  /** Pins the image; whether the process is in a container. */
  #container(): boolean {
    const { fields } = this.#alert;
    const id = textOf(this.#alert, "container.id");
    const image = textOf(this.#alert, "container.image.repository");
    if (id === "host" || (id === undefined && image === undefined)) {
      // A path says nothing of a file of the host where it may be one of a container's.
      if (id !== undefined) this.#pins.push({ field: "container.id", value: id });
      return false;
    }
    if (image === undefined) {
      if (fields.has("container.image.repository")) {
        this.#refuse(
          "the container has no image that is known; its name and id are chosen by who starts it",
        );
      } else this.#lacks.push("container.image.repository");
    } else this.#pins.push({ field: "container.image.repository", value: image });
    const digest = textOf(this.#alert, "container.image.digest");
    if (digest !== undefined) this.#pins.push({ field: "container.image.digest", value: digest });
    else if (!fields.has("container.image.digest")) this.#lacks.push("container.image.digest");
    else {
      this.#care(
        "the image has no digest, and its name is chosen by whoever tags an image: anybody who " +
          "may start containers on this host can have one of that name",
      );
    }
    const upper = fields.get("proc.is_exe_upper_layer");
    if (upper === true) {
      this.#refuse("the program was put into the running container: it is not the image's");
    } else if (fields.get("proc.is_exe_lower_layer") === true) {
      this.#pins.push({ field: "proc.is_exe_lower_layer", value: true });
    } else if (upper === false) {
      this.#pins.push({ field: "proc.is_exe_upper_layer", value: false });
      if (fields.get("proc.is_exe_lower_layer") === false) {
        this.#care(
          "the program is in no layer of the image: it lies on a volume, or the container has no " +
            "overlay, and who may write there is not known",
        );
      }
    } else if (!fields.has("proc.is_exe_upper_layer")) this.#lacks.push("proc.is_exe_upper_layer");
    return true;
  }

  #program(program: string, inContainer: boolean): void {
    const { fields } = this.#alert;
    this.#pins.push({ field: "proc.exepath", value: program });
    if (fields.get("proc.is_exe_from_memfd") === true) {
      return this.#refuse(`${program} is no file: it was run from memory`);
    }
    this.#standing("the program", program, inContainer);
    const other = textOf(this.#alert, "proc.exepath.other");
    if (other !== undefined) this.#standing("the program, as it was called,", other, inContainer);
    const uid = fields.get("user.uid");
    if (fields.get("proc.is_exe_writable") === true && uid !== 0) {
      this.#refuse(`the user who runs ${program} may write to that file`);
    }
  }

  /** What the place of a file says of who can exchange it. */
  #standing(what: string, path: string, inContainer: boolean): void {
    const place = placeOf(path);
    if (place === "memory") return this.#refuse(`${what} ${path} is no file of a disk any more`);
    if (place === "anyone") {
      return this.#refuse(`${what} ${path} lies where everybody may put files`);
    }
    const look = inContainer ? undefined : this.#options.look?.(path);
    if (look !== undefined) {
      if (!look.rootOnly) this.#refuse(`${what} ${path} can be exchanged: ${look.why}`);
      return;
    }
    // In a container the image, and that the file is of no upper layer, stand for it.
    if (inContainer || place === "system") return;
    if (place === "local") {
      if (!isKnown(path)) return;
      this.#care(
        `${what} ${path} has the name of one that lies in the system's own directories: look ` +
          "whose it is",
      );
      return;
    }
    this.#care(
      place === "own"
        ? `${what} ${path} lies in a directory of a user's or a service's own: who is that user ` +
          "can put another program there"
        : `it is not known who may write to ${path}: look with namei -l before you take this`,
    );
  }

  /** What does what its caller says is excused by who started it, or not at all. */
  #lineage(program: string): void {
    const base = program.slice(program.lastIndexOf("/") + 1);
    const does = isGeneral(program)
      ? `${base} does what its caller says`
      : `who runs ${base} is what the rule tells of`;
    const { names, values, whole } = this.#chain();
    for (const [at, ancestor] of values.entries()) {
      this.#pins.push({ field: names[at]!, value: ancestor });
      // A program that starts itself says nothing of who started it.
      if (ancestor === program) continue;
      const kind = kindOf(ancestor);
      const place = placeOf(ancestor);
      if (place === "anyone" || place === "memory") {
        return this.#refuse(
          `${does}, and that is ${ancestor}, which ` +
            (place === "anyone" ? "lies where everybody may put files" : "is no file of a disk"),
        );
      }
      if (kind === "session") {
        return this.#refuse(
          `${base} was run in somebody's session (${ancestor}): an intruder there does the same`,
        );
      }
      if (kind === "server") {
        return this.#refuse(
          `${base} was started below the server ${ancestor}: that is what an intruder does ` +
            "who has got in through it",
        );
      }
      if (kind === "launcher") {
        return this.#care(
          `${ancestor} starts whatever it was told to: every other job of it that runs ${base} ` +
            "is excused as well",
        );
      }
      if (!isGeneral(ancestor)) {
        if (this.#options.isExecution && isGeneral(program)) {
          this.#care(
            `every command that ${ancestor} runs by ${base} is excused, also those that an ` +
              `intruder has it run: is ${ancestor} something that listens to others?`,
          );
        } else this.#why.push(`whatever else ${ancestor} has ${base} do is excused as well`);
        this.#standing(
          "its caller",
          ancestor,
          textOf(this.#alert, "container.id") !== undefined &&
            textOf(this.#alert, "container.id") !== "host",
        );
        return;
      }
    }
    if (whole) {
      return this.#refuse(
        `${does}, and all of its ancestors that are known do what theirs say`,
      );
    }
    if (values.length >= CHAIN_MAX) {
      return this.#refuse(
        `${does}, and the ${CHAIN_MAX} above it do what theirs say`,
      );
    }
    const birth = !this.#options.falcoOnly;
    for (let level = values.length + 1; level <= CHAIN_MAX; level++) {
      this.#lacks.push(nameOf(birth, level));
    }
  }

  /** The ancestors' programs, from the nearest on, and whether there are no more. */
  #chain(): { names: string[]; values: string[]; whole: boolean } {
    const births = this.#levels((level) => nameOf(true, level));
    if (!this.#options.falcoOnly && births.values.length > 0) return births;
    return this.#levels((level) => nameOf(false, level));
  }

  #levels(name: (level: number) => string): { names: string[]; values: string[]; whole: boolean } {
    const names: string[] = [];
    const values: string[] = [];
    for (let level = 1; level <= CHAIN_MAX; level++) {
      const field = name(level);
      const value = textOf(this.#alert, field);
      if (value === undefined) {
        return { names, values, whole: this.#alert.fields.has(field) };
      }
      names.push(field);
      values.push(value);
    }
    return { names, values, whole: false };
  }
}

function nameOf(birth: boolean, level: number): string {
  if (birth) return `proc.birth.exepath[${level}]`;
  return level === 1 ? "proc.pexepath" : `proc.aexepath[${level}]`;
}

/** The API server has authenticated the user; what else stands in the request the client wrote. */
function auditActor(alert: PrintedAlert): Actor {
  const user = textOf(alert, "ka.user.name");
  const pins = ["ka.user.name", "ka.verb", "ka.target.resource", "ka.target.namespace"]
    .flatMap((field) => {
      const value = textOf(alert, field);
      return value === undefined ? [] : [{ field, value }];
    });
  const lacks = ["ka.user.name", "ka.verb", "ka.target.resource"]
    .filter((field) => !alert.fields.has(field));
  const why: string[] = [];
  let level: Actor["level"] = lacks.length > 0 ? "untold" : "safe";
  if (user === undefined) level = lacks.includes("ka.user.name") ? "untold" : "refused";
  else if (/^system:(anonymous|unauthenticated|unsecured)$/.test(user)) {
    level = "refused";
    why.push(`${user} is everybody who has not said who they are`);
  } else if (!user.startsWith("system:")) {
    if (level === "safe") level = "care";
    why.push(`${user} is a person's account, as far as its name says: who has it is excused, too`);
  }
  return { level, pins, why, lacks, subject: user ?? "unknown users" };
}
