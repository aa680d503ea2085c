import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { describe, it } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { decodeToken, importSigner, signToken, TeleQuickClient } from "../../mod.ts";
import { parseServiceAccount } from "../../src/credentials/mod.ts";
import { createCertificate, createGateway } from "../../src/gateway/mod.ts";
import type { Clock } from "../../src/base/signal.ts";
import type { WebTransportConstructor, WebTransportOptionsLike } from "../../src/transport/mod.ts";
import { hasCode } from "../support/client_kit.ts";
import { FakeClock } from "../../src/testing/mod.ts";
import { scriptedGateway } from "../../src/testing/mod.ts";
import { testAccount, TestGateway } from "../support/tenant_kit.ts";
import { UNSIGNED_TOKEN } from "../support/unsigned_token.ts";

const ROOT = new URL("../../", import.meta.url);

interface Dialling {
  readonly webTransport: WebTransportConstructor;
  readonly urls: string[];
  readonly options: (WebTransportOptionsLike | undefined)[];
}

/** Notes what is dialled, and passes it on. */
function noting(inner: WebTransportConstructor): Dialling {
  const urls: string[] = [];
  const options: (WebTransportOptionsLike | undefined)[] = [];
  function Noting(url: string, given?: WebTransportOptionsLike) {
    urls.push(url);
    options.push(given);
    return new inner(url);
  }
  return { webTransport: Noting as unknown as WebTransportConstructor, urls, options };
}

describe("C-04 PEM shapes", () => {
  it("C-04 what shells and editors do to a PEM is forgiven; another thing is named and not repeated", async () => {
    const { account } = await testAccount("acme");
    const { privateKey: pem } = account;
    const forgiven = [
      pem.replaceAll("\n", "\\n"),
      pem.replaceAll("\n", "\r\n"),
      pem.trimEnd(),
      `\uFEFF${pem}`,
      `"${pem}"`,
      btoa(pem),
      JSON.stringify([pem]),
    ];
    for (const privateKey of forgiven) {
      assert.equal((await importSigner({ ...account, privateKey })).keyId, account.privateKeyId);
    }
    const body = pem.split("\n").slice(1, -2).join("");
    const refused: [string, RegExp][] = [
      [pem.replaceAll("PRIVATE KEY", "ENCRYPTED PRIVATE KEY"), /ENCRYPTED PRIVATE KEY/],
      [pem.replaceAll("PRIVATE KEY", "EC PRIVATE KEY"), /EC PRIVATE KEY/],
      [pem.replaceAll("PRIVATE KEY", "PUBLIC KEY"), /PUBLIC KEY/],
      [`${pem}${pem}`, /several PEM blocks/],
      [body.slice(0, 400), /no PEM block/],
      ["", /no PEM block/],
    ];
    for (const [privateKey, names] of refused) {
      await assert.rejects(importSigner({ ...account, privateKey }), (error: Error) => {
        assert.match(error.message, names);
        assert.ok(!`${error.stack}`.includes(body.slice(0, 40)));
        return true;
      });
    }
  });
});

describe("C-06 endpoints", () => {
  it("C-06 anything but https and quic is refused by the constructor, before any I/O", () => {
    const refused = [
      ...["http://gateway.test:9090", "http://localhost:9090", "ws://gateway.test", "file:///etc"],
      ...["javascript:alert(1)", "https://user:pass@gateway.test", "https://gateway.test/#part"],
      ...[
        "https://",
        "https://:9090",
        "",
        "gateway.test:9090",
        "https://gateway.test:0",
        "data:,x",
      ],
      ...["https://gate way.test", "https://gateway.test\n", "https:\\\\gateway.test"],
    ];
    for (const endpoint of refused) {
      assert.throws(
        () => new TeleQuickClient(endpoint, () => UNSIGNED_TOKEN, true),
        hasCode("ERR_ENDPOINT_INVALID"),
        endpoint,
      );
    }
  });

  it("C-06 quic is rewritten, IPv6 and international names are dialled as they are spelt on the wire", async () => {
    const expected: [string, string][] = [
      ["quic://gateway.test", "https://gateway.test:9090"],
      ["https://[::1]:9443", "https://[::1]:9443"],
      ["https://b\u00fccher.test:1", "https://xn--bcher-kva.test:1"],
    ];
    for (const [endpoint, origin] of expected) {
      const dialling = noting(scriptedGateway().webTransport);
      const client = new TeleQuickClient(endpoint, () => UNSIGNED_TOKEN, true, {
        webTransport: dialling.webTransport,
        clock: new FakeClock(),
      });
      await client.connect();
      assert.deepEqual(dialling.urls.map((url) => new URL(url).origin), [origin]);
      await client.close();
    }
  });
});

describe("C-07 TLS", () => {
  it("C-07 a hash is 32 bytes in canonical base64 or hexadecimal, or it is refused before anything is dialled; none turns nothing off", async () => {
    const good = btoa("x".repeat(32));
    for (const hash of ["abcd", "00".repeat(31), btoa("x".repeat(31)), `${good}=`, "*", "any"]) {
      const dialling = noting(scriptedGateway().webTransport);
      const client = new TeleQuickClient("https://gateway.test", () => UNSIGNED_TOKEN, true, {
        webTransport: dialling.webTransport,
        serverCertificateHash: hash,
        clock: new FakeClock(),
      });
      await assert.rejects(client.connect(), { name: "TeleQuickError" }, hash);
      assert.deepEqual(dialling.urls, [], hash);
    }
    for (const hash of [undefined, "", "none", good]) {
      const dialling = noting(scriptedGateway().webTransport);
      const client = new TeleQuickClient("https://gateway.test", () => UNSIGNED_TOKEN, true, {
        webTransport: dialling.webTransport,
        serverCertificateHash: hash,
        clock: new FakeClock(),
        ...{ rejectUnauthorized: false, insecure: true },
      });
      await client.connect();
      const [given] = dialling.options;
      assert.deepEqual(Object.keys(given ?? {}), hash === good ? ["serverCertificateHashes"] : []);
      await client.close();
    }
  });

  it("C-07 a gateway with another certificate than the pinned one is not spoken to", async () => {
    await using gateway = createGateway();
    const listener = await gateway.listen({ hostname: "127.0.0.1", port: 0 });
    const other = await createCertificate();
    const client = new TeleQuickClient(listener.endpoint, () => UNSIGNED_TOKEN, true, {
      serverCertificateHash: other.certificatePem,
    });
    await assert.rejects(client.connect(), (error: Error) => {
      hasCode("ERR_CONNECT_FAILED")(error);
      assert.match(error.message, /SHA-256/);
      return true;
    });
    await client.close();
    await listener.close();
  });
});

describe("C-08 no I/O but to the endpoint", () => {
  it("C-08 importing the package needs no permission", async () => {
    const folder = await mkdtemp(join(tmpdir(), "telequick-"));
    try {
      const doors = ["mod.ts", "src/token/mod.ts", "src/wire/mod.ts", "src/audio/mod.ts"];
      const imports = doors.map((door) => `import ${JSON.stringify(`${new URL(door, ROOT)}`)};`);
      const script = join(folder, "import.ts");
      await writeFile(script, `${imports.join("\n")}\nconsole.log("imported");\n`);
      const { stdout } = await promisify(execFile)(process.execPath, [
        ...["run", "--quiet", "--no-prompt", "--no-check", "--no-remote"],
        ...["--config", fileURLToPath(new URL("deno.json", ROOT)), `${pathToFileURL(script)}`],
      ]);
      assert.equal(stdout.trim(), "imported");
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it("C-08 nothing but the endpoint is dialled, through losses and renewals, and no token is in a URL", async () => {
    const clock = new FakeClock();
    const gateway = scriptedGateway();
    const dialling = noting(gateway.webTransport);
    const client = new TeleQuickClient(
      "https://gateway.test:9090/road?x=1",
      () => UNSIGNED_TOKEN,
      true,
      {
        webTransport: dialling.webTransport,
        clock,
      },
    );
    await client.connect();
    await client.renew();
    gateway.peers.at(-1)!.pair.sever();
    await clock.advance(1_000);
    assert.equal(client.stats().session.opened, 3);
    assert.deepEqual(new Set(dialling.urls), new Set(["https://gateway.test:9090/road?x=1"]));
    await client.close();
  });
});

describe("C-09 browser pages", () => {
  it("C-09 a page does not get to use a service account, does with a token, and nothing is stored", async () => {
    const { account } = await testAccount("acme");
    const touched: string[] = [];
    const trap = (name: string): object =>
      new Proxy({}, {
        get: (_, key) => void touched.push(`${name}.${String(key)}`),
        set: (_, key) => touched.push(`${name}.${String(key)} =`) > 0,
      });
    const names = ["document", "localStorage", "sessionStorage", "indexedDB"];
    const before = names.map((name) => Object.getOwnPropertyDescriptor(globalThis, name));
    for (const name of names) {
      Object.defineProperty(globalThis, name, { value: trap(name), configurable: true });
    }
    try {
      const clock = new FakeClock();
      const dialling = noting(scriptedGateway().webTransport);
      const options = { webTransport: dialling.webTransport, clock };
      const wrong = new TeleQuickClient("https://gateway.test", account, false, options);
      await assert.rejects(wrong.connect(), (error: Error) => {
        hasCode("ERR_CREDENTIALS_INVALID")(error);
        assert.match(error.message, /browser page/);
        return true;
      });
      assert.deepEqual(dialling.urls, []);
      await wrong.close();
      const right = new TeleQuickClient(
        "https://gateway.test",
        () => UNSIGNED_TOKEN,
        true,
        options,
      );
      await right.connect();
      await right.renew();
      await right.close();
      assert.deepEqual(touched, []);
    } finally {
      for (const [at, name] of names.entries()) {
        const own = before[at];
        if (own === undefined) Reflect.deleteProperty(globalThis, name);
        else Object.defineProperty(globalThis, name, own);
      }
    }
  });
});

describe("C-11 clock skew", () => {
  function shifted(clock: Clock, ms: number): Clock {
    return {
      now: () => clock.now() + ms,
      monotonic: () => clock.monotonic(),
      schedule: (wait, callback) => clock.schedule(wait, callback),
    };
  }

  it("C-11 a token never begins in the future of the clock that minted it", async () => {
    const { signer } = await testAccount("acme");
    for (const now of [1_800_000_000_000, 1_800_000_000_001, 1_800_000_000_999]) {
      const { iat, exp } = decodeToken(await signToken(signer, { now })).claims;
      assert.ok(typeof iat === "number" && iat * 1_000 <= now && exp === iat + 3_600);
    }
  });

  it("C-11 a clock that is wrong is named: in the refusal, and in the report of check()", async () => {
    await using setup = new TestGateway();
    const { account } = await setup.addTenant("acme");
    const connect = (ms: number, correctClock = false): TeleQuickClient =>
      new TeleQuickClient("https://gateway.test", account, false, {
        webTransport: setup.gateway.webTransport,
        clock: shifted(setup.clock, ms),
        correctClock,
      });
    const fast = connect(600_000);
    await assert.rejects(
      fast.connect(),
      /it begins 600 s after the gateway's time; this machine's clock is 600 s ahead of the gateway's: set it, or pass correctClock: true/,
    );
    await fast.close();
    const slow = connect(-7_200_000, true);
    await assert.rejects(slow.connect(), /clock is 7200 s behind the gateway's: set it\)/);
    await slow.close();
    for (const ms of [31_000, 600_000, -3_700_000 + 3_100_000]) {
      const corrected = connect(ms, true);
      await corrected.connect();
      assert.equal(corrected.stats().session.status, "open");
      const closed = corrected.close();
      await setup.clock.advance(10_000);
      await closed;
    }
    const behind = connect(-60_000);
    const report = await behind.check();
    assert.equal(report.verdict, "degraded");
    assert.equal(report.clockOffsetMs, 60_000);
    assert.deepEqual(report.reasons.map(({ code }) => code), ["clock"]);
    const closing = behind.close();
    await setup.clock.advance(10_000);
    await closing;
  });
});

describe("C-13 dependencies", () => {
  it("C-13 the package imports nothing but itself, and what its tests import is pinned and locked", async () => {
    const doors = ["token", "wire", "audio", "client", "credentials", "transport", "gateway"];
    for (const room of doors) {
      const folder = new URL(`src/${room}/`, ROOT);
      for (const name of await readdir(folder)) {
        if (!name.endsWith(".ts")) continue;
        const text = await readFile(new URL(name, folder), "utf8");
        for (const [, from] of text.matchAll(/^(?:import|export)\b[^;]*?from "([^"]+)";/gm)) {
          assert.match(from!, /^\.\.?\//, `${room}/${name}`);
        }
      }
    }
    const { imports } = JSON.parse(await readFile(new URL("deno.json", ROOT), "utf8"));
    for (const [name, target] of Object.entries(imports)) {
      assert.match(`${target}`, /^npm:(@[\w-]+\/)?[\w.-]+@\d+\.\d+\.\d+$/, name);
    }
    const lock = JSON.parse(await readFile(new URL("deno.lock", ROOT), "utf8"));
    for (const [name, { integrity }] of Object.entries<{ integrity: string }>(lock.npm)) {
      assert.match(integrity, /^sha512-/, name);
    }
    assert.throws(() => parseServiceAccount("{}"), { name: "TeleQuickError" });
  });
});
