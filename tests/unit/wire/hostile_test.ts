import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { encodeHex } from "../../../src/base/bytes.ts";
import { GetIncomingCallsResponse, messages } from "../../../src/wire/mod.ts";
import { seed } from "../../support/seed.ts";
import { costOf } from "./support/cost.ts";
import { assertThrows, valueOrRefusal } from "./support/errors.ts";
import { checkEverywhere, fuzz, readCorpus } from "./support/fuzzing.ts";
import { everyMessage as every, modelEncode } from "./support/model.ts";
import { bytesOf, envelopeOf, messageOf, vectors } from "./support/vectors.ts";

/** An envelope around a payload, given as hexadecimal digits. */
function envelope(...payload: readonly string[]): Uint8Array {
  const bytes = bytesOf(`000000000000${payload.join("")}`);
  new DataView(bytes.buffer).setInt32(2, bytes.length - 6, true);
  return bytes;
}

describe("truncated envelopes (G-04)", () => {
  it("are refused at every byte of every vector", () => {
    for (const vector of vectors) {
      const whole = envelopeOf(vector);
      for (let at = 0; at < whole.length; at++) {
        assertThrows(
          () => messageOf(vector).decode(whole.slice(0, at)),
          "ERR_WIRE_INVALID",
          /envelope is/,
        );
      }
    }
  });

  it("with a corrected size are accepted where a field ends, as from an older sender, and refused inside a field", () => {
    for (const vector of vectors) {
      const whole = envelopeOf(vector);
      const message = messageOf(vector);
      const complete = message.decode(whole);
      // Where each field ends, by the model: with as many fields, that is.
      const ends = new Map<number, number>();
      for (let count = 0; count <= message.fields.length; count++) {
        const older = { ...message, fields: message.fields.slice(0, count) };
        ends.set(modelEncode(older, complete).length, count);
      }
      for (let at = 6; at < whole.length; at++) {
        const cut = whole.slice(0, at);
        new DataView(cut.buffer).setInt32(2, at - 6, true);
        const count = ends.get(at);
        const value = valueOrRefusal(() => message.decode(cut));
        // Bytes past the last field are a newer sender's.
        if (count === undefined && at < Math.max(...ends.keys())) {
          assert.equal(value, undefined, `${vector.id} cut at ${at}`);
          continue;
        }
        message.fields.forEach(({ name, default: zero }, index) => {
          const expected = index < (count ?? Infinity) ? complete[name] : zero;
          assert.deepEqual(value?.[name], expected, `${vector.id} cut at ${at}: ${name}`);
        });
      }
    }
  });
});

describe("hostile lengths (G-06)", () => {
  it("in a text: negative, past the end, past the envelope into what follows it in the buffer", () => {
    for (const length of ["ffffffff", "00000080", "04000000", "ffffff7f"]) {
      const bytes = envelope(length, "616263");
      const buffer = new Uint8Array(200).fill(0x61);
      buffer.set(bytes, 50);
      for (const view of [bytes, buffer.subarray(50, 50 + bytes.length)]) {
        assertThrows(
          () => messages.TerminateRequest.decode(view),
          "ERR_WIRE_INVALID",
          /callSid is/,
        );
      }
    }
  });

  it("in binary bytes", () => {
    for (const length of ["ffffffff", "01000000", "ffffff7f"]) {
      const bytes = envelope("0100000073", length);
      assertThrows(() => messages.AudioFrame.decode(bytes), "ERR_WIRE_INVALID", /payload is/);
    }
  });

  it("in the payload size: negative, 2^31 - 1, beyond the bytes, short of them", () => {
    for (const size of [-1, -(2 ** 31), 2 ** 31 - 1, 12, 10]) {
      const bytes = envelope("07000000", "61626364656667");
      new DataView(bytes.buffer).setInt32(2, size, true);
      assertThrows(
        () => messages.TerminateRequest.decode(bytes),
        "ERR_WIRE_INVALID",
        `Cannot decode TerminateRequest: envelope is 17 bytes, expected ${size + 6}`,
      );
    }
  });

  it("in a vector's count, before anything is allocated for it", () => {
    for (
      const [count, elements] of [["ffffffff", ""], ["00000010", ""], ["02000000", "000000000000"]]
    ) {
      const bytes = envelope(count!, elements!);
      const { allocated } = costOf(() =>
        assertThrows(
          () => GetIncomingCallsResponse.decode(bytes),
          "ERR_WIRE_INVALID",
          /calls is \d+ elements/,
        )
      );
      assert.ok(allocated <= 65536);
    }
    const trunk = envelope("00000000".repeat(2), "32000000");
    assertThrows(
      () => messages.AddTrunkRequest.decode(envelope(encodeHex(trunk).slice(12), "ff")),
      "ERR_WIRE_INVALID",
      /internalSipIp/,
    );
  });

  it("in an envelope inside an envelope: negative, larger than its parent, larger than its place", () => {
    for (const size of ["ffffffff", "00010000", "07000000", "ffffff7f"]) {
      const bytes = envelope("01000000", "0000", size, "000000000000");
      assertThrows(() => GetIncomingCallsResponse.decode(bytes), "ERR_WIRE_INVALID", /calls is/);
    }
    const newer = envelope("01000000", "0101", "00000000");
    assertThrows(
      () => GetIncomingCallsResponse.decode(newer),
      "ERR_WIRE_INVALID",
      /IncomingCallInfo: envelope is of compat version 1/,
    );
  });

  it("in an element that does not end where the vector does", () => {
    const element = "0000" + "04000000" + "00000000";
    assert.equal(GetIncomingCallsResponse.decode(envelope("01000000", element)).calls.length, 1);
    assertThrows(
      () => GetIncomingCallsResponse.decode(envelope("02000000", element)),
      "ERR_WIRE_INVALID",
      /calls is/,
    );
  });

  it("do not make an element cost more than its own defaults", () => {
    const count = 100_000;
    const bytes = new Uint8Array(6 + 4 + 6 * count);
    const view = new DataView(bytes.buffer);
    view.setInt32(2, bytes.length - 6, true);
    view.setUint32(6, count, true);
    const { allocated } = costOf(() => {
      const { calls } = GetIncomingCallsResponse.decode(bytes);
      assert.equal(calls.length, count);
      assert.deepEqual(calls[count - 1], { callSid: "", callFrom: "", startTimestampMs: 0 });
    });
    assert.equal(allocated, 0);
  });
});

describe("any bytes", () => {
  it("decode to a value of every message or are refused", () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc.uint8Array({ maxLength: 200 }).map((payload) => envelope(encodeHex(payload))),
    );
    fc.assert(
      fc.property(bytes, (bytes) => {
        for (const message of every) valueOrRefusal(() => message.decode(bytes));
      }),
      { seed, numRuns: 1000 },
    );
  });

  it("that are mutated vectors (250,000 of them) decode or are refused, within the limits of cost", () => {
    const { values, refusals, roundTrips, measured } = fuzz(seed, 250_000);
    assert.equal(values + refusals, 250_000);
    // The mutator is worth something only when much gets past the first checks, and much does not.
    assert.ok(values > 25_000 && refusals > 100_000, `${values} values, ${refusals} refusals`);
    assert.ok(
      roundTrips > 500 && measured > 10_000,
      `${roundTrips} round trips, ${measured} measured`,
    );
  });

  it("that broke a rule in the past no longer do", () => {
    for (const [file, bytes] of readCorpus()) {
      assert.doesNotThrow(() => checkEverywhere(bytes), file);
    }
  });
});
