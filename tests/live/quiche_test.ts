import { before, describe, it } from "node:test";
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { execFileSync } from "node:child_process";
import nodeCrypto from "node:crypto";
import dgram from "node:dgram";
import dns from "node:dns";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { install } from "../../scripts/matrix/install.ts";
import { openSession, type Session } from "../../src/transport/mod.ts";
import type { QuicheAddon } from "../../src/transport/quiche/binding.ts";
import { quicheWebTransport } from "../../src/transport/quiche/dial.ts";
import type { NodeModules } from "../../src/transport/quiche/socket.ts";
import { createCertificate } from "../../src/transport/mod.ts";
import type { WebTransportConstructor } from "../../src/transport/types.ts";
import { type EchoListener, listenEcho, readAll, roundTrip } from "../support/echo_listener.ts";

// The package itself names a build for macOS that the registry does not have, on which Deno's own installation fails.
const BUILD = "@matrixai/quic-linux-x64";
const isHere = Deno.build.os === "linux" && Deno.build.arch === "x86_64";

function text(value: string): Uint8Array {
  return new TextEncoder().encode(value);
}

describe("quicheWebTransport() against the listener of Deno", { skip: !isHere }, () => {
  let webTransport: WebTransportConstructor;
  const authorities: string[] = [];
  before(async () => {
    const folder = await install("quiche", { [BUILD]: "2.0.9" });
    const addon = createRequire(folder)(BUILD) as QuicheAddon;
    const crypto = nodeCrypto as unknown as NodeModules["crypto"];
    const node = {
      dgram,
      dns,
      net,
      crypto,
      authorities: () => authorities,
      authorityFiles: ["/etc/ssl/certs/ca-certificates.crt", "/no/such/file"],
    } as unknown as NodeModules;
    webTransport = quicheWebTransport({ addon, node });
  });

  function dial({ endpoint, certificate }: EchoListener, path = ""): Promise<Session> {
    const certificateHashes = [certificate.hash];
    return openSession(`${endpoint}${path}`, { certificateHashes, webTransport });
  }

  it("connects with a pinned certificate, by address and by name", async () => {
    await using gateway = await listenEcho();
    const session = await dial(gateway, "/a?b=c");
    assert.deepEqual(await roundTrip(session, text("hello")), text("hello"));
    assert.equal(gateway.sessions[0]?.incoming.path, "/a?b=c");
    assert.equal(session.keepsAlive, true);
    assert.equal(session.streamsLeft, undefined);
    const endpoint = `https://localhost:${gateway.listener.port}`;
    const named = await openSession(endpoint, {
      certificateHashes: [gateway.certificate.hash],
      webTransport,
    });
    assert.deepEqual(await roundTrip(named, text("name")), text("name"));
    session.close();
    named.close();
  });

  it("connects to an IPv6 address", async () => {
    await using gateway = await listenEcho({ hostname: "::1" });
    const session = await openSession(`https://[::1]:${gateway.listener.port}`, {
      certificateHashes: [gateway.certificate.hash],
      webTransport,
    });
    assert.deepEqual(await roundTrip(session, text("six")), text("six"));
    session.close();
  });

  it("refuses another certificate, one that is out of date, and one that no authority signed", async () => {
    await using gateway = await listenEcho();
    const other = await createCertificate();
    await assert.rejects(
      openSession(gateway.endpoint, { certificateHashes: [other.hash], webTransport }),
      { code: "ERR_CONNECT_FAILED", retryable: false, message: /another SHA-256/ },
    );
    await assert.rejects(openSession(gateway.endpoint, { webTransport }), {
      code: "ERR_CONNECT_FAILED",
      retryable: false,
      message: /certificate is not trusted/,
    });
    const old = await createCertificate({ now: Date.now() - 20 * 86_400_000 });
    const { certificatePem, privateKeyPem } = old;
    await using stale = await listenEcho({ certificatePem, privateKeyPem });
    await assert.rejects(
      openSession(stale.endpoint, { certificateHashes: [old.hash], webTransport }),
      { code: "ERR_CONNECT_FAILED", retryable: false, message: /certificate is out of date/ },
    );
    assert.deepEqual([gateway.sessions.length, stale.sessions.length], [0, 0]);
  });

  it("trusts what an authority of the system signed, for the names and addresses in it alone", async () => {
    const folder = await mkdtemp(join(tmpdir(), "telequick-"));
    try {
      const pemAt = (name: string): string => join(folder, name);
      const ca = ["-keyout", pemAt("ca.key"), "-out", pemAt("ca.pem"), "-subj", "/CN=ca"];
      const ec = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
      execFileSync("openssl", ["req", "-x509", ...ec, ...ca, "-days", "2"], { stdio: "ignore" });
      const leaf = ["-keyout", pemAt("key.pem"), "-out", pemAt("leaf.pem"), "-subj", "/CN=leaf"];
      const signed = ["-CA", pemAt("ca.pem"), "-CAkey", pemAt("ca.key"), "-days", "2"];
      const names = ["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"];
      const usage = ["-addext", "basicConstraints=critical,CA:FALSE"];
      execFileSync("openssl", ["req", "-x509", ...ec, ...leaf, ...signed, ...names, ...usage], {
        stdio: "ignore",
      });
      await using gateway = await listenEcho({
        certificatePem: await readFile(pemAt("leaf.pem"), "utf8"),
        privateKeyPem: await readFile(pemAt("key.pem"), "utf8"),
      });
      const { port } = gateway.listener;
      await assert.rejects(openSession(`https://localhost:${port}`, { webTransport }), {
        code: "ERR_CONNECT_FAILED",
        message: /certificate is not trusted/,
      });
      authorities.push(await readFile(pemAt("ca.pem"), "utf8"));
      for (const host of ["localhost", "127.0.0.1"]) {
        const session = await openSession(`https://${host}:${port}`, { webTransport });
        assert.deepEqual(await roundTrip(session, text(host)), text(host));
        session.close();
      }
      // The loopback network has more addresses than the certificate names, and they reach the same port.
      await using other = await listenEcho({
        hostname: "127.0.0.2",
        certificatePem: await readFile(pemAt("leaf.pem"), "utf8"),
        privateKeyPem: await readFile(pemAt("key.pem"), "utf8"),
      });
      const elsewhere = `https://127.0.0.2:${other.listener.port}`;
      await assert.rejects(openSession(elsewhere, { webTransport }), {
        code: "ERR_CONNECT_FAILED",
        message: /certificate is not trusted/,
      });
      assert.equal(other.sessions.length, 0);
    } finally {
      authorities.length = 0;
      await rm(folder, { recursive: true });
    }
  });

  it("reports the HTTP status of a refusal", async () => {
    await using gateway = await listenEcho({ admit: () => 503 });
    await assert.rejects(dial(gateway), {
      code: "ERR_CONNECT_FAILED",
      retryable: true,
      message: /HTTP status 503/,
    });
  });

  it("ends streams on both sides with a FIN, empty, small and large", async () => {
    await using gateway = await listenEcho();
    const session = await dial(gateway);
    for (const size of [0, 1, 1_200, 100_000, 3_000_000]) {
      const bytes = new Uint8Array(size).map((_, i) => i * 31);
      assert.equal(Buffer.compare(await roundTrip(session, bytes), bytes), 0, `${size} bytes`);
    }
    session.close();
  });

  it("returns stream credit: 1,000 one after another, 1,000 with 32 at a time, 300 given up", async () => {
    await using gateway = await listenEcho();
    const session = await dial(gateway);
    const payload = new Uint8Array(104);
    for (let i = 0; i < 1_000; i++) assert.equal((await roundTrip(session, payload)).length, 104);
    let left = 1_000;
    await Promise.all(Array.from({ length: 32 }, async () => {
      while (left-- > 0) assert.equal((await roundTrip(session, payload)).length, 104);
    }));
    for (let i = 0; i < 300; i++) {
      const stream = await session.openBidirectional();
      const writer = stream.writable.getWriter();
      await writer.write(payload);
      await writer.abort();
      await stream.readable.cancel();
    }
    assert.equal((await roundTrip(session, payload)).length, 104);
    session.close();
  });

  it("waits for credit when the peer's limit is reached", async () => {
    await using gateway = await listenEcho({ maxStreams: 3 });
    const session = await dial(gateway);
    // The CONNECT request takes one of the three.
    const held = [await session.openBidirectional(), await session.openBidirectional()];
    const writers = held.map((stream) => stream.writable.getWriter());
    for (const writer of writers) await writer.write(text("x"));
    await assert.rejects(session.openBidirectional({ timeoutMs: 50 }), { code: "ERR_LIMIT" });
    const third = session.openBidirectional();
    for (const writer of writers) await writer.abort();
    for (const stream of held) await stream.readable.cancel();
    assert.ok(await third);
    session.close();
  });

  it("resets and stops with the application's code in WebTransport's range", async () => {
    await using gateway = await listenEcho();
    const client = await dial(gateway);
    const server = await gateway.next();
    const incoming = server.incomingUnidirectional.getReader();
    const writer = (await client.openUnidirectional()).getWriter();
    await writer.write(text("x"));
    const { value: readable } = await incoming.read();
    const reader = readable!.getReader();
    await reader.read();
    const reading = reader.read();
    await writer.abort(Object.assign(new Error("enough"), { streamErrorCode: 77 }));
    // 77 and the two reserved codes that are skipped (draft-ietf-webtrans-http3-16 section 4.4).
    await assert.rejects(reading, new RegExp(`error ${0x52e4a40fa8db + 77 + 2}`));
    const own = (await server.openUnidirectional()).getWriter();
    await own.write(text("y"));
    const { value: theirs } = await client.incomingUnidirectional.getReader().read();
    await theirs!.cancel(Object.assign(new Error("enough"), { streamErrorCode: 7 }));
    await assert.rejects(async () => {
      while (true) await own.write(new Uint8Array(10_000));
    }, new RegExp(`error ${0x52e4a40fa8db + 7}`));
    client.close();
  });

  it("goes one way from either side, and both ways from the gateway", async () => {
    await using gateway = await listenEcho();
    const client = await dial(gateway);
    const server = await gateway.next();
    const [above, below] = [server, client].map((side) => side.incomingUnidirectional.getReader());
    for (let i = 0; i < 150; i++) {
      for (const [from, to, words] of [[client, above!, "up"], [server, below!, "down"]] as const) {
        const writer = (await from.openUnidirectional()).getWriter();
        await writer.write(text(`${words} ${i}`));
        await writer.close();
        const { value } = await to.read();
        assert.deepEqual(await readAll(value!), text(`${words} ${i}`));
      }
    }
    const near = await server.openBidirectional();
    const writer = near.writable.getWriter();
    await writer.write(text("question"));
    await writer.close();
    const { value: far } = await client.incomingBidirectional.getReader().read();
    await far!.readable.pipeTo(far!.writable);
    assert.deepEqual(await readAll(near.readable), text("question"));
    client.close();
  });

  it("holds a writer back whose peer does not read", async () => {
    await using gateway = await listenEcho();
    const client = await dial(gateway);
    const server = await gateway.next();
    const writer = (await client.openUnidirectional()).getWriter();
    const total = 16 * 1_048_576;
    let written = 0;
    const writing = (async () => {
      for (; written < total; written += 65_536) await writer.write(new Uint8Array(65_536));
      await writer.close();
    })();
    const { value: readable } = await server.incomingUnidirectional.getReader().read();
    // Round trips on another stream are the measure of time here: long enough for an unbounded sender to be done.
    for (let i = 0; i < 50; i++) await roundTrip(client, text("tick"));
    assert.ok(written < total / 2, `${written} bytes were taken without a reader`);
    assert.equal((await readAll(readable!)).length, total);
    await writing;
    client.close();
  });

  it("learns code and reason of the gateway's end, and sends its own", async () => {
    await using gateway = await listenEcho();
    const one = await dial(gateway);
    (await gateway.next()).close({ closeCode: 4321, reason: "the gateway goes down" });
    assert.deepEqual(await one.closed, { code: 4321, reason: "the gateway goes down" });
    const two = await dial(gateway);
    const server = await gateway.next();
    two.close({ closeCode: 1234, reason: "done" });
    assert.deepEqual(await server.closed, { code: 1234, reason: "done" });
  });

  it("notices a network that falls silent, and keeps an idle session alive", async () => {
    await using gateway = await listenEcho({ idleTimeoutMs: 5_000, keepAliveMs: 60_000 });
    const client = await dial(gateway);
    // Longer than the listener waits: the client's own packets keep the session.
    await new Promise((resolve) => setTimeout(resolve, 6_000));
    assert.deepEqual(await roundTrip(client, text("still")), text("still"));
    client.close();
  });

  it("leaves no socket behind", async () => {
    await using gateway = await listenEcho();
    const sockets = (): number => [...Deno.readDirSync("/proc/self/fd")].length;
    (await dial(gateway)).close();
    const before = sockets();
    for (let i = 0; i < 20; i++) {
      const session = await dial(gateway);
      session.close();
      await (await gateway.next()).closed;
    }
    for (let i = 0; i < 100 && sockets() > before + 1; i++) {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    assert.ok(sockets() <= before + 1, `${sockets()} descriptors, ${before} before`);
  });
});
