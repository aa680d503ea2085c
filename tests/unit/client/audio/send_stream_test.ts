import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { WriteRoom } from "../../../../src/client/audio/send_stream.ts";

describe("WriteRoom", () => {
  it("gives each piece once, of the size that was asked for, and all zero", () => {
    const room = new WriteRoom();
    const sizes = [0, 1, 230, 16 * 1024, 9_000, 9_000, 16 * 1024 + 1, ...new Array(200).fill(230)];
    const pieces = sizes.map((size) => room.take(size));
    for (const [i, piece] of pieces.entries()) {
      assert.equal(piece.length, sizes[i]);
      assert.ok(piece.every((byte) => byte === 0), `piece ${i} is not fresh`);
      piece.fill(i % 255 + 1);
    }
    for (const [i, piece] of pieces.entries()) {
      assert.ok(piece.every((byte) => byte === i % 255 + 1), `piece ${i} was given twice`);
    }
    // The short ones share buffers.
    assert.ok(new Set(pieces.slice(-200).map(({ buffer }) => buffer)).size < 10);
  });
});
