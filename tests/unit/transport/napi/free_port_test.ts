import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { describe, it } from "node:test";
import { freePort } from "../../../../src/transport/napi/free_port.ts";

describe("freePort()", () => {
  it("finds a port that can be bound", async () => {
    const port = await freePort("127.0.0.1");
    assert.ok(port !== undefined && port > 0);
    const socket = createSocket("udp4");
    await new Promise<void>((resolve, reject) => {
      socket.once("error", reject);
      socket.bind(port, "127.0.0.1", resolve);
    });
    socket.close();
  });

  it("rejects for an address that this machine does not have", async () => {
    await assert.rejects(freePort("203.0.113.1"));
  });
});
