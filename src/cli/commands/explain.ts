/**
 * `telequick explain`.
 *
 * @module
 */

import { type Command, command } from "../command.ts";
import {
  allExplanations,
  type CodeKind,
  type Explanation,
  findExplanations,
  knownCodes,
} from "../../catalogue/mod.ts";
import type { Style } from "../terminal/style.ts";
import { nearest, UsageError } from "../usage.ts";

const KINDS: Readonly<Record<CodeKind, string>> = {
  sdk: "code of a TeleQuickError",
  wire: "error code of a reply (rpcCode)",
  refusal: "reason why a token was refused",
  ending: "code with which a session was ended",
  q850: "ITU-T Q.850 cause of a call's end",
  event: "event type",
  log: "record of the client's log",
};

/** Explains a code, or lists all of them. */
export const explain: Command = command({
  positionals: ["CODE?"],
  options: {},
  examples: [
    ["telequick explain ERR_UNAUTHORIZED", "a code of the SDK"],
    ["telequick explain q850:17", "a Q.850 cause; wire:3 and event:2 work likewise"],
    ["telequick explain", "every code"],
  ],
  run({ positionals: [code], output }) {
    const found = code === undefined ? allExplanations() : findExplanations(code);
    if (found.length === 0) throw unknownCode(code!);
    if (code === undefined) {
      let kind: string | undefined;
      for (const one of found) {
        if (kind !== one.kind) {
          output.emit({ type: "kind", kind: one.kind }, title(one, output.style));
        }
        kind = one.kind;
        output.emit({ type: "explanation", ...one }, `  ${nameOf(one)}: ${one.meaning}`);
      }
      return Promise.resolve(0);
    }
    for (const one of found) {
      output.emit({ type: "explanation", ...one }, inFull(one, output.style));
    }
    return Promise.resolve(0);
  },
});

function title({ kind }: Explanation, { bold }: Style): string {
  return bold(`${kind}: ${KINDS[kind]}`);
}

function nameOf({ code, alias }: Explanation): string {
  return alias === undefined ? code : `${code} ${alias}`;
}

function inFull(one: Explanation, { bold, dim }: Style): string {
  const { kind, meaning, causes, fix, retryable } = one;
  return [
    `${bold(nameOf(one))} ${dim(`(${KINDS[kind]})`)}`,
    `  ${meaning}`,
    ...causes.map((cause) => `  ${kind === "log" ? "with" : "cause:"} ${cause}`),
    `  fix: ${fix}`,
    ...(retryable === undefined ? [] : [`  retryable: ${retryable}`]),
  ].join("\n");
}

function unknownCode(code: string): UsageError {
  const meant = nearest(code, knownCodes());
  const advice = meant === undefined
    ? "telequick explain lists all codes"
    : `did you mean ${meant}?`;
  return new UsageError(
    `Cannot explain ${JSON.stringify(code.slice(0, 48))}: unknown code (${advice})`,
  );
}
