import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { TeleQuickClient, type TeleQuickClientLike, TeleQuickError } from "../../../mod.ts";
import { readEnvironment } from "../../../src/client/environment.ts";
import { FakeClock, scriptedGateway } from "../../../src/testing/mod.ts";
import { testAccount } from "../../support/tenant_kit.ts";
import { UNSIGNED_TOKEN } from "../../support/unsigned_token.ts";

/** Runs with environment variables, and puts back what was there. */
async function withEnvironment(
  variables: Readonly<Record<string, string>>,
  run: () => unknown,
): Promise<void> {
  const { env } = (await import("node:process")).default;
  const names = ["TELEQUICK_ENDPOINT", "TELEQUICK_CERTIFICATE_HASH", "TELEQUICK_TRUNK"];
  const before = names.map((name) => env[name]);
  for (const name of names) delete env[name];
  Object.assign(env, variables);
  try {
    await run();
  } finally {
    for (const [index, name] of names.entries()) {
      if (before[index] === undefined) delete env[name];
      else env[name] = before[index];
    }
  }
}

/** A gateway that notes with what it is dialled. */
function noting() {
  const gateway = scriptedGateway();
  const dialled: { url: string; hashes: number }[] = [];
  function Noting(url: string, options: { serverCertificateHashes?: unknown[] } = {}) {
    dialled.push({ url, hashes: options.serverCertificateHashes?.length ?? 0 });
    return new gateway.webTransport(url);
  }
  return { dialled, gateway, webTransport: Noting as unknown as typeof gateway.webTransport };
}

const HASH = btoa("\u0001".repeat(32));

describe("TeleQuickClient in an environment", () => {
  it("takes endpoint, certificate and trunk from variables", async () => {
    const { dialled, gateway, webTransport } = noting();
    const variables = {
      TELEQUICK_ENDPOINT: "https://gateway.test:9191",
      TELEQUICK_CERTIFICATE_HASH: HASH,
      TELEQUICK_TRUNK: "main",
    };
    await withEnvironment(variables, async () => {
      const client = new TeleQuickClient(undefined, () => UNSIGNED_TOKEN, { webTransport });
      await client.dial({ to: "+15550100" });
      assert.deepEqual(dialled, [{ url: "https://gateway.test:9191/", hashes: 1 }]);
      assert.equal(gateway.peers[0]?.requests.at(-1)?.fields["trunkId"], "main");
      await client.close();
    });
  });

  it("takes several certificates, separated by commas, from the variable and from the option", async () => {
    const both = `${HASH},${btoa("\u0002".repeat(32))}`;
    const { dialled, webTransport } = noting();
    const variables = {
      TELEQUICK_ENDPOINT: "https://gateway.test",
      TELEQUICK_CERTIFICATE_HASH: both,
    };
    await withEnvironment(variables, async () => {
      for (const endpoint of [undefined, "https://other.test"]) {
        const client = new TeleQuickClient(endpoint, () => UNSIGNED_TOKEN, {
          webTransport,
          ...(endpoint !== undefined && { serverCertificateHash: both }),
        });
        await client.connect();
        await client.close();
      }
    });
    assert.deepEqual(dialled.map(({ hashes }) => hashes), [2, 2]);
  });

  it("leaves a certificate of the environment out where the endpoint is the program's own", async () => {
    const { dialled, webTransport } = noting();
    await withEnvironment({ TELEQUICK_CERTIFICATE_HASH: HASH }, async () => {
      const client = new TeleQuickClient("https://gateway.test", () => UNSIGNED_TOKEN, {
        webTransport,
      });
      await client.connect();
      assert.deepEqual(dialled.map(({ hashes }) => hashes), [0]);
      await client.close();
    });
  });

  it("names both ways where there is neither an endpoint nor a variable, and no trunk", async () => {
    await withEnvironment({}, async () => {
      assert.throws(
        () => new TeleQuickClient(undefined, () => UNSIGNED_TOKEN),
        (error: unknown) => {
          assert.ok(error instanceof TeleQuickError);
          assert.equal(error.code, "ERR_ENDPOINT_INVALID");
          assert.match(error.message, /as the first argument, .* or in .* TELEQUICK_ENDPOINT$/);
          return true;
        },
      );
      const client = new TeleQuickClient("https://gateway.test", () => UNSIGNED_TOKEN);
      await assert.rejects(
        client.dial({ to: "+15550100" }),
        /`trunkId` is missing, .* TELEQUICK_TRUNK/,
      );
      await client.close();
    });
  });

  it("counts an empty variable as not set", async () => {
    await withEnvironment({ TELEQUICK_ENDPOINT: "" }, () => {
      assert.equal(readEnvironment().endpoint, undefined);
    });
  });
});

describe("TeleQuickClient", () => {
  it("uses a service account in a page only where the options allow it", async () => {
    const { account } = await testAccount("acme");
    Object.defineProperty(globalThis, "document", { value: {}, configurable: true });
    try {
      const { webTransport } = noting();
      const refused = new TeleQuickClient("https://gateway.test", account, { webTransport });
      await assert.rejects(refused.connect(), /browser page/);
      await refused.close();
      const allowed = new TeleQuickClient("https://gateway.test", account, {
        webTransport,
        allowInBrowser: true,
      });
      await allowed.connect();
      await allowed.close();
    } finally {
      delete (globalThis as { document?: unknown }).document;
    }
  });

  it("takes the options as third argument, and refuses them twice", async () => {
    const { webTransport, dialled } = noting();
    const client = new TeleQuickClient("https://gateway.test", () => UNSIGNED_TOKEN, {
      webTransport,
      clientId: "me",
    });
    assert.equal(client.clientId, "me");
    await client.connect();
    assert.equal(dialled.length, 1);
    await client.close();
    assert.throws(
      () => new TeleQuickClient("https://gateway.test", () => UNSIGNED_TOKEN, {}, {}),
      /options were given twice/,
    );
  });

  it("draws no randomness and starts no timer when it is made, as at module scope of a Worker", () => {
    const clock = new FakeClock();
    const names = ["getRandomValues", "randomUUID"] as const;
    const before = names.map((name) => Object.getOwnPropertyDescriptor(Crypto.prototype, name)!);
    const { random } = Math;
    const refuse = (): never => {
      throw new Error("Disallowed operation called within global scope");
    };
    for (const name of names) {
      Object.defineProperty(Crypto.prototype, name, { value: refuse, configurable: true });
    }
    Math.random = refuse;
    let client: TeleQuickClient;
    try {
      client = new TeleQuickClient("https://gateway.test", () => UNSIGNED_TOKEN, { clock });
    } finally {
      Math.random = random;
      for (const [index, name] of names.entries()) {
        Object.defineProperty(Crypto.prototype, name, before[index]!);
      }
    }
    assert.equal(clock.pending, 0);
    assert.match(client.clientId, /^[0-9a-f-]{36}$/);
    assert.equal(client.clientId, client.clientId);
  });

  it("shows its state, and has an interface that a double can implement", async () => {
    const { webTransport } = noting();
    const client: TeleQuickClientLike = new TeleQuickClient(
      "https://gateway.test",
      () => UNSIGNED_TOKEN,
      { webTransport },
    );
    const states = [client.state.type];
    await client.connect();
    states.push(client.state.type);
    await client.close();
    states.push(client.state.type);
    assert.deepEqual(states, ["idle", "open", "closed"]);
    const double: Pick<TeleQuickClientLike, "state" | "close"> = {
      state: { type: "idle" },
      close: () => Promise.resolve(),
    };
    await double.close();
  });

  for (
    const name of [
      "connectTimeoutMs",
      "requestTimeoutMs",
      "drainTimeoutMs",
      "giveUpAfterMs",
    ]
  ) {
    for (const value of [NaN, -1, "5", null, {}]) {
      it(`refuses ${name}: ${JSON.stringify(value)}${Number.isNaN(value) ? " (NaN)" : ""}, and names it`, () => {
        assert.throws(
          () => new TeleQuickClient("https://gateway.test", () => "", { [name]: value }),
          new RegExp(`^(TypeError|TeleQuickError): Option ${name} is `),
        );
      });
    }
  }

  for (const name of ["reconnect", "watchCredentials", "correctClock", "allowInBrowser"]) {
    it(`refuses ${name}: "false", and names it`, () => {
      assert.throws(
        () => new TeleQuickClient("https://gateway.test", () => "", { [name]: "false" }),
        { name: "TypeError", message: `Option ${name} is a string, expected true or false` },
      );
    });
  }
});
