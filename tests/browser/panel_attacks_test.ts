import { deepStrictEqual as same, equal, ok } from "node:assert/strict";
import type { Page } from "playwright-core";
import { FakePanelGateway } from "../support/panel_gateway.ts";
import { openPanel, type PanelStage } from "./support/panel.ts";
import { until } from "./support/wait.ts";

const evilName = "evil.example";

interface Range extends AsyncDisposable {
  readonly stage: PanelStage;
  readonly fake: FakePanelGateway;
  /** A page of another port of 127.0.0.1: another origin, and the same site. */
  readonly evil: Page;
  /** The statuses with which the panel answered that page, by path. */
  readonly statuses: Map<string, number>;
}

async function openRange(): Promise<Range> {
  const fake = new FakePanelGateway();
  const stage = await openPanel({
    gateway: fake.gateway,
    flags: [`--host-resolver-rules=MAP ${evilName} 127.0.0.1`],
  });
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    () =>
      new Response("<!doctype html><title>evil</title>", {
        headers: { "content-type": "text/html" },
      }),
  );
  const evil = await stage.browser.newPage();
  await evil.goto(`http://127.0.0.1:${server.addr.port}/`);
  // What the network brought: a response that the browser withholds from the page has a status here too.
  const statuses = new Map<string, number>();
  const paths = new Map<string, string>();
  const codes = new Map<string, number>();
  // The two events of a request come in either order.
  const note = (requestId: string): void => {
    const [path, code] = [paths.get(requestId), codes.get(requestId)];
    if (path !== undefined && code !== undefined) statuses.set(path, code);
  };
  const protocol = await evil.context().newCDPSession(evil);
  protocol.on("Network.requestWillBeSent", ({ requestId, request: { url } }) => {
    if (!url.startsWith(stage.origin)) return;
    paths.set(requestId, new URL(url).pathname);
    note(requestId);
  });
  protocol.on("Network.responseReceivedExtraInfo", ({ requestId, statusCode }) => {
    codes.set(requestId, statusCode);
    note(requestId);
  });
  await protocol.send("Network.enable");
  return {
    ...{ stage, fake, evil, statuses },
    async [Symbol.asyncDispose]() {
      await stage[Symbol.asyncDispose]();
      await server.shutdown();
    },
  };
}

/** Runs a function's source in a page, and gives what it resolves with. */
async function runIn<T>(page: Page, program: string): Promise<T> {
  return await page.evaluate(`(async () => { ${program} })()`) as T;
}

Deno.test("G-35 DNS rebinding: the panel under another name is 421", async () => {
  await using range = await openRange();
  const { stage, fake } = range;
  const { port } = new URL(stage.origin);
  const page = await stage.browser.newPage();
  const response = await page.goto(`http://${evilName}:${port}/`);
  equal(response?.status(), 421);
  // What the page of that name would do: it is the origin, so that nothing of the browser stands in its way.
  const status = await runIn(
    page,
    `
    const response = await fetch("/api/revoke", {
      method: "POST",
      headers: { "content-type": "application/json", authorization: "Bearer ${stage.key}" },
      body: '{"tenantId":"acme","keyId":"key-1"}',
    });
    return response.status;`,
  );
  equal(status, 421);
  same(fake.asked, []);
});

Deno.test("G-35 another port of 127.0.0.1: nothing that it sends is done, nothing is read", async (t) => {
  await using range = await openRange();
  const { stage: { origin, key, url }, fake, evil, statuses } = range;
  /** Waits until the panel has refused what was sent to a path. */
  const refused = async (path: string): Promise<void> => {
    equal(
      await until(() => Promise.resolve(statuses.get(path)), (status) => status !== undefined),
      403,
    );
  };

  await t.step("a POST of text/plain, which needs no preflight: 403", async () => {
    await runIn(
      evil,
      `
      await fetch("${origin}/api/revoke", {
        method: "POST", mode: "no-cors", headers: { "content-type": "text/plain" },
        body: '{"tenantId":"acme","keyId":"key-1"}',
      }).catch(() => {});`,
    );
    await refused("/api/revoke");
  });

  await t.step("a POST of JSON with the key: the preflight is refused", async () => {
    const outcome = await runIn(
      evil,
      `
      return await fetch("${origin}/api/hangup", {
        method: "POST",
        headers: { "content-type": "application/json", authorization: "Bearer ${key}" },
        body: '{"tenantId":"acme","callSid":"c"}',
      }).then(() => "sent", () => "blocked");`,
    );
    equal(outcome, "blocked");
  });

  await t.step("a GET with the key: the preflight is refused", async () => {
    const outcome = await runIn(
      evil,
      `
      return await fetch("${origin}/api/state", { headers: { authorization: "Bearer ${key}" } })
        .then((response) => response.text(), () => "blocked");`,
    );
    equal(outcome, "blocked");
  });

  await t.step("an image: 403", async () => {
    const outcome = await runIn(
      evil,
      `
      return await new Promise((resolve) => {
        const image = new Image();
        image.onload = () => resolve("loaded");
        image.onerror = () => resolve("blocked");
        image.src = "${origin}/panel/icon.svg";
      });`,
    );
    equal(outcome, "blocked");
    await refused("/panel/icon.svg");
  });

  await t.step("a script: 403", async () => {
    const outcome = await runIn(
      evil,
      `
      return await new Promise((resolve) => {
        const script = document.createElement("script");
        script.onload = () => resolve("loaded");
        script.onerror = () => resolve("blocked");
        script.src = "${origin}/panel/main.js";
        document.head.append(script);
      });`,
    );
    equal(outcome, "blocked");
    await refused("/panel/main.js");
  });

  await t.step("a frame, with the key in its address: 403, and nothing in it", async () => {
    await runIn(
      evil,
      `
      await new Promise((resolve) => {
        const frame = document.createElement("iframe");
        frame.onload = resolve;
        frame.src = "${url}";
        document.body.append(frame);
      });`,
    );
    await refused("/");
    const [, frame] = evil.frames();
    ok(!(await frame!.content()).includes("tq-panel"));
  });

  await t.step("a WebSocket: never opened", async () => {
    const outcome = await runIn(
      evil,
      `
      return await new Promise((resolve) => {
        const socket = new WebSocket("${origin.replace("http", "ws")}/api/events");
        socket.onopen = () => resolve("open");
        socket.onerror = () => resolve("blocked");
      });`,
    );
    equal(outcome, "blocked");
  });

  await t.step("a form that goes there: 403", async () => {
    statuses.clear();
    await runIn(
      evil,
      `
      const form = document.createElement("form");
      form.method = "POST";
      form.enctype = "text/plain";
      form.action = "${origin}/api/revoke";
      document.body.append(form);
      form.submit();`,
    );
    await evil.getByText("another origin").waitFor();
    await refused("/api/revoke");
  });

  same(fake.asked, []);
});

Deno.test("G-35 its own origin without the key: 401", async () => {
  await using range = await openRange();
  const { stage, fake } = range;
  const page = await stage.browser.newPage();
  await page.goto(`${stage.origin}/`);
  const statuses = await runIn(
    page,
    `
    const asks = [
      fetch("/api/state"),
      fetch("/api/events"),
      fetch("/api/token", { method: "POST", headers: { "content-type": "application/json" }, body: "{}" }),
      fetch("/api/state", { headers: { authorization: "Bearer ${"A".repeat(32)}" } }),
    ];
    return (await Promise.all(asks)).map(({ status }) => status);`,
  );
  same(statuses, [401, 401, 401, 401]);
  same(fake.asked, []);
});

Deno.test("G-35 the page's own policy: no inline script, no HTML from text, no other host", async () => {
  await using range = await openRange();
  const page = await range.stage.open();
  const outcome = await runIn(
    page,
    `
    const outcomes = [];
    const script = document.createElement("script");
    try {
      script.textContent = "globalThis.isOwned = true";
      document.head.append(script);
      outcomes.push(globalThis.isOwned === true ? "ran" : "blocked");
    } catch { outcomes.push("blocked"); }
    try {
      document.body.insertAdjacentHTML("beforeend", "<b>html</b>");
      outcomes.push("inserted");
    } catch { outcomes.push("blocked"); }
    outcomes.push(await fetch("http://127.0.0.1:1/").then(() => "sent", () => "blocked"));
    return outcomes;`,
  );
  same(outcome, ["blocked", "blocked", "blocked"]);
});
