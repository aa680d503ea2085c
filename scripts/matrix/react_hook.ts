import { chromium } from "playwright-core";
import { generateServiceAccount, importSigner } from "../../src/credentials/mod.ts";
import { createGateway } from "../../src/gateway/mod.ts";
import { mintBrowserToken } from "../../src/token/mod.ts";
import { findChromium } from "./browser.ts";
import { install, need } from "./install.ts";
import { newestNode, node } from "./runtimes.ts";
import { fileOf } from "./softphone.ts";
import { root } from "../support/source.ts";

const packages = { react: "19.3.1", "react-dom": "19.3.1", vite: "8.4.0" } as const;
const PAGE = "src/browser/README.md";
const LONGEST_MS = 30_000;
const FLAGS = [
  // Chromium's own sandbox needs rights that a container does not have.
  "--no-sandbox",
  "--use-fake-device-for-media-stream",
  "--use-fake-ui-for-media-stream",
];

/** A page in strict mode, which mounts every component twice; it counts the microphones that were given and are in use. */
const main = `
import { StrictMode, useEffect, useState } from "react";
import { createRoot } from "react-dom/client";
import { usePhone } from "./use_phone.tsx";

const tracks = [];
const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
navigator.mediaDevices.getUserMedia = async (wish) => {
  const stream = await ask(wish);
  tracks.push(...stream.getTracks());
  return stream;
};
globalThis.live = () => tracks.filter(({ readyState }) => readyState === "live").length;

const { endpoint, serverCertificateHash } = await (await fetch("/settings")).json();
const token = async () => await (await fetch("/telequick-token")).text();
const options = { serverCertificateHash };

function Phone() {
  const { audio, client, error } = usePhone(endpoint, token, true, options);
  const [said, say] = useState("");
  useEffect(() => {
    if (client === undefined) return;
    client.dial({ to: "+15550100", trunkId: "trunk-1" })
      .then((call) => (audio.connect(call), call.answered()))
      .then(() => say("answered"), (error) => say(String(error)));
  }, [client]);
  return <output>{error === undefined ? said : String(error)}</output>;
}

function App() {
  const [isOn, setOn] = useState(false);
  return <><button onClick={() => setOn(!isOn)}>phone</button>{isOn && <Phone />}</>;
}

createRoot(document.getElementById("root")).render(<StrictMode><App /></StrictMode>);
`;

const html = '<!doctype html><div id="root"></div><script type="module" src="/main.jsx"></script>';

/** The hook, as the page shows it. */
async function readHook(): Promise<string> {
  const text = await Deno.readTextFile(new URL(PAGE, root));
  const code = /```tsx\n([\s\S]*?)```/.exec(text)?.[1];
  if (code === undefined) throw new Error(`${PAGE} has no block of tsx`);
  return code;
}

/**
 * Builds the React hook of the browser room's page with Vite and the package, and mounts it in strict mode in Chromium.
 *
 * @returns What was wrong; empty when there was one microphone and one session while it was mounted, and none after.
 */
export async function runReactHook(tarball: string): Promise<readonly string[]> {
  const folder = await install("react-hook", { "@telequick/sdk": tarball, ...packages });
  const files = { "use_phone.tsx": await readHook(), "main.jsx": main, "index.html": html };
  for (const [name, text] of Object.entries(files)) {
    await Deno.writeTextFile(new URL(name, folder), text);
  }
  const { command: [command, ...words] } = await node(newestNode);
  const build = ["node_modules/vite/bin/vite.js", "build", "--target=es2022"];
  await need(command, [...words, ...build], { cwd: folder });

  const gateway = createGateway();
  const { account, publicKeyPem } = await generateServiceAccount({ tenantId: "acme" });
  const { tenantId, privateKeyId } = account;
  await gateway.publishServiceAccount({ tenantId, privateKeyId, publicKeyPem });
  await gateway.addTrunk({ tenantId, trunkId: "trunk-1" });
  const { endpoint, certificateHash: serverCertificateHash } = await gateway.listen();
  const signer = await importSigner(account);
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    const { pathname } = new URL(request.url);
    if (pathname === "/settings") return Response.json({ endpoint, serverCertificateHash });
    if (pathname === "/telequick-token") return new Response(await mintBrowserToken(signer));
    return await fileOf(folder, pathname);
  });
  const browser = await chromium.launch({ executablePath: await findChromium(), args: FLAGS });
  try {
    const page = await browser.newPage();
    const faults: string[] = [];
    page.on("pageerror", (error) => faults.push(error.stack ?? error.message));
    const expect = async (what: string, condition: string): Promise<void> => {
      await page.waitForFunction(condition, undefined, { timeout: LONGEST_MS })
        .catch(async (error) => {
          const shown = await page.textContent("output").catch(() => "");
          faults.push(`${what}: ${error}; the page says: ${shown}`);
        });
    };
    await page.goto(`http://127.0.0.1:${server.addr.port}/`);
    await page.click("button");
    await expect("dialled", 'document.querySelector("output")?.value === "answered"');
    await expect("one microphone", "live() === 1");
    const { open, accepted } = gateway.stats().sessions;
    if (open !== 1 || accepted !== 1) faults.push(`${open} of ${accepted} sessions are open`);
    await page.click("button");
    await expect("no microphone after it was unmounted", "live() === 0");
    return faults;
  } finally {
    await browser.close();
    await server.shutdown();
    await gateway.close();
  }
}
