import { describe, it } from "node:test";
import assert from "node:assert/strict";
import { TeleQuickError } from "../../../src/base/errors.ts";
import {
  applicationCode,
  connectTimeout,
  faultText,
  fromTransport,
  isStreamLimit,
  sessionClosed,
  TransportFault,
} from "../../../src/transport/fault.ts";

const endpoint = new URL("https://gw.example:9090/");

// The texts are those that the implementations gave when they were measured (src/transport/IMPLEMENTATIONS.md).
const connectFaults: readonly (readonly [
  text: string,
  pinned: boolean,
  found: RegExp,
  retryable: boolean,
])[] = [
  [
    "the cryptographic handshake failed: error 48: invalid peer certificate: UnknownIssuer",
    true,
    /another SHA-256 than serverCertificateHash/,
    false,
  ],
  [
    "connection error: the cryptographic handshake failed: error 48: invalid peer certificate: UnknownIssuer",
    true,
    /another SHA-256 than serverCertificateHash/,
    false,
  ],
  [
    "the cryptographic handshake failed: error 46: invalid peer certificate: Other(OtherError(CaUsedAsEndEntity))",
    false,
    /certificate is not trusted.*pass its SHA-256 as serverCertificateHash/,
    false,
  ],
  [
    "the cryptographic handshake failed: error 45: invalid peer certificate: Expired",
    true,
    /certificate is out of date.*make a new one/,
    false,
  ],
  [
    "invalid peer certificate: certificate not valid yet",
    false,
    /certificate is out of date/,
    false,
  ],
  ["timed out", false, /nothing answered/, true],
  ["connection error: timed out", true, /nothing answered/, true],
  ["expected 200, got: Some(403)", false, /HTTP status 403, expected 200/, false],
  ["protocol error: expected 200, got: Some(503)", false, /HTTP status 503/, true],
  ["protocol error: expected 200, got: Some(429)", false, /HTTP status 429/, true],
  [
    "aborted by peer: the server refused to accept a new connection",
    false,
    /the gateway refused the connection/,
    true,
  ],
  ["invalid server name: [::1]", false, /no usable address \(invalid server name: \[::1\]\)/, true],
  ["Opening handshake failed.", true, /browsers do not say why: not reachable/, true],
  ["WebTransport connection rejected", true, /browsers do not say why: not reachable/, true],
  [
    "Failed to construct 'WebTransport': Refused to connect to 'https://gw.example:9090/' because it violates the document's Content Security Policy.",
    false,
    /expected its directive connect-src to name https:\/\/gw\.example:9090$/,
    false,
  ],
  ["Too many open files (os error 24)", false, /no file descriptor left.*ulimit -n/, true],
  ["bind EMFILE 0.0.0.0", false, /no file descriptor left/, true],
  ["recvmsg ECONNREFUSED", false, /nothing listens at its port/, true],
  ["connect ENETUNREACH ::1:9", false, /no usable address/, true],
  ["the server's settings offer no WebTransport", false, /has no WebTransport/, false],
  [
    'Requires net access to "127.0.0.1:9090", run again with the --allow-net flag',
    false,
    /not allowed to reach it \(run with: --allow-net=127\.0\.0\.1:9090\)$/,
    false,
  ],
  ["Bad resource ID", false, /ended before it was ready/, true],
  ["connection lost", false, /ended before it was ready/, true],
];

describe("fromTransport() while connecting", () => {
  for (const [text, pinned, found, retryable] of connectFaults) {
    it(`reads "${text}"${pinned ? " with a pinned hash" : ""}`, () => {
      const cause = new Error(text);
      const error = fromTransport(cause, { action: "connect", endpoint, pinned });
      assert.equal(error.code, "ERR_CONNECT_FAILED");
      assert.equal(error.retryable, retryable);
      assert.match(error.message, /^Cannot connect to https:\/\/gw\.example:9090: /);
      assert.match(error.message, found);
      assert.equal(error.cause, cause);
    });
  }

  it("names the hash when a browser refuses again and again with a pinned one", () => {
    for (const text of ["Opening handshake failed.", "WebTransport connection rejected"]) {
      const message = (failures: number, pinned = true): string =>
        fromTransport(new Error(text), { action: "connect", endpoint, pinned, failures }).message;
      assert.match(message(2), /not reachable/);
      assert.match(message(3), /failed 3 times in a row.*most often the hash/);
      assert.match(message(3, false), /not reachable/);
    }
  });

  it("keeps a query out of the message, and the foreign error out of the cause", () => {
    const url = new URL("https://gw.example:9090/p?token=CANARY");
    const error = fromTransport(new Error(`bad URL ${url}`), { action: "connect", endpoint: url });
    assert.equal(error.cause, undefined);
    assert.ok(!`${error.message}${error.stack}`.includes("CANARY"));
  });

  it("reads no reason out of a query, and quotes none with the reason", () => {
    const url = new URL("https://gw.example:9090/p?token=dnsCANARY");
    const context = { action: "connect", endpoint: url };
    const lost = fromTransport(new Error(`no session with ${url}`), context);
    assert.match(lost.message, /ended before it was ready/);
    const unknown = fromTransport(new Error(`cannot resolve ${url}: no such host`), context);
    assert.match(unknown.message, /\(cannot resolve https:\/\/gw\.example:9090\/p no such host\)/);
    for (const { message, stack } of [lost, unknown]) {
      assert.ok(!`${message}${stack}`.includes("CANARY"));
    }
  });

  it("takes any thrown value", () => {
    for (
      const thrown of [undefined, null, 0, "timed out", {}, Object.create(null), Symbol.iterator]
    ) {
      const error = fromTransport(thrown, { action: "connect", endpoint });
      assert.equal(error.code, "ERR_CONNECT_FAILED");
    }
  });
});

describe("fromTransport() on a session", () => {
  it("gives back an error of ours as it is", () => {
    const ours = new TeleQuickError("ERR_LIMIT", "Cannot open a stream: full, expected room");
    assert.equal(fromTransport(ours, { action: "read" }), ours);
    assert.equal(fromTransport(ours, { action: "connect", endpoint }), ours);
  });

  it("reports a stream that the peer gave up from a session that is over", () => {
    const cases: readonly (readonly [error: unknown, message: string])[] = [
      [
        new TransportFault("x", 7),
        "Cannot read the reply: the peer gave up the stream (code 7), expected it to stay open",
      ],
      [
        new Error("stream reset by peer: error 91141958510820"),
        "Cannot read the reply: the peer gave up the stream (code 9), expected it to stay open",
      ],
      [
        new Error("STOP_SENDING: 0"),
        "Cannot read the reply: the peer gave up the stream, expected it to stay open",
      ],
      [
        new TransportFault("x"),
        "Cannot read the reply: the session is over, expected it to be open",
      ],
      [
        new Error("connection lost"),
        "Cannot read the reply: the session is over, expected it to be open",
      ],
    ];
    for (const [cause, message] of cases) {
      const error = fromTransport(cause, { action: "read the reply" });
      assert.equal(error.message, message);
      assert.equal(error.code, "ERR_SESSION_CLOSED");
      assert.equal(error.retryable, true);
      assert.equal(error.cause, cause);
    }
  });
});

describe("isStreamLimit()", () => {
  it("knows what Deno and browsers say without stream credit", () => {
    const deno = new RangeError(
      "Connection has reached the maximum number of concurrent outgoing bidirectional streams",
    );
    const network = (message: string) => new DOMException(message, "NetworkError");
    assert.equal(isStreamLimit(deno), true);
    assert.equal(isStreamLimit(network("Failed to create bidirectional stream.")), true);
    assert.equal(isStreamLimit(network("Failed to create send stream.")), true);
    assert.equal(isStreamLimit(new DOMException("x", "QuotaExceededError")), true);
  });

  it("takes nothing else for it", () => {
    for (const other of [new Error("connection lost"), new RangeError("offset"), null, "x"]) {
      assert.equal(isStreamLimit(other), false);
    }
  });
});

describe("sessionClosed(), connectTimeout() and faultText()", () => {
  it("say why, in one short line", () => {
    const error = sessionClosed("open a stream", `bye\n\u0007${"x".repeat(500)}`);
    assert.equal(error.retryable, true);
    assert.ok(error.message.length < 250);
    // deno-lint-ignore no-control-regex
    assert.ok(!/[\u0000-\u001f]/.test(error.message));
    assert.equal(faultText(new Error("a\r\nb")), "a b");
    assert.equal(faultText(undefined), "undefined");
    const late = connectTimeout(endpoint, 250);
    assert.match(late.message, /https:\/\/gw\.example:9090: nothing answered within 250 ms/);
    assert.equal(late.retryable, true);
  });
});

describe("applicationCode()", () => {
  it("reverses the mapping of draft-ietf-webtrans-http3 section 4.4, and leaves other codes alone", () => {
    for (const code of [0, 1, 29, 30, 31, 59, 60, 1234, 4321, 2 ** 32 - 1]) {
      const mapped = 0x52e4a40fa8db + code + Math.floor(code / 0x1e);
      assert.equal(applicationCode(mapped), code);
    }
    for (const code of [0, 77, 0x100, 0x52e4a40fa8da, 0x52e5ac983163]) {
      assert.equal(applicationCode(code), code);
    }
  });
});
