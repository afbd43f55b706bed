// A file of a plugin in TypeScript, as it goes from who reads it to who runs it.

/** One file of a plugin in TypeScript, ready to run. */
export interface ModuleText {
  /** For messages: the path below the plugin's own directory. */
  readonly name: string;
  readonly text: string;
  /** What its loops call in every turn (loops.ts): a name that its own text cannot know. */
  readonly alive: string;
  /** What its imports name, as written → the module's name. */
  readonly imports: Readonly<Record<string, string>>;
}
