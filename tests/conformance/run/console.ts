// Deno, Node and Bun: one line of JSON for each check.
// deno-lint-ignore-file no-console
import { everywhere, runChecks } from "../mod.ts";

await runChecks(everywhere, (result) => console.log(JSON.stringify(result)));
