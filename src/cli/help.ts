/**
 * The help, generated from the declarations of the commands.
 *
 * @module
 */

import type { OptionSpec, OptionSpecs } from "./terminal/args.ts";
import { type Command, EXIT_CODES } from "./command.ts";
import { type CommandEntry, commands } from "./commands.ts";
import type { Style } from "./terminal/style.ts";

/** Options of every command. */
export const COMMON_OPTIONS = {
  "json": { type: "flag", help: "Print one JSON object a line instead of text" },
  "help": { type: "flag", help: "Print this help" },
} as const satisfies OptionSpecs;

/** Variables of the environment that commands read. */
export const VARIABLES: Readonly<Record<string, string>> = {
  TELEQUICK_CREDENTIALS: "path of the service-account file",
  TELEQUICK_ENDPOINT: "the gateway, such as https://host:9090",
  TELEQUICK_CERTIFICATE_HASH: "base64 SHA-256 of a self-signed gateway's certificate",
  TELEQUICK_TRUNK: "the trunk on which calls are placed",
  NO_COLOR: "when set, no colours",
};

/** The help of the program, or of the commands whose names begin with `group`. */
export function programHelp(style: Style, group = ""): string {
  const entries = Object.entries(commands).filter(([name]) => name.startsWith(group));
  const sections = [
    group === "" ? `${style.bold("telequick")}: calls over WebTransport, from the terminal` : "",
    `${style.bold("Usage:")} telequick ${group === "" ? "COMMAND" : `${group} COMMAND`} [OPTIONS]`,
    section(style, "Commands", entries.map(([name, { summary }]) => [name, summary])),
  ];
  if (group === "") {
    sections.push(
      section(style, "Environment", Object.entries(VARIABLES)),
      section(style, "Exit codes", Object.entries(EXIT_CODES)),
      `telequick COMMAND --help has details. First steps: run ${
        style.bold("telequick gateway")
      } and follow what it prints.`,
    );
  }
  return sections.filter((text) => text !== "").join("\n\n");
}

/** The help of one command. */
export function commandHelp(
  name: string,
  { summary }: CommandEntry,
  command: Command,
  style: Style,
): string {
  const options = Object.entries({ ...command.options, ...COMMON_OPTIONS });
  const usage = ["telequick", name, ...(command.positionals ?? []).map(placeholder), "[OPTIONS]"];
  if (command.rest !== undefined) usage.push("--", command.rest);
  const sections = [
    `${style.bold(`telequick ${name}`)}: ${summary}`,
    `${style.bold("Usage:")} ${usage.join(" ")}`,
    command.details ?? "",
    section(style, "Options", options.map(([option, spec]) => [flag(option, spec), says(spec)])),
    section(style, "Examples", command.examples),
    section(style, "Exit codes", Object.entries({ ...EXIT_CODES, ...command.exitCodes })),
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

/** Two columns under a title. Lines are not wrapped: terminals do that, and grep needs whole lines. */
function section(
  style: Style,
  title: string,
  rows: readonly (readonly [string, string])[],
): string {
  if (rows.length === 0) return "";
  const width = Math.max(...rows.map(([left]) => left.length));
  const lines = rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`);
  return [`${style.bold(`${title}:`)}`, ...lines].join("\n");
}
