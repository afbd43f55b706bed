// A module of a plugin, as it goes from who reads it to who runs it.

/** One module, ready to run. */
export interface ModuleText {
  /** For messages: the path below the plugin's own directory. */
  readonly name: string;
  readonly text: string;
  /** What its imports name, as written → the module's name. */
  readonly imports: Readonly<Record<string, string>>;
}

export const AUTHOR_MODULE = "saker/plugin";
