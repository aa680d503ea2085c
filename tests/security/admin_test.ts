import assert from "node:assert/strict";
import { rm, writeFile } from "node:fs/promises";
import { describe, it } from "node:test";
import type { GatewayLogRecord } from "../../src/gateway/mod.ts";
import { decodeToken, mintBrowserToken, signToken } from "../../src/token/mod.ts";
import { InboundRule, type Method, methods } from "../../src/wire/mod.ts";
import { settle } from "../../src/testing/mod.ts";
import { temporaryFolder } from "../support/folder.ts";
import type { RawClient } from "../support/raw_client.ts";
import { type TestAccount, testAccount, TestGateway } from "../support/tenant_kit.ts";

const NOT_ADMIN = "admin_token is not accepted";

interface Office {
  readonly admin: TestAccount;
  readonly client: RawClient;
  readonly adminToken: string;
}

async function openOffice(setup: TestGateway, tenantId = "acme"): Promise<Office> {
  const admin = await setup.addTenant(tenantId, { name: "admin", role: "admin" });
  return { admin, client: await setup.connect(admin), adminToken: await setup.token(admin) };
}

/** Every admin request, complete but for its token. */
const adminRequests: readonly (readonly [Method<unknown, unknown>, object])[] = [
  [methods.PublishServiceAccount, { tenantId: "acme", privateKeyId: "k", publicKeyPem: "x" }],
  [methods.RevokeServiceAccount, { tenantId: "acme", privateKeyId: "k" }],
  [methods.SessionAuth, { tenantId: "acme", subject: "u", ttlSeconds: 60 }],
  [methods.AddTrunk, { trunkId: "t" }],
  [methods.UpdateTrunk, { trunkId: "main" }],
  [methods.RemoveTrunk, { trunkId: "main" }],
  [methods.GetTrunk, { trunkId: "main" }],
];

describe("G-17 admin replies", () => {
  it("G-17 name no folder of the gateway's when its state cannot be written: the owner's log does", async () => {
    await using folder = await temporaryFolder();
    const records: GatewayLogRecord[] = [];
    const bootstrapSecret = "correct-horse-battery-staple";
    await using setup = new TestGateway({
      ...{ directory: folder.at("state"), bootstrapSecret },
      log: (record) => void records.push(record),
    });
    const { client, adminToken } = await openOffice(setup);
    const [second, fresh] = [await testAccount("acme", "second"), await testAccount("newcomer")];
    await rm(folder.at("state"), { recursive: true });
    await writeFile(folder.at("state"), "");
    const ids = { privateKeyId: second.keyId, publicKeyPem: second.publicKeyPem };
    const admin = { adminPublicKeyPem: fresh.publicKeyPem, adminPrivateKeyId: fresh.keyId };
    const requests: readonly (readonly [Method<unknown, unknown>, object])[] = [
      [methods.AddTrunk, { trunkId: "t" }],
      [methods.UpdateTrunk, { trunkId: "main", channelLimit: 7 }],
      [methods.RemoveTrunk, { trunkId: "main" }],
      [methods.PublishServiceAccount, { tenantId: "acme", ...ids }],
      [methods.BootstrapOrg, { bootstrapSecret, tenantId: "newcomer", ...admin }],
    ];
    for (const [method, request] of requests) {
      const { bytes } = await client.rpc(method, { adminToken, ...request });
      const text = new TextDecoder().decode(bytes);
      assert.match(text, /The gateway failed/, method.name);
      assert.ok(!text.includes("telequick-test"), method.name);
    }
    const failures = records.filter(({ event }) => event === "gateway.storage-failed");
    assert.equal(failures.length, requests.length);
    for (const { reason } of failures) assert.ok(reason!.includes(folder.at("state")));
    const trunk = async (trunkId: string) =>
      (await client.rpc(methods.GetTrunk, { adminToken, trunkId })).fault.errorMessage ||
      "there";
    assert.equal(await trunk("t"), "Unknown trunk_id", "what is refused is not done");
    assert.equal(await trunk("main"), "there");
    const { reply } = await client.rpc(methods.GetTrunk, { adminToken, trunkId: "main" });
    assert.notEqual(reply?.channelLimit, 7);
  });
});

describe("G-22 SessionAuth", () => {
  const ask = async (office: Office, more: object = {}) => {
    const { reply } = await office.client.rpc(methods.SessionAuth, {
      ...{ adminToken: office.adminToken, tenantId: "acme", subject: "user-1", ttlSeconds: 300 },
      ...more,
    });
    return reply!;
  };

  it("G-22 signs a token of at most 300 s, for any requested lifetime, and says when it ends", async () => {
    await using setup = new TestGateway({ tenantOrigins: { acme: "https://acme.example" } });
    const office = await openOffice(setup);
    const now = setup.clock.now();
    for (
      const [asked, given] of [[1, 1], [60, 60], [300, 300], [301, 300], [3_600, 300], [
        2 ** 31 - 1,
        300,
      ]]
    ) {
      const { token, expiresAtMs, errorMessage } = await ask(office, {
        ttlSeconds: asked,
        scope: "call.dial",
      });
      assert.equal(errorMessage, "");
      assert.equal(expiresAtMs, now + given! * 1_000);
      const { claims } = decodeToken(token);
      assert.deepEqual(claims, {
        ...{ iss: "telequick-sdk", sub: "acme", iat: now / 1_000, exp: now / 1_000 + given! },
        ...{ scope: "call.dial", origin: "https://acme.example", end_user: "user-1" },
      });
    }
    for (const ttlSeconds of [0, -1, -(2 ** 31)]) {
      const { token, errorMessage } = await ask(office, { ttlSeconds });
      assert.deepEqual([token, errorMessage], ["", "ttl_seconds is less than 1"]);
    }
  });

  it("G-22 signs no scope that it does not know, none for administrators, and no token for another", async () => {
    await using setup = new TestGateway();
    const office = await openOffice(setup);
    for (
      const scope of [
        "admin",
        "call.dial admin",
        "call.dial  call.barge",
        " call.dial",
        "*",
        "CALL.DIAL",
        "call.dial,call.barge",
      ]
    ) {
      assert.match((await ask(office, { scope })).errorMessage, /^scope has other words/, scope);
    }
    assert.equal((await ask(office, { subject: "" })).errorMessage, "subject is empty");
    assert.equal((await ask(office, { tenantId: "globex" })).errorMessage, NOT_ADMIN);
    assert.equal((await ask(office, { tenantId: "" })).errorMessage, NOT_ADMIN);
  });

  it("G-22 lets the token in where it belongs, for what its scope says, and for no admin request", async () => {
    await using setup = new TestGateway();
    const office = await openOffice(setup);
    const { token } = await ask(office, { scope: "call.barge" });
    const browser = setup.dial();
    assert.equal((await browser.authenticate(token))?.tenantId, "acme");
    const dial = { trunkId: "main", to: "+15550100", defaultApp: 1 };
    const { reply } = await browser.rpc(methods.Originate, dial);
    assert.deepEqual([reply?.errorCode, reply?.errorMessage], [
      7,
      "The token's scope does not allow this",
    ]);
    assert.equal((await browser.rpc(methods.StreamEvents, { clientId: "c" })).fault.errorCode, 0);
    assert.equal(
      (await browser.rpc(methods.Barge, { callSid: "x" })).fault.errorMessage,
      "Unknown call_sid",
    );
    for (const [method, request] of adminRequests) {
      for (const adminToken of [token, office.adminToken]) {
        const { fault } = await browser.rpc(method, { ...request, adminToken });
        assert.match(fault.errorMessage, /scope does not allow/, method.name);
      }
      const { fault } = await office.client.rpc(method, { ...request, adminToken: token });
      assert.equal(fault.errorMessage, NOT_ADMIN, method.name);
    }
  });

  it("G-22 ends the token with the admin key that it hangs on, and a live session of it too", async () => {
    await using setup = new TestGateway();
    const office = await openOffice(setup);
    const { token } = await ask(office);
    const live = setup.dial();
    assert.equal((await live.authenticate(token))?.status, "OK");
    const { keyId } = office.admin;
    await setup.gateway.revokeServiceAccount({ tenantId: "acme", privateKeyId: keyId });
    await settle();
    assert.deepEqual(live.endings.map(({ reason }) => reason), ["key revoked"]);
    assert.equal((await setup.dial().authenticate(token))?.errorMessage, "revoked");
  });
});

describe("G-24 URLs in requests", () => {
  const hostile = [
    ...[
      "http://127.0.0.1:1/",
      "http://[::1]/",
      "http://169.254.169.254/latest/meta-data/",
      "http://localhost/",
    ],
    ...[
      "file:///etc/passwd",
      "gopher://x/",
      "ftp://x/",
      "https://user:secret@hooks.example/",
      "http://0/",
    ],
    ...["https://hooks.example.evil.test/", "https://hooks.example:444/", "http://hooks.example/"],
    ...["javascript:alert(1)", "https://HOOKS.example@evil.test/", "file:///data/../etc/passwd"],
    ...[
      "file:///data%2f..%2fetc%2fpasswd",
      "file:///database/x.csv",
      "nonsense",
    ],
  ];

  /** Counts what is fetched while `work` runs; nothing leaves the process. */
  async function fetched(work: () => Promise<void>): Promise<string[]> {
    const { fetch } = globalThis;
    const urls: string[] = [];
    globalThis.fetch = (input) => {
      urls.push(String(input));
      return Promise.resolve(new Response("to\n+15550100\n", { status: 200 }));
    };
    try {
      await work();
    } finally {
      globalThis.fetch = fetch;
    }
    return urls;
  }

  async function useAll(setup: TestGateway, client: RawClient, url: string): Promise<void> {
    const dial = { trunkId: "main", to: "+15550101", defaultApp: 1 };
    for (const name of ["aiWebsocketUrl", "aiQuicUrl"]) {
      await client.rpc(methods.Originate, { ...dial, [name]: url });
    }
    const bulk = {
      templateTrunkId: "main",
      templateDefaultApp: 1,
      callsPerSecond: 1,
      campaignId: "k",
    };
    await client.rpc(methods.OriginateBulk, { ...bulk, csvUrl: url });
    for (const rule of Object.values(InboundRule)) {
      await client.rpc(methods.SetInboundRouting, {
        ...{
          trunkId: "main",
          rule,
          audioUrl: url,
          webhookUrl: url,
          aiWebsocketUrl: url,
          aiQuicUrl: url,
        },
      });
      await client.rpc(methods.SetInboundRouting, {
        trunkId: "main",
        rule,
        webhookUrl: url,
        audioUrl: "x",
      });
      const call = await setup.gateway.simulateInboundCall({ tenantId: "acme", trunkId: "main" });
      await client.rpc(methods.AnswerIncomingCall, {
        callSid: call.callSid,
        aiWebsocketUrl: url,
        aiQuicUrl: url,
      });
      await settle();
      call.hangUp();
    }
    await setup.clock.advance(5_000);
  }

  it("G-24 fetches nothing unless it is configured to", async () => {
    await using setup = new TestGateway({ limits: { rpcsPerSecond: Infinity } });
    const client = await setup.connect(await setup.addTenant("acme"));
    const urls = await fetched(async () => {
      for (const url of [...hostile, "https://hooks.example/", "https://hooks.example/x.csv"]) {
        await useAll(setup, client, url);
      }
    });
    assert.deepEqual(urls, []);
  });

  it("G-24 fetches from the named hosts alone, and follows no redirect", async () => {
    const limits = { rpcsPerSecond: Infinity };
    const allowFetch = ["https://hooks.example", "file:///data"];
    await using setup = new TestGateway({ limits, allowFetch });
    const client = await setup.connect(await setup.addTenant("acme"));
    assert.deepEqual(
      await fetched(async () => {
        for (const url of hostile.filter((url) => !url.includes("/data/"))) {
          await useAll(setup, client, url);
        }
      }),
      [],
    );
    const urls = await fetched(() => useAll(setup, client, "https://hooks.example/hook"));
    assert.deepEqual(new Set(urls), new Set(["https://hooks.example/hook"]));
    assert.ok(urls.length >= 3, `${urls.length} fetches`);
  });

  it("G-24 answers a URL that it may not fetch as one that is malformed", async () => {
    await using setup = new TestGateway({ allowFetch: ["https://hooks.example"] });
    const client = await setup.connect(await setup.addTenant("acme"));
    const answers = new Set<string>();
    for (const csvUrl of [...hostile, ""]) {
      const bulk = { templateTrunkId: "main", callsPerSecond: 1, campaignId: "k", csvUrl };
      const { bytes, fault } = await client.rpc(methods.OriginateBulk, bulk);
      assert.equal(fault.errorCode, 6, csvUrl);
      answers.add(String(bytes));
    }
    assert.equal(answers.size, 1);
  });
});

describe("G-25 the admin API", () => {
  it("G-25 refuses each request with an sdk key, no token, another party's, another tenant's or an expired one, in the same bytes", async () => {
    await using setup = new TestGateway();
    const { client, admin } = await openOffice(setup);
    const sdk = await setup.addTenant("acme", { name: "sdk" });
    const globex = await setup.addTenant("globex", { name: "admin", role: "admin" });
    const outsider = await testAccount("acme", "unknown");
    const tokens = {
      "an sdk key": await setup.token(sdk),
      "none": "",
      "an unknown party": await setup.token(outsider),
      "another tenant": await setup.token(globex),
      "expired": await signToken(admin.signer, { now: setup.clock.now() - 3_700_000 }),
      "scoped": await setup.token(admin, { lifetimeSeconds: 60, claims: { scope: "call.dial" } }),
      "nonsense": "x.y.z",
    };
    for (const [method, request] of adminRequests) {
      const answers = new Set<string>();
      for (const [name, adminToken] of Object.entries(tokens)) {
        const { fault, bytes } = await client.rpc(method, { ...request, adminToken });
        assert.equal(fault.errorMessage, NOT_ADMIN, `${method.name}, ${name}`);
        answers.add(String(bytes));
      }
      assert.equal(answers.size, 1, method.name);
    }
    assert.equal(setup.gateway.stats().rpcErrors["7"], adminRequests.length * 7);
  });

  it("G-25 takes an admin token only on a session of its own tenant", async () => {
    await using setup = new TestGateway();
    const { adminToken } = await openOffice(setup);
    const globex = await setup.connect(await setup.addTenant("globex"));
    const { fault } = await globex.rpc(methods.GetTrunk, { adminToken, trunkId: "main" });
    assert.equal(fault.errorMessage, NOT_ADMIN);
  });

  it("G-25 registers, uses and revokes keys over the wire, and refuses what is not a key in words without repeating it", async () => {
    await using setup = new TestGateway();
    const { client, adminToken } = await openOffice(setup);
    const fresh = await testAccount("acme", "fresh");
    const publish = (more: object) =>
      client.rpc(methods.PublishServiceAccount, {
        ...{
          adminToken,
          tenantId: "acme",
          privateKeyId: fresh.keyId,
          publicKeyPem: fresh.publicKeyPem,
        },
        ...more,
      });
    const code = async (more: object) => (await publish(more)).fault;
    assert.equal((await code({ publicKeyPem: "canary" })).errorCode, 6);
    assert.doesNotMatch((await code({ publicKeyPem: "canary" })).errorMessage, /canary/);
    assert.equal((await code({ publicKeyPem: fresh.account.privateKey })).errorCode, 6);
    assert.equal((await code({ role: "root" })).errorCode, 6);
    assert.equal((await code({ privateKeyId: "../x" })).errorCode, 6);
    assert.equal((await code({ expiresAtMs: -1 })).errorCode, 6);
    assert.equal((await code({ tenantId: "globex" })).errorCode, 7);
    assert.equal((await code({})).errorCode, 0);
    const session = await setup.connect(fresh);
    const { fault } = await client.rpc(methods.RevokeServiceAccount, {
      ...{ adminToken, tenantId: "acme", privateKeyId: fresh.keyId },
    });
    assert.equal(fault.errorCode, 0);
    await settle();
    assert.deepEqual(session.endings.map(({ reason }) => reason), ["key revoked"]);
    const unknown = await client.rpc(methods.RevokeServiceAccount, {
      ...{ adminToken, tenantId: "acme", privateKeyId: "other" },
    });
    assert.equal(unknown.fault.errorCode, 6);
  });

  it("G-25 keeps trunks over the wire, and gives no password back", async () => {
    await using setup = new TestGateway();
    const { client, adminToken } = await openOffice(setup);
    const trunk = {
      adminToken,
      trunkId: "t",
      channelLimit: 3,
      sipUsername: "u",
      sipPassword: "secret",
    };
    assert.equal((await client.rpc(methods.UpdateTrunk, trunk)).fault.errorCode, 1);
    assert.equal((await client.rpc(methods.AddTrunk, trunk)).fault.errorCode, 0);
    const { reply } = await client.rpc(methods.GetTrunk, { adminToken, trunkId: "t" });
    assert.deepEqual([reply?.channelLimit, reply?.sipUsername, reply?.sipPassword], [3, "u", ""]);
    assert.equal(
      (await client.rpc(methods.UpdateTrunk, { adminToken, trunkId: "t" })).fault.errorCode,
      0,
    );
    const again = (await client.rpc(methods.GetTrunk, { adminToken, trunkId: "t" })).reply;
    assert.deepEqual([again?.channelLimit, again?.sipUsername], [50, ""], "a full replacement");
    for (const channelLimit of [0]) {
      assert.equal(
        (await client.rpc(methods.AddTrunk, { ...trunk, channelLimit })).fault.errorCode,
        6,
      );
    }
    assert.equal(
      (await client.rpc(methods.AddTrunk, { ...trunk, trunkId: "a b" })).fault.errorCode,
      6,
    );
    assert.equal(
      (await client.rpc(methods.RemoveTrunk, { adminToken, trunkId: "t" })).fault.errorCode,
      0,
    );
    for (const method of [methods.RemoveTrunk, methods.GetTrunk] as Method<unknown, unknown>[]) {
      assert.equal((await client.rpc(method, { adminToken, trunkId: "t" })).fault.errorCode, 1);
    }
  });

  it("G-25 bootstraps a tenant once, against a secret that cannot be guessed", async () => {
    const bootstrapSecret = "correct-horse-battery-staple";
    await using setup = new TestGateway({ bootstrapSecret });
    const { client } = await openOffice(setup);
    const fresh = await testAccount("newcomer");
    const ask = async (more: object = {}) => {
      const { reply } = await client.rpc(methods.BootstrapOrg, {
        ...{ bootstrapSecret, tenantId: "newcomer", displayName: "N", region: "eu" },
        ...{ adminPublicKeyPem: fresh.publicKeyPem, adminPrivateKeyId: fresh.keyId, ...more },
      });
      return [reply!.status, reply!.errorMessage];
    };
    const wrong = ["error", "bootstrap secret invalid"];
    const taken = ["error", "tenant_id already exists"];
    assert.deepEqual(await ask({ tenantId: "acme" }), taken);
    assert.deepEqual(await ask({ tenantId: "phone" }), taken, "calls of all tenants ring there");
    assert.deepEqual(await ask({ tenantId: "New Comer" }), ["error", "tenant_id is malformed"]);
    assert.deepEqual(await ask({ adminPublicKeyPem: "x" }), ["error", "public_key_pem invalid"]);
    for (
      const guess of [
        "",
        "x",
        `${bootstrapSecret} `,
        bootstrapSecret.slice(1),
        bootstrapSecret.toUpperCase(),
      ]
    ) {
      assert.deepEqual(await ask({ bootstrapSecret: guess }), wrong, guess);
    }
    assert.deepEqual(await ask(), wrong, "locked after five wrong guesses");
    await setup.clock.advance(60_000);
    assert.deepEqual(await ask(), ["ok", ""]);
    assert.deepEqual(await ask({ tenantId: "another" }), wrong, "used up");
    const admin = await setup.connect(fresh);
    const adminToken = await setup.token(fresh);
    assert.equal(
      (await admin.rpc(methods.AddTrunk, { adminToken, trunkId: "main" })).fault.errorCode,
      0,
    );
  });

  it("G-25 reads no file that a request names", async () => {
    await using setup = new TestGateway();
    const { client } = await openOffice(setup);
    const { reply } = await client.rpc(methods.ReloadCertificates, {
      ...{ certPath: "/etc/passwd", keyPath: "/etc/shadow" },
    });
    assert.deepEqual([reply?.status, reply?.errorMessage], [
      "error",
      "This gateway reads no certificate files: it makes its certificates itself",
    ]);
  });

  it("G-25 never bootstraps without a secret", async () => {
    await using setup = new TestGateway();
    const { client } = await openOffice(setup);
    for (const bootstrapSecret of ["", " ".repeat(32), "undefined"]) {
      const { reply } = await client.rpc(methods.BootstrapOrg, { bootstrapSecret, tenantId: "x" });
      assert.equal(reply?.errorMessage, "bootstrap secret invalid");
    }
  });

  it("G-34 locks out the guesser's tenant alone, and looks at no guess of a browser token", async () => {
    const bootstrapSecret = "correct-horse-battery-staple";
    await using setup = new TestGateway({ bootstrapSecret });
    const owner = await setup.connect(await setup.addTenant("acme"));
    const mallory = await setup.addTenant("mallory");
    const thief = await setup.connect(mallory);
    const page = setup.dial();
    await page.authenticate(
      await mintBrowserToken(mallory.signer, { now: setup.clock.now(), endUser: "m" }),
    );
    const newcomer = await testAccount("newcomer");
    const ask = async (client: RawClient, secret: string) => {
      const { reply } = await client.rpc(methods.BootstrapOrg, {
        ...{ bootstrapSecret: secret, tenantId: "newcomer" },
        adminPublicKeyPem: newcomer.publicKeyPem,
        adminPrivateKeyId: newcomer.keyId,
      });
      return reply?.errorMessage;
    };
    for (let i = 0; i < 20; i++) {
      assert.equal(await ask(page, bootstrapSecret), "A browser token does not allow this");
      assert.equal(await ask(thief, `guess ${i}`), "bootstrap secret invalid");
    }
    // The right one, while its own tenant is locked.
    assert.equal(await ask(thief, bootstrapSecret), "bootstrap secret invalid");
    assert.equal(await ask(owner, bootstrapSecret), "");
  });
});
