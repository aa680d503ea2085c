// deno-lint-ignore-file no-console

/** Writes one line to standard output. */
export function print(line: string): void {
  console.log(line);
}

/** What a check ends with: its findings and exit code 1, or one line that says what was looked at. */
export function conclude(check: string, looked: string, violations: readonly string[]): void {
  for (const violation of violations) print(violation);
  if (violations.length === 0) return print(`${check}: ${looked}, no violation`);
  print(`${check}: ${looked}, ${violations.length} violation${violations.length === 1 ? "" : "s"}`);
  Deno.exitCode = 1;
}
