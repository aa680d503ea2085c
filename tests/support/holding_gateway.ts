// deno-lint-ignore-file no-console
/** A gateway that holds a directory until it is killed. Says so, or why it cannot. Takes the directory as its argument. */

import process from "node:process";
import { createGateway } from "../../src/gateway/mod.ts";

const gateway = createGateway({ directory: process.argv[2]! });
try {
  await gateway.ready;
  console.log("holds");
  setInterval(() => {}, 1_000);
} catch (error) {
  console.log((error as Error).message);
}
