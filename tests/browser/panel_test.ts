import { deepStrictEqual as same, match, ok, strictEqual as equal } from "node:assert/strict";
import type { Page } from "playwright-core";
import { openControl } from "../../src/cli/local_gateway/control_server.ts";
import { systemPlatform } from "../../src/cli/platform.ts";
import { runCli } from "../support/fake_platform.ts";
import { temporaryFolder } from "../support/folder.ts";
import { callOf, FakePanelGateway } from "../support/panel_gateway.ts";
import { findFaults } from "./support/axe.ts";
import { openPanel } from "./support/panel.ts";
import { until } from "./support/wait.ts";

const tabs = ["Calls", "Refusals", "Tenants", "Faults"];
const callSid = "c0ffee00-1234-4abc-8def-001122334455";

/** A gateway with a call of each kind, a refusal of each kind, and faults. */
function busyGateway(): FakePanelGateway {
  const fake = new FakePanelGateway();
  fill(fake);
  return fake;
}

function fill(fake: FakePanelGateway): void {
  const answerMs = Date.now() - 5_000;
  fake.call(callOf(callSid), "CHANNEL_CREATE", "INITIATED");
  fake.call(callOf(callSid, { state: "ringing" }), "CHANNEL_CREATE", "RINGING");
  fake.call(callOf(callSid, { state: "answered", answerMs }), "CHANNEL_ANSWER", "ANSWERED");
  const ended = callOf("ended", { to: "+15550102", state: "ended" });
  fake.call(ended, "CHANNEL_HANGUP_COMPLETE", "NO_ANSWER", 19);
  fake.log({ event: "call.dtmf", tenantId: "acme", callSid, digit: "5", reason: "rfc2833" });
  fake.log({ event: "session.refused", code: 401, refusal: "revoked", reason: "Key k is revoked" });
  fake.log({
    event: "rpc.done",
    code: 1,
    tenantId: "acme",
    method: "Originate",
    reason: "No trunk",
  });
  fake.setFaults({ lossPercent: 5 }, { tenantId: "acme" });
}

async function choose(page: Page, tab: string): Promise<void> {
  await page.getByRole("tab", { name: tab }).click();
}

Deno.test("the page shows calls with their events, their sound and their quality", async () => {
  const fake = new FakePanelGateway();
  await using stage = await openPanel({ gateway: fake.gateway });
  const page = await stage.open();
  await page.getByText("No call yet").waitFor();
  await page.getByText("const call = await client.dial").waitFor();
  fill(fake);
  const row = page.getByRole("listitem").filter({ hasText: "+15550120" }).first();
  await row.getByRole("button").first().click();
  for (const text of ["INITIATED", "RINGING", "ANSWERED", "Digit 5", callSid]) {
    await row.getByText(text).first().waitFor();
  }
  await page.getByText("no answer from user").first().waitFor();
  fake.levels(() => 0.1);
  await row.getByText("4.31").waitFor();
  await row.getByText("1.2 %").waitFor();
  await row.getByText("3.4 ms").waitFor();
  const painted = await row.locator("canvas.wave").evaluate((canvas) => {
    const { width, height } = canvas as unknown as { width: number; height: number };
    const drawing = (canvas as unknown as {
      getContext(kind: "2d"): {
        getImageData(...box: number[]): { data: Uint8ClampedArray };
      };
    }).getContext("2d");
    const { data } = drawing.getImageData(0, 0, width, height);
    return data.filter((_, i) => i % 4 === 3).some((alpha) => alpha > 0);
  });
  ok(painted, "nothing is drawn");
  const command = `telequick gateway hangup --tenant acme ${callSid}`;
  await row.getByText(command).waitFor();
  await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
  await row.getByRole("button", { name: "Copy the command that hangs up" }).click();
  await row.getByText("Copied").waitFor();
  equal(await page.evaluate("navigator.clipboard.readText()"), command);
  await row.getByRole("button", { name: "Hang up" }).click();
  await row.getByText("COMPLETED, Q.850 16").waitFor();
  same(fake.asked.at(-1), { endCall: callSid, q850Cause: 16, tenantId: "acme" });
  same(stage.faults, []);
});

Deno.test("the page shows a refusal with the gateway's own reason and the catalogue's fix", async () => {
  const fake = busyGateway();
  await using stage = await openPanel({ gateway: fake.gateway });
  fill(fake);
  const page = await stage.open();
  await choose(page, "Refusals");
  const refusal = page.getByRole("listitem").filter({ hasText: "Session refused" }).first();
  await refusal.getByText("Key k is revoked").waitFor();
  await refusal.getByText("Install the current service-account file").waitFor();
  await refusal.getByText("telequick explain revoked").waitFor();
  const rpc = page.getByRole("listitem").filter({ hasText: "Originate refused" }).first();
  await rpc.getByText("Use a trunk of the tenant").waitFor();
  same(stage.faults, []);
});

Deno.test("a key is revoked and faults are set and removed by the keyboard alone", async () => {
  const fake = new FakePanelGateway();
  await using stage = await openPanel({ gateway: fake.gateway });
  const page = await stage.open();
  /** Tabs until something with this name has the focus. */
  const reach = async (name: RegExp): Promise<void> => {
    for (let i = 0; i < 60; i++) {
      await page.keyboard.press("Tab");
      const text = await page.evaluate(
        "document.activeElement.ariaLabel || document.activeElement.id || document.activeElement.textContent",
      );
      if (name.test(String(text))) return;
    }
    throw new Error(`The focus never came to ${name}`);
  };
  await reach(/^tab-tq-calls$/);
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("ArrowRight");
  await page.getByRole("tabpanel", { name: "Tenants" }).waitFor();
  await reach(/^Revoke key-1$/);
  await page.keyboard.press("Enter");
  await page.keyboard.press("Enter");
  await page.getByText("sdk, revoked").waitFor();
  same(fake.asked, [{ revoke: { tenantId: "acme", privateKeyId: "key-1" } }]);
  await page.getByRole("tab", { name: "Tenants" }).focus();
  await page.keyboard.press("End");
  await reach(/^lossPercent$/);
  await page.keyboard.type("7");
  await reach(/^Set faults$/);
  await page.keyboard.press("Enter");
  await page.getByRole("button", { name: "Remove", exact: true }).waitFor();
  await reach(/^Remove$/);
  await page.keyboard.press("Enter");
  await until(() => Promise.resolve(fake.faults.length), (count) => count === 0);
  match(JSON.stringify(fake.asked), /"lossPercent":0?7/);
});

/** Runs a command line that the page shows: the shell splits it, a gateway's control takes it. */
async function runShown(line: string, credentials: string): Promise<void> {
  const { stdout } = await new Deno.Command("sh", {
    args: ["-c", `telequick() { printf '%s\\0' "$@"; }; ${line}`],
  }).output();
  const args = new TextDecoder().decode(stdout).split("\0").slice(0, -1);
  const env = {
    TELEQUICK_CREDENTIALS: credentials,
    // Nothing connects to it.
    TELEQUICK_ENDPOINT: "https://127.0.0.1:1",
    TELEQUICK_CERTIFICATE_HASH: "aGFzaGhhc2hoYXNoaGFzaGhhc2hoYXNoaGFzaGhhc2g=",
  };
  const { code, stderr } = await runCli([...args, ...(args[0] === "call-in" ? ["--detach"] : [])], {
    env,
  });
  equal(code, 0, `${line}: ${stderr}`);
}

Deno.test("the command line of every action does what its button does", async () => {
  const fake = new FakePanelGateway();
  // A shell would take it for something else, the command line for an option.
  const strange = "-it's $HOME";
  fake.keys = [{ ...fake.keys[0]!, tenantId: "globex", keyId: "-key" }];
  await using stage = await openPanel({ gateway: fake.gateway });
  await using folder = await temporaryFolder();
  const credentials = folder.at("account.json");
  await using control = new AsyncDisposableStack();
  const server = await openControl({
    ...{ gateway: fake.gateway, tenantId: "acme", credentials, folder: folder.path },
    ...{ endpoint: "https://127.0.0.1:1", platform: systemPlatform },
  });
  control.defer(() => server.close());
  await server.announce("");
  const page = await stage.open();
  /** Presses a button, then runs the command line with this label: both ask the gateway for the same. */
  const compare = async (label: string, press: () => Promise<void>): Promise<void> => {
    const line = await page.getByLabel(label, { exact: true }).first().textContent();
    fake.asked.length = 0;
    await press();
    await until(() => Promise.resolve(fake.asked.length), (count) => count > 0);
    await runShown(line!, credentials);
    equal(fake.asked.length, 2, line!);
    same(fake.asked[1], fake.asked[0], line!);
  };
  const click = (name: string) => () => page.getByRole("button", { name, exact: true }).click();

  fake.call(callOf(strange, { state: "answered" }), "CHANNEL_ANSWER", "ANSWERED");
  const row = page.getByRole("listitem").first();
  await row.getByRole("button").first().click();
  await compare(
    "the command that hangs up",
    () => row.getByRole("button", { name: "Hang up", exact: true }).click(),
  );

  await choose(page, "Tenants");
  await page.getByRole("button", { name: "Revoke -key" }).click();
  fake.unconfirmed = ["east", "west"];
  await compare("the command that revokes", click("Revoke for good"));
  await page.getByRole("alert").getByText("Not confirmed by east, west").waitFor();

  fake.call(callOf(strange, { state: "answered" }), "CHANNEL_ANSWER", "ANSWERED");
  await choose(page, "Faults");
  const set = "the command that sets these faults";
  await compare(set, click("Set faults"));
  await page.getByLabel("Loss (%)").fill("2.5");
  await page.getByLabel("Delay (ms)").fill("40");
  await page.getByLabel("Dials", { exact: true }).selectOption("4");
  await page.getByLabel("Lose every session").check();
  await compare(set, click("Set faults"));
  await page.getByLabel("Where").selectOption({ label: "Call with +15550120 of acme" });
  await compare(set, click("Set faults"));
  await page.getByLabel("Where").selectOption({ label: "Everywhere" });
  const remove = page.getByRole("button", { name: "Remove", exact: true });
  await remove.nth(1).waitFor();
  await compare("the command that removes them", () => remove.first().click());

  await stubPhone(page);
  await page.getByRole("button", { name: "Turn the phone on" }).click();
  await compare("the command that calls your agent", click("Call my agent"));
  await page.getByText("refused the call: SIP 180").waitFor();
  await page.evaluate("ring({ callSid: 'rings', status: 'RINGING' })");
  await compare("the command that ends the call", click("Decline"));
  same(stage.faults, []);
});

Deno.test("names from the wire are text", async () => {
  const fake = new FakePanelGateway();
  const hostile = '<img src="/api/state" onerror="alert(1)"><b>bold</b>';
  await using stage = await openPanel({ gateway: fake.gateway });
  fake.keys = [{ ...fake.keys[0]!, keyId: hostile, tenantId: "acme" }];
  fake.call(
    callOf("h", { to: hostile, from: hostile, trunkId: hostile }),
    "CHANNEL_CREATE",
    hostile,
  );
  fake.log({ event: "session.refused", code: 401, keyId: hostile, reason: hostile });
  const page = await stage.open();
  await page.getByRole("listitem").first().getByRole("button").first().click();
  for (const tab of tabs) await choose(page, tab);
  equal(await page.locator("b, img").count(), 0);
  ok((await page.locator("body").textContent())!.includes(hostile));
  same(stage.faults, []);
});

Deno.test("the key leaves the address, and without it the page says what to do", async () => {
  await using stage = await openPanel({ gateway: new FakePanelGateway().gateway });
  const page = await stage.open();
  equal(page.url(), `${stage.origin}/`);
  await page.reload();
  await page.getByText("Live", { exact: true }).waitFor();
  const other = await stage.browser.newPage();
  for (const hash of ["", "#AAAA"]) {
    await other.goto("about:blank");
    await other.goto(`${stage.origin}/${hash}`);
    const advice = "take the panel's URL again from the terminal";
    await other.getByText(advice).waitFor();
    await other.getByRole("button", { name: "Turn the phone on" }).click();
    await other.getByRole("status").getByText(advice).waitFor();
  }
});

Deno.test("a place that is gone stays chosen for faults, and the program names it", async () => {
  const fake = new FakePanelGateway();
  await using stage = await openPanel({ gateway: fake.gateway });
  fake.call(callOf(callSid, { state: "answered" }), "CHANNEL_ANSWER", "ANSWERED");
  const page = await stage.open();
  await choose(page, "Faults");
  const label = "Call with +15550120 of acme";
  const where = page.getByLabel("Where");
  await where.selectOption({ label });
  fake.endCall(callSid);
  for (let i = 0; i < 2; i++) {
    await page.locator("option:checked", { hasText: /acme \(has ended\)$/ })
      .waitFor({ state: "attached" });
    await page.locator("tq-faults form code", { hasText: callSid }).waitFor();
    // Another change of the places keeps it as it is.
    fake.call(
      callOf("other", { to: "+15550102", state: "answered" }),
      "CHANNEL_ANSWER",
      "ANSWERED",
    );
    await page.locator("option", { hasText: "+15550102" }).waitFor({ state: "attached" });
  }
  await page.getByRole("button", { name: "Set faults" }).click();
  await until(() => Promise.resolve(fake.asked.length), (count) => count === 2);
  match(JSON.stringify(fake.asked.at(-1)), new RegExp(`"callSid":"${callSid}"`));
  await where.selectOption({ label: "Everywhere" });
  fake.endCall("other");
  await page.locator("option", { hasText: "has ended" }).waitFor({ state: "detached" });
  same(stage.faults, []);
});

/** In place of the package's modules: a phone whose calls and looks for them a test decides. */
async function stubPhone(page: Page): Promise<void> {
  const serve = (path: string, body: string): Promise<unknown> =>
    page.route(
      `**/esm/${path}`,
      (route) => route.fulfill({ contentType: "text/javascript", body }),
    );
  await serve(
    "browser.js",
    `const level = () => ({ input: 0, output: 0 });
    export const openAudio = async () =>
      ({ context: new AudioContext(), state: "running", level, connect() {}, close() {} });`,
  );
  await serve(
    "index.js",
    `globalThis.looks = [];
    export class TeleQuickClient {
      async connect() {}
      async *events() { for (;;) yield await new Promise((resolve) => globalThis.ring = resolve); }
      async answerIncomingCall() {
        return { ended: new Promise(() => {}), hangUp: async () => { throw new Error("Unknown call"); } };
      }
      getIncomingCalls() { return new Promise((_, reject) => looks.push(reject)); }
      async close() {}
    }`,
  );
}

Deno.test("a look for calls that fails late ends no phone that was turned on since", async () => {
  await using stage = await openPanel({ gateway: new FakePanelGateway().gateway });
  const page = await stage.open();
  await stubPhone(page);
  for (let i = 0; i < 2; i++) {
    if (i > 0) await page.getByRole("button", { name: "Turn the phone off" }).click();
    await page.getByRole("button", { name: "Turn the phone on" }).click();
    await page.getByText("Waiting for a call").waitFor();
  }
  await page.evaluate("looks[0](new Error('closed'))");
  equal(await page.getByRole("button", { name: "Turn the phone off" }).isVisible(), true);
  await page.evaluate("looks[1](new Error('too many requests'))");
  await page.getByRole("status").getByText("too many requests").waitFor();
  equal(await page.getByRole("button", { name: "Turn the phone off" }).isVisible(), true);
  same(stage.faults, []);
});

Deno.test("a call whose end the client did not hear is over in the page", async () => {
  const fake = new FakePanelGateway();
  await using stage = await openPanel({ gateway: fake.gateway });
  const page = await stage.open();
  await stubPhone(page);
  await page.getByRole("button", { name: "Turn the phone on" }).click();
  await page.getByText("Waiting for a call").waitFor();
  const call = callOf(callSid, { tenantId: "phone", trunkId: "desk", direction: "inbound" });
  fake.call({ ...call, state: "ringing" }, "CHANNEL_CREATE", "RINGING");
  await page.evaluate(`ring({ callSid: "${callSid}", status: "RINGING" })`);
  await page.getByRole("button", { name: "Answer" }).click();
  fake.call({ ...call, state: "answered" }, "CHANNEL_ANSWER", "ANSWERED");
  await page.getByText("On a call").waitFor();
  await page.getByLabel("Phone").getByRole("button", { name: "Hang up" }).click();
  await page.getByRole("status").getByText("Unknown call").waitFor();
  fake.call({ ...call, state: "ended" }, "CHANNEL_HANGUP_COMPLETE", "COMPLETED", 16);
  await page.getByText("Call ended: normal call clearing").waitFor();
  await page.getByRole("button", { name: "Turn the phone off" }).waitFor();
  same(stage.faults, []);
});

for (const colorScheme of ["light", "dark"] as const) {
  Deno.test(`axe finds nothing in the ${colorScheme} scheme, and 360 pixels are wide enough`, async () => {
    const fake = new FakePanelGateway();
    await using stage = await openPanel({ gateway: fake.gateway });
    const empty = await stage.open({ colorScheme, viewport: { width: 360, height: 740 } });
    same(await findFaults(empty), []);
    fill(fake);
    await empty.close();
    for (const width of [1_280, 360]) {
      const page = await stage.open({
        ...{ colorScheme, viewport: { width, height: 740 }, reducedMotion: "reduce" },
      });
      await page.getByRole("listitem").first().getByRole("button").first().click();
      const animation = await page.evaluate(`(() => {
        const phone = document.querySelector("tq-phone");
        const name = () => getComputedStyle(phone).animationName;
        phone.dataset.state = "ringing";
        return name();
      })()`);
      equal(animation, "none", "motion is to be reduced");
      for (const tab of tabs) {
        await choose(page, tab);
        if (tab === "Tenants") await page.getByRole("button", { name: /^Revoke/ }).first().click();
        same(await findFaults(page), [], `${tab} at ${width}`);
      }
      await page.close();
    }
  });
}

Deno.test("fifty live calls and a thousand events leave a list of fifty rows", async () => {
  const fake = new FakePanelGateway();
  await using stage = await openPanel({ gateway: fake.gateway });
  const page = await stage.open();
  const answerMs = Date.now();
  for (let i = 0; i < 150; i++) {
    const call = callOf(`old-${i}`, { to: `+1555${i}`, state: "ended" });
    fake.call(call, "CHANNEL_HANGUP_COMPLETE", "COMPLETED", 16);
  }
  for (let i = 0; i < 50; i++) {
    const call = callOf(`live-${i}`, { state: "answered", answerMs, to: `+1666${i}` });
    for (let j = 0; j < 17; j++) fake.call(call, "CHANNEL_ANSWER", "ANSWERED");
  }
  await page.getByText("and 150 more").waitFor();
  equal(await page.locator("tq-call").count(), 50);
  equal(await page.locator('tq-call .badge[data-state="answered"]').count(), 50);
  for (let i = 0; i < 10; i++) fake.levels(() => 0.1);
  same(stage.faults, []);
});
