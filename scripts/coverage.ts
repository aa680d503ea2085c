/**
 * Line coverage by room: `deno task coverage`. Runs the unit and conformance tests.
 *
 * @module
 */

import { runDeno } from "./support/run.ts";
import { readSources, root } from "./support/source.ts";
import { runTests } from "./support/test_run.ts";
import { print } from "./support/terminal.ts";

interface Lines {
  found: number;
  hit: number;
}

/** Sums the lines of an LCOV report by room: `src/client/session`, or `src/wire` for the files directly in it. */
export function linesByRoom(lcov: string, base: string): ReadonlyMap<string, Lines> {
  const rooms = new Map<string, Lines>();
  let room: Lines | undefined;
  for (const line of lcov.split("\n")) {
    const [key, value = ""] = line.split(/:(.*)/s);
    if (key === "SF") {
      const path = value.startsWith(base) ? value.slice(base.length) : "";
      const name = path.startsWith("src/") ? path.replace(/\/[^/]+$/, "") : "";
      room = name === "" ? undefined : rooms.get(name) ?? { found: 0, hit: 0 };
      if (room !== undefined) rooms.set(name, room);
    } else if (key === "DA" && room !== undefined) {
      room.found++;
      if (!value.endsWith(",0")) room.hit++;
    }
  }
  return new Map([...rooms].sort(([a], [b]) => a < b ? -1 : 1));
}

if (import.meta.main) {
  const scratch = await Deno.makeTempDir({ prefix: "coverage-" });
  const files = [...(await readSources(["tests/unit", "tests/conformance"])).keys()]
    .filter((path) => path.endsWith("_test.ts"));
  const outcome = await runTests({
    files,
    report: `${scratch}/report.xml`,
    args: ["--frozen", "--parallel", `--coverage=${scratch}/profile`],
  });
  if (outcome.failed > 0) print(outcome.output);
  const { stdout } = await runDeno(["coverage", "--lcov", `${scratch}/profile`]);
  const rooms = linesByRoom(stdout, root.pathname);
  const all = { found: 0, hit: 0 };
  for (const { found, hit } of rooms.values()) {
    all.found += found;
    all.hit += hit;
  }
  for (const [name, { found, hit }] of [...rooms, ["all rooms", all] as const]) {
    print(
      `${(100 * hit / found).toFixed(1).padStart(5)} %  ${`${hit}/${found}`.padStart(12)}  ${name}`,
    );
  }
  await Deno.remove(scratch, { recursive: true });
  print(outcome.note);
  Deno.exitCode = outcome.failed === 0 ? 0 : 1;
}
