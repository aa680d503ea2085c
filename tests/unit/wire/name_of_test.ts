import assert from "node:assert/strict";
import { it } from "node:test";
import {
  ErrorCode,
  EventType,
  InboundRule,
  nameOf,
  SupervisionMode,
} from "../../../src/wire/mod.ts";

it("nameOf() returns the name of a number, undefined for an unknown one", () => {
  assert.equal(nameOf(EventType, 2), "CHANNEL_ANSWER");
  assert.equal(nameOf(ErrorCode, 7), "ERR_UNAUTHORIZED");
  assert.equal(nameOf(InboundRule, 0), "REJECT");
  assert.equal(nameOf(SupervisionMode, 4), "AGENTIC_MONITOR");
  for (const value of [-1, 6, 999, NaN]) assert.equal(nameOf(EventType, value), undefined);
});

it("the tables of numbers have the protocol's numbers, from 0 on without gaps", () => {
  for (const table of [EventType, ErrorCode, InboundRule, SupervisionMode]) {
    assert.deepEqual(Object.values(table), Object.keys(table).map((_, index) => index));
  }
  assert.deepEqual(
    [EventType, ErrorCode, InboundRule, SupervisionMode].map((table) => Object.keys(table).length),
    [6, 8, 4, 5],
  );
});
