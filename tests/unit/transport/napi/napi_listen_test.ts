import { describe, it } from "node:test";
import assert from "node:assert/strict";
import { createCertificate } from "../../../../src/transport/certificate.ts";
import { listenAddon } from "../../../../src/transport/napi/napi_listen.ts";
import type {
  NapiAddon,
  NapiRequest,
  NapiSession,
} from "../../../../src/transport/napi/napi_session.ts";
import type { CloseInfo } from "../../../../src/transport/types.ts";
import { FakeClock, settle } from "../../../../src/testing/mod.ts";

/** An addon whose server blocks for good when it is closed while an `accept` waits, as the real one does. */
function fakeAddon() {
  const waiting: ((request: NapiRequest) => void)[] = [];
  const queue: NapiRequest[] = [];
  const log: unknown[] = [];
  const submit = (request: NapiRequest): void => {
    const accept = waiting.shift();
    if (accept === undefined) queue.push(request);
    else accept(request);
  };
  const request = (
    url: string,
    ok: () => Promise<NapiSession> = () => Promise.resolve(session(url)),
  ) => ({
    url: Promise.resolve(url),
    ok,
    reject: (status: number) => Promise.resolve(void log.push(["reject", status])),
  });
  const session = (url: string): NapiSession => {
    let end!: (info: { closeCode: number; reason: string }) => void;
    const ended = new Promise<{ closeCode: number; reason: string }>((resolve) => end = resolve);
    return {
      acceptUni: () => new Promise(() => {}),
      acceptBi: () => new Promise(() => {}),
      openUni: () => new Promise(() => {}),
      openBi: () => new Promise(() => {}),
      sendDatagram: () => {},
      maxDatagramSize: () => 100,
      close(closeCode, reason) {
        log.push(["close", url, closeCode, reason]);
        end({ closeCode, reason });
      },
      closed: () => ended,
    };
  };
  const client = {
    connect(url: string): Promise<NapiSession> {
      log.push(["wake", url]);
      submit(request(url));
      return Promise.reject(new Error("connection lost"));
    },
  };
  const addon: NapiAddon = {
    NapiClient: { withSystemRoots: () => client, withCertificateHashes: () => client },
    NapiServer: {
      bind(address) {
        log.push(["bind", address]);
        if (address.endsWith(":9")) throw new Error("Address already in use (os error 98)");
        if (address.endsWith(":8")) throw new Error("invalid private key: CANARY");
        let isWaiting = false;
        return {
          accept() {
            const next = queue.shift();
            if (next !== undefined) return Promise.resolve(next);
            isWaiting = true;
            return new Promise((resolve) =>
              waiting.push((request) => {
                isWaiting = false;
                resolve(request);
              })
            );
          },
          close() {
            assert.equal(isWaiting, false, "closed while an accept waits");
            log.push(["server closed"]);
          },
        };
      },
    },
  };
  return { addon, log, submit, request };
}

async function listen(options: { port?: number; hostname?: string; backlog?: number } = {}) {
  const fake = fakeAddon();
  const clock = new FakeClock();
  const { certificatePem, privateKeyPem } = await createCertificate();
  const listener = listenAddon(fake.addon, {
    certificatePem,
    privateKeyPem,
    port: 61_000,
    clock,
    admit: ({ path }) => path.startsWith("/no") ? 403 : 200,
    ...options,
  });
  return { ...fake, listener, clock };
}

describe("listenAddon()", () => {
  it("accepts sessions with their path, and answers others with their status", async () => {
    const { listener, submit, request, log } = await listen();
    submit(request("https://gw:61000/no?x"));
    submit(request("https://gw:61000/p?q=1"));
    for await (const incoming of listener.accept()) {
      assert.equal(incoming.path, "/p?q=1");
      assert.equal(incoming.address, undefined);
      break;
    }
    assert.deepEqual(log, [["bind", "127.0.0.1:61000"], ["reject", 403]]);
  });

  it("does not let a handshake that never ends hold up the next", async () => {
    const { listener, submit, request, clock } = await listen();
    submit(request("https://gw/slow", () => new Promise(() => {})));
    submit(request("https://gw/fast"));
    for await (const incoming of listener.accept()) {
      assert.equal(incoming.path, "/fast");
      break;
    }
    await clock.advance(5_000);
    assert.equal(clock.pending, 0);
  });

  it("closes sessions that come when the backlog is full", async () => {
    const { submit, request, log } = await listen({ backlog: 1 });
    submit(request("https://gw/one"));
    submit(request("https://gw/two"));
    await settle();
    const [, closed] = log;
    assert.deepEqual(closed, ["close", "https://gw/two", 0, "the listener takes no more sessions"]);
  });

  it("closes its sessions, wakes the server and then closes it", async () => {
    const { listener, submit, request, log } = await listen({ hostname: "::" });
    submit(request("https://gw/one"));
    await settle();
    await listener.close({ closeCode: 5, reason: "down" });
    await listener.close();
    const [, , wake] = log as string[][];
    assert.match(wake?.[1] ?? "", /^https:\/\/\[::1\]:61000\/[\w-]{36}$/);
    assert.deepEqual(log, [
      ["bind", "[::]:61000"],
      ["close", "https://gw/one", 5, "down"],
      wake,
      ["reject", 503],
      ["server closed"],
    ]);
    const paths: (string | undefined)[] = [];
    for await (const incoming of listener.accept()) paths.push(incoming.path);
    assert.deepEqual(paths, ["/one"]);
  });

  it("answers clients that come while it closes, and then its own last request", async () => {
    const { listener, submit, request, log } = await listen();
    await settle();
    const closing = listener.close();
    submit(request("https://gw/late"));
    submit(request("https://gw/later"));
    await closing;
    const words = (log as string[][]).map(([word]) => word);
    assert.equal(words.filter((word) => word === "reject").length, 3);
    assert.equal(words.at(-1), "server closed");
  });

  it("goes on closing when who comes meanwhile is gone before the answer, and when its own last request is lost", async () => {
    const { listener, submit, request, log, addon } = await listen();
    await settle();
    const client = addon.NapiClient.withSystemRoots();
    let lost = 0;
    const { connect } = client;
    client.connect = (url) => {
      if (lost++ === 0) return Promise.reject(new Error("timed out"));
      return connect(url);
    };
    const closing = listener.close();
    submit({ ...request("https://gw/gone"), reject: () => Promise.reject(new Error("gone")) });
    await closing;
    assert.equal(lost, 2);
    assert.deepEqual(log.at(-1), ["server closed"]);
  });

  it("closes the server when its sessions' last words have left", async () => {
    const { listener, submit, request, log } = await listen();
    const { promise: closed, resolve: answer } = Promise.withResolvers<Required<CloseInfo>>();
    submit(request("https://gw/one", async () => ({
      ...await request("https://gw/one").ok(),
      closed: () => closed,
    })));
    await settle();
    const closing = listener.close();
    await settle();
    log.push(["answered"]);
    answer({ closeCode: 0, reason: "" });
    await closing;
    const words = (log as string[][]).map(([word]) => word);
    assert.deepEqual(words, ["bind", "close", "answered", "wake", "reject", "server closed"]);
  });

  it("binds its port again with another certificate: sessions end in words, later ones are accepted as before", async () => {
    const { listener, submit, request, log } = await listen();
    submit(request("https://gw/one"));
    await settle();
    const { certificatePem, privateKeyPem } = await createCertificate();
    await Promise.all([
      listener.replaceCertificate({ certificatePem, privateKeyPem }),
      listener.replaceCertificate({ certificatePem, privateKeyPem }),
    ]);
    submit(request("https://gw/two"));
    await settle();
    await listener.close();
    await listener.replaceCertificate({ certificatePem, privateKeyPem });
    const kinds = (log as string[][]).map(([kind]) => kind);
    const tried = ["bind", "server closed"];
    const stopped = ["wake", "reject", "server closed"];
    assert.deepEqual(kinds, [
      ...["bind", ...tried, "close", ...stopped],
      ...["bind", ...tried, ...stopped],
      ...["bind", "close", ...stopped],
    ]);
    assert.deepEqual(log[1], ["bind", "127.0.0.1:0"]);
    assert.deepEqual(log[3], ["close", "https://gw/one", 0, "the gateway changes its certificate"]);
    const paths: (string | undefined)[] = [];
    for await (const { path } of listener.accept()) paths.push(path);
    assert.deepEqual(paths, ["/one", "/two"]);
  });

  it("leaves its sessions alone when the new certificate is not usable", async () => {
    const { listener, addon, log, submit, request } = await listen();
    submit(request("https://gw/one"));
    await settle();
    addon.NapiServer.bind = () => {
      throw new Error("invalid private key: CANARY");
    };
    await assert.rejects(listener.replaceCertificate(await createCertificate()), (error: Error) => {
      assert.match(error.message, /the certificate and its private key are not usable/);
      return !`${error.message}${error.cause}`.includes("CANARY");
    });
    assert.deepEqual(log, [["bind", "127.0.0.1:61000"]]);
    await listener.close();
    assert.deepEqual(log[1]?.slice(0, 2), ["close", "https://gw/one"]);
  });

  it("shows the old certificate again when the port cannot be bound with the new one", async () => {
    const { listener, addon, log } = await listen();
    const { bind } = addon.NapiServer;
    let isRefused = true;
    addon.NapiServer.bind = (...args) => {
      if (args[0].endsWith(":0") || !isRefused) return bind(...args);
      isRefused = false;
      throw new Error("invalid private key");
    };
    await assert.rejects(listener.replaceCertificate(await createCertificate()), /not usable/);
    assert.deepEqual(log.at(-1), ["bind", "127.0.0.1:61000"]);
    await listener.close();
  });

  it("ends with the error when its port cannot be bound again with either certificate", async () => {
    const { listener, addon } = await listen();
    const { bind } = addon.NapiServer;
    addon.NapiServer.bind = (...args) => {
      if (args[0].endsWith(":0")) return bind(...args);
      throw new Error("invalid private key");
    };
    const accepting = (async () => {
      for await (const _ of listener.accept());
    })();
    const ended = assert.rejects(accepting, { code: "ERR_VALUE_INVALID" });
    for (let i = 0; i < 2; i++) {
      await assert.rejects(listener.replaceCertificate(await createCertificate()), {
        code: "ERR_VALUE_INVALID",
      });
    }
    await ended;
    await listener.close();
  });

  it("ends with the error of its server, or that it has ended", async () => {
    const outcomes = [
      () => Promise.reject(new Error("socket error")),
      () => Promise.resolve(null),
    ];
    for (const accept of outcomes) {
      const { addon } = fakeAddon();
      addon.NapiServer.bind = () => ({ accept, close: () => {} });
      const certificate = await createCertificate();
      const listener = listenAddon(addon, { ...certificate, port: 61_000 });
      await assert.rejects(async () => {
        for await (const _ of listener.accept());
      }, /socket error|The addon's server has ended/);
      await listener.close();
    }
  });

  it("wants a port, since the addon does not tell which one it takes", async () => {
    await assert.rejects(listen({ port: 0 }), { code: "ERR_VALUE_INVALID", message: /port is 0/ });
  });

  it("distinguishes an address that is taken from a certificate that is not usable, and quotes no key", async () => {
    await assert.rejects(listen({ port: 9 }), {
      code: "ERR_VALUE_INVALID",
      message: /127\.0\.0\.1, UDP port 9, cannot be bound/,
    });
    await assert.rejects(listen({ port: 8 }), (error: Error) => {
      assert.match(error.message, /the certificate and its private key are not usable/);
      return error.cause === undefined;
    });
  });
});
