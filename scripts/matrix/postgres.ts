/**
 * PostgreSQL as Debian packs it, for the tests that start a server of their own.
 *
 * @module
 */

import { run } from "../support/run.ts";
import { installDebian } from "./browser.ts";
import { need } from "./install.ts";

/** Installs PostgreSQL where it is not there. No server of the machine's own is made or started. */
export async function installPostgres(): Promise<void> {
  const { ok } = await run("sh", [
    "-c",
    "command -v initdb || ls /usr/lib/postgresql/*/bin/initdb",
  ]);
  if (ok) return;
  await installDebian(["postgresql-common"]);
  const asRoot = Deno.uid() === 0 ? "" : "sudo ";
  const settings = "/etc/postgresql-common/createcluster.conf";
  await need("sh", [
    "-c",
    `echo "create_main_cluster = false" | ${asRoot}tee -a ${settings} > /dev/null`,
  ]);
  await installDebian(["postgresql"]);
}
