import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { allExplanations, eventName, findExplanations } from "../../../src/catalogue/lookup.ts";

function kinds(typed: string): string[] {
  return findExplanations(typed).map(({ kind, code, alias }) => `${kind}:${alias ?? code}`);
}

describe("findExplanations()", () => {
  it("finds everything that a number can mean", () => {
    assert.deepEqual(kinds("3"), [
      "wire:ERR_RATE_LIMITED",
      "q850:3",
      "event:CHANNEL_HANGUP_COMPLETE",
    ]);
    assert.deepEqual(kinds("17"), ["q850:17"]);
    assert.deepEqual(kinds("401"), ["ending:401"]);
  });

  it("leaves only one kind where it is named", () => {
    assert.deepEqual(kinds("wire:3"), ["wire:ERR_RATE_LIMITED"]);
    assert.deepEqual(kinds("Q850:3"), ["q850:3"]);
    assert.deepEqual(kinds("event=3"), ["event:CHANNEL_HANGUP_COMPLETE"]);
    assert.deepEqual(kinds("event:17"), []);
  });

  it("takes names whole, without their prefix, and in any case", () => {
    assert.deepEqual(kinds("ERR_UNAUTHORIZED"), ["sdk:ERR_UNAUTHORIZED", "wire:ERR_UNAUTHORIZED"]);
    assert.deepEqual(kinds("sdk:unauthorized"), ["sdk:ERR_UNAUTHORIZED"]);
    assert.deepEqual(kinds("channel answer"), ["event:CHANNEL_ANSWER"]);
    assert.deepEqual(kinds("hangup-complete"), ["event:CHANNEL_HANGUP_COMPLETE"]);
    assert.deepEqual(kinds("not yet valid"), ["refusal:not yet valid"]);
  });

  it("finds nothing for an unknown code", () => {
    for (const typed of ["", "foo", "ERR_", "wire:", "999", "__proto__"]) {
      assert.deepEqual(kinds(typed), [], typed);
    }
  });

  it("finds every entry by its kind and code", () => {
    for (const one of allExplanations()) {
      assert.deepEqual(findExplanations(`${one.kind}:${one.code}`), [one]);
    }
  });
});

it("eventName() names a type, and numbers one that it does not know", () => {
  assert.equal(eventName(2), "CHANNEL_ANSWER");
  assert.equal(eventName(42), "EVENT_42");
});
