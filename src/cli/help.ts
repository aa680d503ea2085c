/**
 * The help, generated from the declarations of the commands.
 *
 * @module
 */

import type { OptionSpec, OptionSpecs } from "./terminal/args.ts";
import { type Command, EXIT_CODES } from "./command.ts";
import { type CommandEntry, commands } from "./commands.ts";
import type { Output } from "./terminal/output.ts";
import { wrap, wrapColumns } from "./terminal/wrap.ts";

/** Options of every command. */
export const COMMON_OPTIONS = {
  "json": { type: "flag", help: "Print one JSON object a line instead of text" },
  "help": { type: "flag", help: "Print this help" },
} as const satisfies OptionSpecs;

/** Variables of the environment that commands read. */
export const VARIABLES: Readonly<Record<string, string>> = {
  TELEQUICK_CREDENTIALS: "path of the service-account file",
  TELEQUICK_ENDPOINT: "the gateway, such as https://host:9090",
  TELEQUICK_CERTIFICATE_HASH:
    "base64 SHA-256 of a self-signed gateway's certificate, or several, separated by commas",
  TELEQUICK_TRUNK: "the trunk on which calls are placed",
  NO_COLOR: "when set, no colours",
};

/** Where a help text goes: its style, and its width. */
export type HelpLook = Pick<Output, "style" | "columns">;

/** The help of the program, or of the commands whose names begin with `group`. */
export function programHelp(look: HelpLook, group = ""): string {
  const { style } = look;
  const entries = Object.entries(commands).filter(([name]) => name.startsWith(group));
  const sections = [
    group === "" ? `${style.bold("telequick")}: calls over WebTransport, from the terminal` : "",
    `${style.bold("Usage:")} telequick ${group === "" ? "COMMAND" : `${group} COMMAND`} [OPTIONS]`,
    section(look, "Commands", entries.map(([name, { summary }]) => [name, summary])),
  ];
  if (group === "") {
    sections.push(
      section(look, "Environment", Object.entries(VARIABLES)),
      section(look, "Exit codes", Object.entries(EXIT_CODES)),
      paragraph(
        look,
        `telequick help COMMAND has details. First steps: run ${
          style.bold("telequick gateway")
        } and follow what it prints.`,
      ),
    );
  }
  return sections.filter((text) => text !== "").join("\n\n");
}

/** The help of one command. */
export function commandHelp(
  name: string,
  { summary }: CommandEntry,
  command: Command,
  look: HelpLook,
): string {
  const { style } = look;
  const options = Object.entries({ ...command.options, ...COMMON_OPTIONS });
  const usage = ["telequick", name, ...(command.positionals ?? []).map(placeholder), "[OPTIONS]"];
  if (command.rest !== undefined) usage.push("--", command.rest);
  const sections = [
    paragraph(look, `${style.bold(`telequick ${name}`)}: ${summary}`),
    wrap(`${style.bold("Usage:")} ${usage.join(" ")}`, { columns: look.columns, indent: 2 }),
    paragraph(look, command.details ?? ""),
    section(look, "Options", options.map(([option, spec]) => [flag(option, spec), says(spec)])),
    section(look, "Examples", command.examples),
    section(look, "Exit codes", Object.entries({ ...EXIT_CODES, ...command.exitCodes })),
  ];
  return sections.filter((text) => text !== "").join("\n\n");
}

function placeholder(name: string): string {
  return name.endsWith("?") ? `[${name.slice(0, -1)}]` : name;
}

function flag(name: string, { type, value = "VALUE" }: OptionSpec): string {
  return type === "flag" ? `--${name}` : `--${name} ${value}`;
}

function says({ help, byDefault, choices, type }: OptionSpec): string {
  const notes = [
    ...(choices === undefined ? [] : [choices.join(", ")]),
    ...(type === "list" ? ["can be repeated"] : []),
    ...(byDefault === undefined ? [] : [`default: ${byDefault}`]),
  ];
  return notes.length === 0 ? help : `${help} (${notes.join("; ")})`;
}

function paragraph({ columns }: HelpLook, text: string): string {
  return wrap(text, { columns });
}

/** Two columns under a title. */
function section(
  { style, columns }: HelpLook,
  title: string,
  rows: readonly (readonly [string, string])[],
): string {
  if (rows.length === 0) return "";
  return [style.bold(`${title}:`), wrapColumns(rows, columns)].join("\n");
}
