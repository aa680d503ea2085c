// Deno, Node and Bun: the desk's origin is the last argument; one line of JSON for each check.
// deno-lint-ignore-file no-console
import process from "node:process";
import { runLive } from "../mod.ts";

await runLive(process.argv.at(-1)!, (result) => console.log(JSON.stringify(result)));
