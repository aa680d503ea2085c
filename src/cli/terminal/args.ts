/**
 * Arguments: declared once per command, parsed by `parseArgs`, checked here, printed by the help.
 *
 * @module
 */

import { parseArgs } from "node:util";
import { nearest, UsageError } from "../usage.ts";

/** One option of a command. */
export interface OptionSpec {
  /** The kind of value; a `flag` has no value, a `list` can be repeated. */
  readonly type: "flag" | "text" | "list" | "number";
  /** What it does, in a few words. */
  readonly help: string;
  /** The value's name in the help, such as `PATH`. */
  readonly value?: string;
  /** Allowed texts. Default: any. */
  readonly choices?: readonly string[];
  /** Least number. Default: 0. */
  readonly min?: number;
  /** Greatest number. Default: unlimited. */
  readonly max?: number;
  /** Whether fractions are allowed. Default: `false`. */
  readonly fraction?: boolean;
  /** The default, for the help. */
  readonly byDefault?: string;
}

/** The options of a command, by their names without the dashes. */
export type OptionSpecs = Readonly<Record<string, OptionSpec>>;

/** The value of each option. */
export type OptionValues<S extends OptionSpecs> = {
  readonly [K in keyof S]: S[K]["type"] extends "flag" ? boolean
    : S[K]["type"] extends "number" ? number | undefined
    : S[K]["type"] extends "list" ? readonly string[]
    : string | undefined;
};

/** Parsed arguments of a command. */
export interface ParsedArgs<S extends OptionSpecs = OptionSpecs> {
  readonly values: OptionValues<S>;
  readonly positionals: readonly string[];
  /** Everything after `--`; `undefined` without `--`. */
  readonly rest: readonly string[] | undefined;
}

/** Options of {@linkcode readArgs}. */
export interface ReadArgsOptions {
  /** The command, for messages. */
  readonly command: string;
  /** The names of the positional arguments; those that end with `?` are optional. */
  readonly positionals: readonly string[];
  /** Whether `--` and another command line can follow. Default: `false`. */
  readonly takesRest?: boolean;
}

/** Reads arguments. Throws a {@linkcode UsageError} that names the argument at fault and suggests a similar one. */
export function readArgs<S extends OptionSpecs>(
  args: readonly string[],
  specs: S,
  options: ReadArgsOptions,
): ParsedArgs<S> {
  const { command } = options;
  const wrong = (message: string): UsageError => new UsageError(message, { command });
  const given = new Map<string, string[]>();
  const positionals: string[] = [];
  let rest: readonly string[] | undefined;
  for (const token of tokensOf(args, specs)) {
    if (token.kind === "option-terminator") {
      rest = args.slice(token.index + 1);
      break;
    }
    if (token.kind === "positional") {
      if (options.takesRest === true && positionals.length === options.positionals.length) {
        throw wrong(
          `Put -- before the command: telequick ${command} -- ${shorten(token.value)}`,
        );
      }
      positionals.push(token.value);
      continue;
    }
    const { name, value, inlineValue } = token;
    const spec = Object.hasOwn(specs, name) ? specs[name] : undefined;
    if (spec === undefined) throw wrong(unknownOption(token.rawName, command, specs));
    if (spec.type === "flag" && value !== undefined) {
      throw wrong(`Option --${name} takes no value`);
    }
    // In `--name --other` the value is missing; a value that begins with a dash is written --name=-1.
    const isForgotten = value === undefined || value === "" ||
      (inlineValue === false && /^-./.test(value) && !KEY_ID.test(value));
    if (spec.type !== "flag" && isForgotten) {
      throw wrong(`Option --${name} needs a value: --${name} ${spec.value ?? "VALUE"}`);
    }
    const texts = given.get(name) ?? [];
    if (texts.length > 0 && spec.type !== "list") {
      throw wrong(`Option --${name} is given twice, expected once`);
    }
    given.set(name, [...texts, value ?? ""]);
  }
  if (rest !== undefined && options.takesRest !== true) {
    positionals.push(...rest);
    rest = undefined;
  }
  checkPositionals(positionals, options, wrong);
  const values = Object.entries(specs).map(([name, spec]) => [
    name,
    readValue(name, spec, given.get(name), wrong),
  ]);
  return { values: Object.fromEntries(values) as OptionValues<S>, positionals, rest };
}

type Token =
  | {
    readonly kind: "option";
    readonly name: string;
    readonly rawName: string;
    readonly value?: string;
    readonly inlineValue?: boolean;
  }
  | { readonly kind: "positional"; readonly value: string }
  | { readonly kind: "option-terminator"; readonly index: number };

// A key id is 43 characters of base64url (RFC 7638): one in 64 begins with a dash, and is not an option.
const KEY_ID = /^-[\w-]{42}$/;
// No argument of a process holds this character.
const MARK = "\0";

function unmarked(token: Token): Token {
  if (token.kind === "option-terminator" || token.value?.startsWith(MARK) !== true) return token;
  return { ...token, value: token.value.slice(MARK.length) };
}

function tokensOf(args: readonly string[], specs: OptionSpecs): readonly Token[] {
  const options = Object.fromEntries(
    Object.entries(specs).map(([name, { type }]) => [
      name,
      { type: type === "flag" ? "boolean" : "string", multiple: true },
    ]),
  ) as Record<string, { type: "boolean" | "string"; multiple: boolean }>;
  // Not strict: the runtimes word their errors differently, and none suggests a similar option.
  const { tokens } = parseArgs({
    args: args.map((arg) => KEY_ID.test(arg) ? `${MARK}${arg}` : arg),
    options,
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  return (tokens as readonly Token[]).map(unmarked);
}

function unknownOption(typed: string, command: string, specs: OptionSpecs): string {
  const meant = nearest(typed.replace(/^-+/, ""), Object.keys(specs));
  const advice = meant === undefined ? "" : ` (did you mean --${meant}?)`;
  return `Unknown option ${typed} of \`telequick ${command}\`${advice}`;
}

function checkPositionals(
  positionals: readonly string[],
  { command, positionals: names }: ReadArgsOptions,
  wrong: (message: string) => UsageError,
): void {
  const missing = names.slice(positionals.length).find((name) => !name.endsWith("?"));
  if (missing !== undefined) {
    throw wrong(
      `Argument ${missing} is missing: telequick ${command} ${
        names.map((name) => name.endsWith("?") ? `[${name.slice(0, -1)}]` : name).join(" ")
      }`,
    );
  }
  const extra = positionals[names.length];
  if (extra !== undefined) {
    throw wrong(`Argument ${JSON.stringify(shorten(extra))} is unexpected`);
  }
}

function readValue(
  name: string,
  spec: OptionSpec,
  texts: readonly string[] | undefined,
  wrong: (message: string) => UsageError,
): boolean | string | number | readonly string[] | undefined {
  if (spec.type === "flag") return texts !== undefined;
  if (spec.type === "list") return texts ?? [];
  const [text] = texts ?? [];
  if (text === undefined) return undefined;
  if (spec.type === "number") return readNumber(name, spec, text, wrong);
  const { choices } = spec;
  if (choices === undefined || choices.includes(text)) return text;
  const meant = nearest(text, choices);
  throw wrong(
    `Option --${name} is ${JSON.stringify(shorten(text))}, expected one of ${choices.join(", ")}${
      meant === undefined ? "" : ` (did you mean ${meant}?)`
    }`,
  );
}

function readNumber(
  name: string,
  { min = 0, max = Infinity, fraction = false }: OptionSpec,
  text: string,
  wrong: (message: string) => UsageError,
): number {
  const value = /^\d+(\.\d+)?$/.test(text) ? Number(text) : NaN;
  if (value >= min && value <= max && (fraction || Number.isInteger(value))) return value;
  const range = max === Infinity ? `of at least ${min}` : `from ${min} to ${max}`;
  throw wrong(
    `Option --${name} is ${JSON.stringify(shorten(text))}, expected a ${
      fraction ? "" : "whole "
    }number ${range}`,
  );
}

/** An argument in the wrong place can be a token or a key: only its beginning is repeated. */
function shorten(text: string): string {
  return text.length > 24 || /[\n{]|-----BEGIN/.test(text) ? `${text.slice(0, 4)}...` : text;
}
