import { access } from "node:fs/promises";
import { runDeno } from "../../scripts/support/run.ts";

/** Makes the page's files, unless they are there: `deno task test` makes them anew. */
export async function needPanelSite(): Promise<void> {
  const list = new URL("../../src/panel/site/files.json", import.meta.url);
  if (await access(list).then(() => true, () => false)) return;
  const { ok, output } = await runDeno(["run", "-A", "--quiet", "scripts/build/panel.ts"]);
  if (!ok) throw new Error(output);
}
