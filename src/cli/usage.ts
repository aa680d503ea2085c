/**
 * Errors of usage: exit code 2.
 *
 * @module
 */

/** A wrong flag, argument, file, port or permission. The message is one sentence. */
export class UsageError extends Error {
  /** The class name, `"UsageError"`. */
  override readonly name = "UsageError";
  /** The command whose `--help` has details, if any. */
  readonly command: string | undefined;
  /** The exit code of the process. */
  readonly exitCode: number;

  constructor(
    message: string,
    options: { readonly command?: string; readonly exitCode?: number } = {},
  ) {
    super(message);
    this.command = options.command;
    this.exitCode = options.exitCode ?? 2;
  }
}

/** Whether a path looks like the content of a file: a key, a token, a service account. */
export function isContent(path: string): boolean {
  return path.length > 1024 || /[\n{]|-----BEGIN|(^|[\\/])eyJ/.test(path);
}

/** A path as it appears in a message: hidden when it looks like content. */
export function quotePath(path: string): string {
  return isContent(path) ? "the given path" : JSON.stringify(path);
}

/** A word as a shell takes it. */
export function quoteForShell(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

/** The most similar of `names`, if one is similar enough. */
export function nearest(typed: string, names: readonly string[]): string | undefined {
  let best: string | undefined;
  let least = Math.max(1, Math.floor(typed.length / 3)) + 1;
  for (const name of names) {
    const distance = editDistance(typed.toLowerCase(), name.toLowerCase());
    if (distance < least) [best, least] = [name, distance];
  }
  return best;
}

/** Damerau-Levenshtein distance: insertions, deletions, replacements, swaps of adjacent characters. */
function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let cost = Math.min(last[j]! + 1, row[j - 1]! + 1, last[j - 1]! + (same ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        cost = Math.min(cost, beforeLast[j - 2]! + 1);
      }
      row.push(cost);
    }
    [beforeLast, last] = [last, row];
  }
  return last[b.length]!;
}
