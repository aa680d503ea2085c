import { deepStrictEqual as same, ok } from "node:assert/strict";
import { root } from "../../scripts/support/source.ts";
import { openStage } from "./support/stage.ts";
import { until } from "./support/wait.ts";

/** The program of the README's section on browsers, at this gateway: its address, its certificate, its trunk. */
async function readProgram(endpoint: string, certificateHash: string): Promise<string> {
  const text = await Deno.readTextFile(new URL("README.md", root));
  const code = text.split("\n## In the browser\n")[1]?.split("\n## ")[0]
    ?.match(/```ts[^\n]*\n([\s\S]*?)```/)?.[1];
  ok(code !== undefined, "README.md has no program in its section on browsers");
  ok(code.trimEnd().split("\n").length <= 16, "it is no more than a screen");
  const replaced = code
    .replace("https://engine.telequick.dev:9090", endpoint)
    .replace("clock: audio.clock", `$&, serverCertificateHash: "${certificateHash}"`)
    .replace("/telequick-token", "/token")
    .replace(/trunkId: "[^"]*"/, 'trunkId: "acme-trunk"');
  ok(replaced.includes(endpoint) && replaced.includes(certificateHash));
  return replaced;
}

Deno.test("the README's program talks when its button is clicked", async () => {
  await using stage = await openStage({ program: readProgram });
  same(stage.gateway.stats().calls.live, 0);
  await stage.page.click("button");
  // A second of the microphone arrives there, and comes back.
  const audio = (): Promise<{ received: number; sent: number }> =>
    Promise.resolve(stage.gateway.stats().audio);
  await until(audio, ({ received, sent }) => received > 50 && sent > 50);
  same(stage.gateway.stats().calls.live, 1);
});
