// Text of a condition in, tree out. A recursive descent over Falco's grammar, its quirks included:
//
//   expr  = and { "or" ( blank and | "(" expr ")" ) }
//   and   = not { "and" ( blank not | "(" expr ")" ) }
//   not   = { "not" blank } ( "not(" expr ")" | check )
//   check = "(" expr ")" | term condition | macro name
//   condition = "exists" | ("<="|"<"|">="|">") ( number | rhs )
//             | strop [ ("oneof"|"anyof"|"allof") blank list ] | strop ( quoted | bare | rhs )
//             | ("intersects"|"in"|"pmatch") ( list | rhs )
//
// Tokens are the longest that fit. A list's name stands for itself where it was not replaced.
import {
  LIST_OPERATORS,
  MODIFIERS,
  NUMBER_OPERATORS,
  OPERATORS,
  STRING_OPERATORS,
  TRANSFORMERS,
} from "./grammar.ts";
import { Lexer, looksAt, Refusal } from "./lexer.ts";
import type { Argument, Constant, Constants, Expr, Right, Term } from "./syntax.ts";

/** Levels of recursion, counted as Falco counts them. */
export const DEPTH_MAX = 1000;

export interface ParseError {
  readonly message: string;
  readonly at: number;
}

export type Parsed<T> = { readonly tree: T; readonly end: number } | { readonly error: ParseError };

/** Parses a whole condition. */
export function parse(text: string): Parsed<Expr> {
  if (text === "") return { error: { message: "filter input string is empty", at: 0 } };
  return run(text, (parser) => {
    const tree = parser.or();
    if (parser.at !== text.length) {
      throw new Refusal(`unexpected token after '${parser.last}', expecting 'or', 'and'`);
    }
    return tree;
  });
}

/** Parses the longest field or transformer at the start of `text`, as output formats need it. */
export function parseTerm(text: string): Parsed<Term> {
  return run(text, (parser) => parser.term());
}

function run<T>(text: string, production: (parser: Parser) => T): Parsed<T> {
  const parser = new Parser(text);
  try {
    const tree = production(parser);
    return { tree, end: parser.at };
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return { error: { message: error.message, at: parser.at } };
  }
}

const NOT_BLANK = /not[ \t\n\v\f\r]+/y;
// Each letter fits one way only: what fits two ways costs the square of a long word.
const IDENTIFIER = /[a-zA-Z][a-zA-Z0-9_]*/y;
const FIELD_NAME = /[a-zA-Z][a-zA-Z0-9_]*(?:\.[a-zA-Z][a-zA-Z0-9_]*)+/y;
const BARE_ARGUMENT = /[^\]["' \t\n\v\f\r]+/y;
const HEX_NUMBER = /0[xX][0-9a-fA-F]+/y;
const NUMBER = /[+-]?[0-9]+[.]?[0-9]*(?:[eE][+-][0-9]+)?/y;
const BARE = /[^()"' \t\n\v\f\r=,]+/y;
const BOOLEAN_WORD = /(?:and|or|not)(?![a-zA-Z0-9])/y;

class Parser extends Lexer {
  #depth = 0;

  or(): Expr {
    return this.#chain("or", () => this.#and());
  }

  term(): Term {
    this.#enter();
    const term = this.#tryTerm();
    if (term === undefined) throw new Refusal(`unexpected token after '${this.last}`);
    this.#depth--;
    return term;
  }

  #and(): Expr {
    return this.#chain("and", () => this.#not());
  }

  #chain(word: "and" | "or", operand: () => Expr): Expr {
    this.#enter();
    const at = this.at;
    const children: Expr[] = [];
    this.blank();
    children.push(operand());
    this.blank();
    while (this.word(word)) {
      if (this.blank()) children.push(operand());
      else if (this.word("(")) children.push(this.#embedded());
      else throw new Refusal(`expected blank or '(' after '${word}'`);
      this.blank();
    }
    this.#depth--;
    return children.length === 1 ? children[0]! : { kind: word, children, at };
  }

  #not(): Expr {
    this.#enter();
    const at = this.at;
    let negated = false;
    this.blank();
    while (this.match(NOT_BLANK)) negated = !negated;
    let child: Expr;
    if (this.word("not(")) {
      negated = !negated;
      child = this.#embedded();
    } else {
      child = this.#check();
    }
    this.#depth--;
    return negated ? { kind: "not", child, at } : child;
  }

  #embedded(): Expr {
    this.#enter();
    this.blank();
    const child = this.or();
    this.blank();
    if (!this.word(")")) throw new Refusal("expected a ')' token");
    this.#depth--;
    return child;
  }

  #check(): Expr {
    this.#enter();
    const at = this.at;
    this.blank();
    let result: Expr;
    if (this.word("(")) {
      result = this.#embedded();
    } else {
      const left = this.#tryTerm();
      if (left !== undefined) result = this.#condition(left, at);
      else if (this.match(IDENTIFIER)) result = { kind: "macro", name: this.last, at };
      else throw new Refusal("expected a '(' token, a field check, or an identifier");
    }
    this.#depth--;
    return result;
  }

  #tryTerm(): Term | undefined {
    const at = this.at;
    if (this.match(FIELD_NAME)) {
      return { kind: "field", name: this.last, argument: this.#selector(), at };
    }
    const name = this.#transformer();
    return name === undefined ? undefined : this.#transform(name, at);
  }

  #condition(left: Term, at: number): Expr {
    this.#enter();
    this.blank();
    let operator: string;
    let right: Right | undefined;
    if (this.operator(["exists"])) {
      operator = "exists";
    } else if (this.operator(NUMBER_OPERATORS)) {
      operator = this.last;
      right = this.#numberOrTerm();
    } else if (this.operator(STRING_OPERATORS)) {
      operator = this.last;
      [operator, right] = this.#afterStringOperator(operator);
    } else if (this.operator(LIST_OPERATORS)) {
      operator = this.last;
      right = this.#list() ?? this.#rightTerm() ?? this.#listName();
      if (right === undefined) {
        throw new Refusal(
          "expected a list, an identifier, or a field with a valid transformer: " + QUOTED_NAMES,
        );
      }
    } else {
      throw new Refusal("expected a valid check operator: one of " + quotedList(OPERATORS));
    }
    this.#depth--;
    return { kind: "check", left, operator, right, at };
  }

  #afterStringOperator(operator: string): [string, Right] {
    // A word's blank went with it; after a symbol it may come or not.
    const blank = this.blank() || /[a-z]/.test(operator);
    const at = this.at;
    const last = this.last;
    if (blank && this.operator(MODIFIERS) && this.#listFollows()) {
      const modified = `${operator} ${this.last}`;
      this.blank();
      const list = this.#list() ?? this.#listName();
      if (list === undefined) throw new Refusal("expected a list or an identifier");
      return [modified, list];
    }
    this.at = at;
    this.last = last;
    const term = this.#rightTerm();
    if (term !== undefined) return [operator, term];
    const value = this.#string();
    if (value !== undefined) return [operator, value];
    throw new Refusal(
      "expected a quoted string, a bare string, or a field with a valid transformer: " +
        QUOTED_NAMES,
    );
  }

  /** What makes `oneof` a modifier and not a value: a list or a name, but no `and` or `or`. */
  #listFollows(): boolean {
    if (this.text[this.at] === "(") return true;
    return looksAt(IDENTIFIER, this.text, this.at) && !looksAt(BOOLEAN_WORD, this.text, this.at);
  }

  #numberOrTerm(): Right {
    this.blank();
    const term = this.#rightTerm();
    if (term !== undefined) return term;
    const at = this.at;
    if (this.match(HEX_NUMBER) || this.match(NUMBER)) {
      return { kind: "value", text: this.last, at };
    }
    throw new Refusal(
      "expected a number value or a field with a valid transformer: " + QUOTED_NAMES,
    );
  }

  #string(): Constant | undefined {
    this.blank();
    const at = this.at;
    if (!this.quoted() && !this.match(BARE)) return undefined;
    return { kind: "value", text: this.last, at };
  }

  #list(): Constants | undefined {
    this.blank();
    const at = this.at;
    if (!this.word("(")) return undefined;
    const texts: string[] = [];
    this.blank();
    if (!this.word(")")) {
      do {
        const value = this.#string();
        if (value === undefined) {
          throw new Refusal(
            texts.length === 0 ? "expected a ')' token" : "expected a quoted string, a bare string",
          );
        }
        texts.push(value.text);
        this.blank();
      } while (this.word(","));
      if (!this.word(")")) throw new Refusal("expected a ')' token");
    }
    return { kind: "values", texts, at };
  }

  #listName(): Constant | undefined {
    const at = this.at;
    return this.match(IDENTIFIER) ? { kind: "value", text: this.last, at } : undefined;
  }

  #rightTerm(): Term | undefined {
    this.blank();
    const at = this.at;
    if (this.word("val(")) {
      this.blank();
      const inner = this.at;
      if (!this.match(FIELD_NAME)) {
        throw new Refusal("expected a field within 'val' transformer");
      }
      const field = { kind: "field", name: this.last, argument: this.#selector(), at: inner };
      this.blank();
      if (!this.word(")")) throw new Refusal("expected a ')' token closing the transformer");
      return {
        kind: "transform",
        name: "val",
        args: [field as Term],
        argument: this.#selector(),
        at,
      };
    }
    const name = this.#transformer();
    return name === undefined ? undefined : this.#transform(name, at);
  }

  #transformer(): string | undefined {
    return TRANSFORMERS.find((name) => this.word(`${name}(`));
  }

  #transform(name: string, at: number): Term {
    this.#enter();
    const args: Argument[] = [];
    do {
      args.push(this.#argument());
      this.blank();
    } while (this.word(","));
    if (!this.word(")")) throw new Refusal("expected a ')' token closing the transformer");
    const argument = this.#selector();
    this.#depth--;
    return { kind: "transform", name, args, argument, at };
  }

  #argument(): Argument {
    this.#enter();
    this.blank();
    const at = this.at;
    let result: Argument | undefined;
    if (this.word("(")) {
      const items: Argument[] = [];
      this.blank();
      if (!this.word(")")) {
        do {
          this.blank();
          items.push(this.#plainArgument() ?? refuse("expected transformer list argument: "));
          this.blank();
        } while (this.word(","));
        if (!this.word(")")) throw new Refusal("expected ')'");
      }
      result = { kind: "list", items, at };
    } else {
      result = this.#plainArgument();
    }
    this.#depth--;
    return result ?? refuse("expected field transformer argument: ");
  }

  #plainArgument(): Argument | undefined {
    const at = this.at;
    if (this.match(HEX_NUMBER) || this.match(NUMBER) || this.quoted()) {
      return { kind: "value", text: this.last, at };
    }
    return this.#tryTerm();
  }

  #selector(): string | undefined {
    if (this.text[this.at] !== "[") return undefined;
    const name = this.last;
    this.word("[");
    if (!this.quoted() && !this.match(BARE_ARGUMENT)) {
      throw new Refusal("expected a valid field argument: a quoted string or a bare string");
    }
    const argument = this.last;
    if (!this.word("]")) throw new Refusal("expected a ']' token");
    this.last = name;
    return argument;
  }

  #enter(): void {
    if (++this.#depth >= DEPTH_MAX) {
      throw new Refusal(`exceeded max depth limit of ${DEPTH_MAX}`);
    }
  }
}

function refuse(start: string): never {
  throw new Refusal(start + "field, transformer, quoted string, number, or transformer list");
}

function quotedList(words: readonly string[]): string {
  return words.map((word) => `'${word}'`).join(", ");
}

const QUOTED_NAMES = quotedList(["val", ...TRANSFORMERS]);
