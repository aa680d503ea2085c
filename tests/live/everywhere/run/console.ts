// Deno, Node and Bun: the desk's origin is the last argument; one line of JSON for each check.
// Nothing ends this process: it fails where a client that was closed, or a session that was lost, leaves something open.
// deno-lint-ignore-file no-console
import process from "node:process";
import { runLive } from "../mod.ts";

await runLive(process.argv.at(-1)!, (result) => console.log(JSON.stringify(result)));
