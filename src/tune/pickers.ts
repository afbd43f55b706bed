// Who decides what a field says. An exception holds no better than the fields it rests on: what
// whoever acts can choose, they choose so that it holds.

export interface Picked {
  /** In plain words, after the field's name. */
  readonly why: string;
}

const ROWS: readonly (readonly [RegExp, string])[] = [
  [
    /^proc\.(name|sname|vpgid\.name|pgid\.name)$/,
    "is the name of the file that was run, cut to 15 bytes, and a process may change its own: " +
    "whoever copies a program names the copy",
  ],
  [/^proc\.(exe|sid\.exe|pgid\.exe|vpgid\.exe)$/, "is the first argument: the caller writes it"],
  [
    /^proc\.(cmdline|exeline|args|cmdnargs|cmdlenargs)\b/,
    "is what the caller wrote, and a program may overwrite it",
  ],
  [/^proc\.(env|aenv)\b/, "is what the caller gave along"],
  [/^proc\.cwd\b/, "is where the caller went before"],
  [/^proc\.(pname|aname|birth\.name)\b/, "is the name of a file that anyone may give to a copy"],
  [
    /^proc\.(pexe|pcmdline|aexe|acmdline|aargs|birth\.exe|birth\.cmdline)(\[|$)/,
    "is what that program's caller wrote",
  ],
  [/^container\.(name|label|labels|id|full_id)\b/, "is chosen by whoever starts a container"],
  [
    /^container\.image(\.tag)?$|^container\.image\.repository$/,
    "is chosen by whoever tags an image, unless the digest is asked for too",
  ],
  [/^(fd\.nameraw|fs\.path\.\w+raw|evt\.(arg|rawarg)\b)/, "is what the caller said in the call"],
  [/^fd\.(cport|lport|clientport)$/, "is a port that the caller may bind"],
  [/^(proc\.tty|proc\.stdin|proc\.stdout|proc\.stderr)/, "is what the caller set up"],
  [/^ka\.useragent$/, "is a header that the client writes"],
  [/^ka\.(target\.name$|req\.)/, "is what the client asks for"],
];

/** Why somebody who attacks picks the field's value; undefined where that is not so. */
export function pickedBy(field: string): Picked | undefined {
  const row = ROWS.find(([pattern]) => pattern.test(field));
  return row === undefined ? undefined : { why: row[1] };
}

/** Fields that saker alone has: Falco does not load an exception on them. */
export function isOurs(field: string): boolean {
  return /^proc\.birth\.|\.other$|^evt\.view$/.test(field);
}
