import { describe, it } from "node:test";
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createSocket } from "node:dgram";
import process from "node:process";
import { promisify } from "node:util";
import { denoWebTransport } from "../../src/transport/deno/deno.ts";
import { listenQuic } from "../../src/transport/listen.ts";
import {
  certificateHash,
  createCertificate,
  openSession,
  type Session,
} from "../../src/transport/mod.ts";
import type { WebTransportConstructor } from "../../src/transport/types.ts";
import { FakeClock, settle } from "../../src/testing/mod.ts";
import { type EchoListener, listenEcho, readAll, roundTrip } from "../support/echo_listener.ts";

const native = globalThis.WebTransport as unknown as WebTransportConstructor;

function dial(
  { endpoint, certificate }: EchoListener,
  options: { webTransport?: WebTransportConstructor; path?: string } = {},
): Promise<Session> {
  const { path = "", webTransport } = options;
  return openSession(`${endpoint}${path}`, { certificateHashes: [certificate.hash], webTransport });
}

function text(value: string): Uint8Array {
  return new TextEncoder().encode(value);
}

describe("openSession() over QUIC", () => {
  it("connects with a pinned certificate, as hash and as PEM, and reports to the listener who connected and why", async () => {
    await using gateway = await listenEcho();
    const { certificate, endpoint, sessions } = gateway;
    const session = await dial(gateway, { path: "/a/b?c=d" });
    const hash = await certificateHash(certificate.certificatePem);
    await openSession(endpoint.replace("https:", "quic:"), { certificateHashes: [hash] });
    await gateway.next();
    await gateway.next();
    const [first, second] = sessions.map(({ incoming }) => incoming);
    assert.deepEqual([first?.address, first?.path, first?.origin], [
      "127.0.0.1",
      "/a/b?c=d",
      undefined,
    ]);
    assert.equal(second?.path, "/");
    assert.equal(session.keepsAlive, true);
    assert.equal(session.streamsLeft, undefined);
  });

  it("distinguishes a wrong certificate hash from every other failure", async () => {
    await using gateway = await listenEcho();
    const other = await createCertificate();
    await assert.rejects(openSession(gateway.endpoint, { certificateHashes: [other.hash] }), {
      code: "ERR_CONNECT_FAILED",
      retryable: false,
      message:
        /127\.0\.0\.1:\d+: the gateway's certificate has another SHA-256 than serverCertificateHash/,
    });
    await assert.rejects(openSession(gateway.endpoint), {
      code: "ERR_CONNECT_FAILED",
      retryable: false,
      message: /certificate is not trusted/,
    });
    assert.equal(gateway.sessions.length, 0);
  });

  it("says that a pinned certificate is out of date", async () => {
    const old = await createCertificate({ now: Date.now() - 20 * 86_400_000 });
    const { certificatePem, privateKeyPem } = old;
    await using gateway = await listenEcho({ certificatePem, privateKeyPem });
    await assert.rejects(openSession(gateway.endpoint, { certificateHashes: [old.hash] }), {
      code: "ERR_CONNECT_FAILED",
      retryable: false,
      message: /the gateway's certificate is out of date.*make a new one/,
    });
  });

  it("gives up after connectTimeoutMs where nothing answers, and names the endpoint", async () => {
    const silent = createSocket("udp4");
    await new Promise<void>((resolve) => silent.bind(0, "127.0.0.1", resolve));
    const endpoint = `https://127.0.0.1:${silent.address().port}`;
    await assert.rejects(openSession(endpoint, { connectTimeoutMs: 200 }), {
      code: "ERR_CONNECT_FAILED",
      retryable: true,
      message: `Cannot connect to ${endpoint}: nothing answered within 200 ms, ` +
        "expected a WebTransport gateway (is it running, and does UDP reach it?)",
    });
    silent.close();
  });

  it("is refused at once by a listener that was closed", async () => {
    const gateway = await listenEcho();
    await gateway.listener.close();
    await assert.rejects(dial(gateway), {
      code: "ERR_CONNECT_FAILED",
      retryable: true,
      message: /the gateway refused the connection/,
    });
  });

  it("connects to an IPv6 address, which Deno's own constructor refuses", async () => {
    await using gateway = await listenEcho({ hostname: "::1" });
    const endpoint = `https://[::1]:${gateway.listener.port}`;
    const session = await openSession(endpoint, { certificateHashes: [gateway.certificate.hash] });
    assert.deepEqual(await roundTrip(session, text("six")), text("six"));
  });

  it("reports the HTTP status of a refusal", async () => {
    await using gateway = await listenEcho({ admit: ({ path }) => path === "/" ? 200 : 404 });
    await assert.rejects(dial(gateway, { path: "/elsewhere" }), {
      code: "ERR_CONNECT_FAILED",
      retryable: false,
      message: /the gateway answered with HTTP status 404, expected 200/,
    });
    const session = await dial(gateway);
    assert.deepEqual(await roundTrip(session, text("still here")), text("still here"));
    assert.equal(gateway.sessions.length, 1);
  });

  it("abandons a connect that is aborted, and the session with it", async () => {
    await using gateway = await listenEcho();
    const controller = new AbortController();
    const opening = openSession(gateway.endpoint, {
      certificateHashes: [gateway.certificate.hash],
      signal: controller.signal,
    });
    // Far enough for the first packet to be on its way.
    await settle();
    controller.abort("enough");
    await assert.rejects(opening, (reason) => reason === "enough");
    const session = await dial(gateway);
    assert.deepEqual(await roundTrip(session, text("next")), text("next"));
    for (const { session: seen } of gateway.sessions.slice(0, -1)) await seen.closed;
  });
});

describe("streams over QUIC", () => {
  it("end on both sides with a FIN, empty, small and large", async () => {
    await using gateway = await listenEcho();
    const session = await dial(gateway);
    for (const size of [0, 1, 1_200, 100_000, 3_000_000]) {
      const bytes = new Uint8Array(size).map((_, i) => i * 31);
      assert.deepEqual(await roundTrip(session, bytes), bytes);
    }
  });

  it("return their credit: 2,000 one after another, then 2,000 with 32 at a time", async () => {
    await using gateway = await listenEcho();
    const session = await dial(gateway);
    const payload = new Uint8Array(104);
    for (let i = 0; i < 2_000; i++) {
      payload[0] = i;
      assert.equal((await roundTrip(session, payload))[0], i & 0xff);
    }
    let left = 2_000;
    await Promise.all(Array.from({ length: 32 }, async () => {
      while (left-- > 0) assert.equal((await roundTrip(session, payload)).length, 104);
    }));
    assert.equal(session.streamsLeft, undefined);
  });

  it("return their credit, too, when the client gives them up half-way", async () => {
    await using gateway = await listenEcho();
    const session = await dial(gateway);
    for (let i = 0; i < 500; i++) {
      const stream = await session.openBidirectional();
      const writer = stream.writable.getWriter();
      await writer.write(new Uint8Array(10));
      const reader = stream.readable.getReader();
      if (i % 3 === 0) await reader.read();
      await writer.abort();
      await reader.cancel();
    }
    assert.deepEqual(await roundTrip(session, text("x")), text("x"));
  });

  it("wait for credit when the peer's limit is reached", async () => {
    await using gateway = await listenEcho({ maxStreams: 3 });
    const session = await dial(gateway);
    // The CONNECT request takes one of the three.
    const held = [await session.openBidirectional(), await session.openBidirectional()];
    const writers = held.map((stream) => stream.writable.getWriter());
    for (const writer of writers) await writer.write(text("x"));
    await assert.rejects(session.openBidirectional({ timeoutMs: 50 }), {
      code: "ERR_LIMIT",
      retryable: true,
    });
    const third = session.openBidirectional();
    for (const writer of writers) await writer.abort();
    for (const stream of held) await stream.readable.cancel();
    assert.ok(await third);
  });

  it("count down where the inner streams are not to be had, and say when none is left", async () => {
    await using gateway = await listenEcho();
    const webTransport = denoWebTransport(native, { innerStreams: false });
    const session = await dial(gateway, { webTransport });
    assert.equal(session.streamsLeft, 99);
    const stream = await session.openBidirectional();
    await stream.writable.getWriter().write(text("hello"));
    const { value } = await stream.readable.getReader().read();
    assert.deepEqual(value, text("hello"));
    for (let left = 98; left > 0; left--) {
      assert.equal(session.streamsLeft, left);
      await session.openBidirectional();
    }
    assert.equal(session.streamsLeft, 0);
    await assert.rejects(session.openBidirectional(), { code: "ERR_LIMIT", retryable: true });
  });

  it("go one way from either side", async () => {
    await using gateway = await listenEcho();
    const client = await dial(gateway);
    const server = await gateway.next();
    for (const webTransport of [undefined, denoWebTransport(native, { innerStreams: false })]) {
      const plain = webTransport === undefined ? client : await dial(gateway, { webTransport });
      const far = webTransport === undefined ? server : await gateway.next();
      const writer = (await far.openUnidirectional()).getWriter();
      await writer.write(text("event"));
      await writer.close();
      const { value } = await plain.incomingUnidirectional.getReader().read();
      assert.deepEqual(await readAll(value!), text("event"));
    }
    const incoming = server.incomingUnidirectional.getReader();
    for (let i = 0; i < 200; i++) {
      const up = (await client.openUnidirectional()).getWriter();
      await up.write(text(`audio ${i}`));
      await up.close();
      const { value } = await incoming.read();
      assert.deepEqual(await readAll(value!), text(`audio ${i}`));
    }
  });

  it("can be opened by the gateway in both directions", async () => {
    await using gateway = await listenEcho();
    const client = await dial(gateway);
    const server = await gateway.next();
    const near = await server.openBidirectional();
    const writer = near.writable.getWriter();
    await writer.write(text("question"));
    await writer.close();
    const { value: far } = await client.incomingBidirectional.getReader().read();
    await far!.readable.pipeTo(far!.writable);
    assert.deepEqual(await readAll(near.readable), text("question"));
  });

  it("hold a writer back whose peer does not read", async () => {
    await using gateway = await listenEcho();
    const client = await dial(gateway);
    const server = await gateway.next();
    const writer = (await client.openUnidirectional()).getWriter();
    const { value: readable } = await server.incomingUnidirectional.getReader().read();
    const total = 32 * 1_048_576;
    let written = 0;
    const writing = (async () => {
      for (; written < total; written += 65_536) await writer.write(new Uint8Array(65_536));
      await writer.close();
    })();
    // Round trips on another stream are the measure of time here: long enough for an unbounded sender to be done.
    for (let i = 0; i < 50; i++) await roundTrip(client, text("tick"));
    assert.ok(written < total / 2, `${written} bytes were taken without a reader`);
    assert.equal((await readAll(readable!)).length, total);
    await writing;
  });
});

describe("the end of a session over QUIC", () => {
  it("is seen by the client, with the gateway's code and words", async () => {
    await using gateway = await listenEcho();
    for (const innerStreams of [true, false]) {
      const client = await dial(gateway, {
        webTransport: denoWebTransport(native, { innerStreams }),
      });
      const server = await gateway.next();
      const incoming = client.incomingUnidirectional.getReader().read();
      server.close({ closeCode: 4321, reason: "the gateway goes down" });
      assert.deepEqual(await client.closed, { code: 4321, reason: "the gateway goes down" });
      assert.equal((await incoming).done, true);
      await assert.rejects(client.openBidirectional(), {
        code: "ERR_SESSION_CLOSED",
        retryable: true,
      });
    }
  });

  it("is seen by the gateway, with the client's code and words", async () => {
    await using gateway = await listenEcho();
    const client = await dial(gateway);
    const server = await gateway.next();
    const incoming = server.incomingBidirectional;
    client.close({ closeCode: 1234, reason: "done" });
    assert.deepEqual(await server.closed, { code: 1234, reason: "done" });
    await assert.rejects(server.openUnidirectional(), { code: "ERR_SESSION_CLOSED" });
    assert.equal(incoming.locked, true);
  });

  it("fails what is under way on a stream", async () => {
    await using gateway = await listenEcho();
    const client = await dial(gateway);
    const server = await gateway.next();
    const stream = await client.openBidirectional();
    await stream.writable.getWriter().write(text("x"));
    const reader = stream.readable.getReader();
    await reader.read();
    const reading = reader.read();
    server.close();
    await assert.rejects(reading);
  });

  it("comes to both sides when the network falls silent, and leaves no rejection unhandled", async () => {
    const unhandled: unknown[] = [];
    const listener = (event: PromiseRejectionEvent): void => void unhandled.push(event.reason);
    globalThis.addEventListener("unhandledrejection", listener, { capture: true });
    try {
      // Neither side keeps alive as often as the listener wants to hear something.
      await using gateway = await listenEcho({ idleTimeoutMs: 2_000, keepAliveMs: 60_000 });
      const client = await dial(gateway);
      const server = await gateway.next();
      const stream = await client.openBidirectional();
      // Waited for from now on: the two sides need not notice in the same turn.
      const failed = assert.rejects(stream.readable.getReader().read());
      assert.match((await client.closed).reason, /timed out/);
      assert.match((await server.closed).reason, /timed out/);
      await failed;
      await settle();
    } finally {
      globalThis.removeEventListener("unhandledrejection", listener, { capture: true });
    }
    assert.deepEqual(unhandled, []);
  });

  it("leaves other sessions alone", async () => {
    await using gateway = await listenEcho();
    const sessions = await Promise.all(
      Array.from({ length: 20 }, (_, i) => dial(gateway, { path: `/${i}` })),
    );
    for (const [i, session] of sessions.entries()) if (i % 2 === 0) session.close();
    await Promise.all(sessions.map(async (session, i) => {
      if (i % 2 === 1) assert.deepEqual(await roundTrip(session, text(`s${i}`)), text(`s${i}`));
    }));
    const paths = gateway.sessions.map(({ incoming }) => incoming.path).sort();
    assert.deepEqual(paths, Array.from({ length: 20 }, (_, i) => `/${i}`).sort());
  });

  it("comes to every session when the listener closes", async () => {
    const gateway = await listenEcho();
    const clients = [await dial(gateway), await dial(gateway)];
    await gateway.listener.close({ closeCode: 503, reason: "restart" });
    for (const client of clients) {
      assert.deepEqual(await client.closed, { code: 503, reason: "restart" });
    }
  });
});

describe("denoWebTransport()", () => {
  it("keeps many sessions apart that are dialled at once, over one socket", async () => {
    await using one = await listenEcho();
    await using two = await listenEcho();
    (await dial(one)).close();
    const sockets = (): number => [...Deno.readDirSync("/proc/self/fd")].length;
    const before = Deno.build.os === "linux" ? sockets() : 0;
    const sessions = await Promise.all(
      Array.from({ length: 24 }, (_, i) => dial(i % 2 === 0 ? one : two, { path: `/${i}` })),
    );
    // Fewer, where one of a test before was closed meanwhile.
    if (Deno.build.os === "linux") assert.ok(sockets() <= before, `${sockets()} after ${before}`);
    for (const [i, session] of sessions.entries()) session.close({ closeCode: i });
    for (const gateway of [one, two]) {
      for (const { session, incoming } of gateway.sessions) {
        if (incoming.path === "/") continue;
        assert.equal(incoming.path, `/${(await session.closed).code}`);
      }
    }
    assert.equal(one.sessions.length + two.sessions.length, 25);
  });
});

describe("listenQuic()", () => {
  it("says which address cannot be bound", async () => {
    await using gateway = await listenEcho();
    const { port } = gateway.listener;
    await assert.rejects(listenEcho({ port }), {
      code: "ERR_VALUE_INVALID",
      message: new RegExp(`^Cannot listen: 127\\.0\\.0\\.1, UDP port ${port}, cannot be bound`),
    });
  });

  it("refuses a certificate and key that are not usable, and never quotes them", async () => {
    const { certificatePem, privateKeyPem } = await createCertificate();
    const canary = "-----BEGIN PRIVATE KEY-----\nCANARY\n-----END PRIVATE KEY-----";
    for (
      const pems of [[certificatePem, canary], ["", privateKeyPem], [privateKeyPem, certificatePem]]
    ) {
      const [certificate = "", key = ""] = pems;
      await assert.rejects(
        listenQuic({ certificatePem: certificate, privateKeyPem: key }),
        (error: Error & { code?: string }) => {
          assert.equal(error.code, "ERR_VALUE_INVALID");
          assert.equal(error.cause, undefined);
          return !String(error.stack).includes("CANARY");
        },
      );
    }
  });
});

describe("listenQuic() and peers that mean no good", () => {
  interface Raw {
    createBidirectionalStream(): Promise<
      { readable: ReadableStream<Uint8Array>; writable: WritableStream<Uint8Array> }
    >;
    close(): void;
    readonly closed: Promise<unknown>;
  }
  const connectQuic =
    (Deno as unknown as { connectQuic(options: unknown): Promise<Raw> }).connectQuic;

  function raw({ listener, certificate }: EchoListener): Promise<Raw> {
    const { hostname, port } = listener;
    const serverCertificateHashes = [certificate.hash];
    return connectQuic({ hostname, port, alpnProtocols: ["h3"], serverCertificateHashes });
  }

  const requests: readonly (readonly [what: string, bytes: readonly number[]])[] = [
    ["noise", Array.from({ length: 64 }, (_, i) => (i * 73) & 0xff)],
    ["a GET", [0x01, 0x05, 0x00, 0x00, 0xd1, 0xd7, 0xc1]],
    ["a frame of 2^60 bytes", [0x01, 0xd0, 0, 0, 0, 0, 0, 0, 0]],
  ];
  for (const [what, bytes] of requests) {
    it(`closes a connection that sends ${what}, and goes on`, async () => {
      await using gateway = await listenEcho();
      const peer = await raw(gateway);
      const writer = (await peer.createBidirectionalStream()).writable.getWriter();
      await writer.write(Uint8Array.from(bytes));
      await writer.close();
      await peer.closed;
      const session = await dial(gateway);
      assert.deepEqual(await roundTrip(session, text("good")), text("good"));
      assert.equal(gateway.sessions.length, 1);
    });
  }

  it("closes a connection that says nothing after handshakeTimeoutMs, and goes on meanwhile", async () => {
    const clock = new FakeClock();
    await using gateway = await listenEcho({ handshakeTimeoutMs: 100, clock });
    const peers = [await raw(gateway), await raw(gateway)];
    // A valid one that comes after them takes the network's time, however much that is, and none of the listener's.
    const session = await dial(gateway);
    assert.deepEqual(await roundTrip(session, text("good")), text("good"));
    await clock.advance(100);
    for (const peer of peers) await peer.closed;
    assert.equal(gateway.sessions.length, 1);
  });
});

describe("a process that closed its session and its listener", () => {
  it("exits by itself", async () => {
    const mod = new URL("../support/echo_listener.ts", import.meta.url).href;
    const script = `
      import { listenEcho, roundTrip } from ${JSON.stringify(mod)};
      import { openSession } from ${
      JSON.stringify(new URL("../../src/transport/mod.ts", import.meta.url).href)
    };
      const gateway = await listenEcho();
      const certificateHashes = [gateway.certificate.hash];
      const session = await openSession(gateway.endpoint, { certificateHashes });
      const bytes = await roundTrip(session, new Uint8Array(5));
      await openSession(gateway.endpoint, { certificateHashes: [], connectTimeoutMs: 50 }).catch(() => {});
      session.close();
      await gateway.listener.close();
      console.log("done", bytes.length);
    `;
    const args = ["eval", "--unstable-net", script];
    const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: 30_000 });
    assert.equal(stdout, "done 5\n");
  });
});
