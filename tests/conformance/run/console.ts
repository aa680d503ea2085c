// Deno, Node and Bun: one line of JSON for each check.
// Nothing ends this process: it fails where a client that was closed leaves something open.
// deno-lint-ignore-file no-console
import { everywhere, runChecks } from "../mod.ts";

await runChecks(everywhere, (result) => console.log(JSON.stringify(result)));
