/**
 * The same frames over WebSocket, with the `ws` package at both ends: one connection for all calls, a message per frame.
 *
 * @module
 */

import { spawn } from "node:child_process";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { WebSocket } from "ws";
import { AudioFrame, AudioFrameEncoder } from "../../../src/wire/mod.ts";
import type { TalkPort } from "./talker.ts";

/** A connection whose peer sends every message back. */
export interface WsPeer extends AsyncDisposable {
  /** One for each call. */
  readonly ports: readonly TalkPort[];
}

const SCRIPT = fileURLToPath(new URL("./ws_process.ts", import.meta.url));
// The envelope of a frame begins after its length and its method id.
const HEADER_BYTES = 8;

/** Starts the peer and connects to it. */
export async function openWsPeer(calls: number): Promise<WsPeer> {
  const child = spawn(
    process.execPath,
    ["run", "-A", "--quiet", "--no-check", SCRIPT],
    { stdio: ["pipe", "pipe", "inherit"] },
  );
  let said = "";
  for await (const chunk of child.stdout) {
    said += String(chunk);
    if (said.includes("\n")) break;
  }
  const socket = new WebSocket(said.trim(), { perMessageDeflate: false });
  await new Promise((resolve, reject) => socket.on("open", resolve).on("error", reject));
  const takers = new Map<string, (payload: Uint8Array) => void>();
  socket.on("message", (message: Uint8Array) => {
    const { callSid, payload } = AudioFrame.decode(message.subarray(HEADER_BYTES));
    takers.get(callSid)?.(payload.slice());
  });
  const ports = Array.from({ length: calls }, (): TalkPort => {
    const callSid = crypto.randomUUID();
    const encoder = new AudioFrameEncoder({ callSid, codec: "PCMU" });
    let sequenceNumber = 0;
    return {
      copies: true,
      send: (payload) => socket.send(encoder.encode(payload, sequenceNumber++)),
      listen: (take) => void takers.set(callSid, take),
    };
  });
  return {
    ports,
    [Symbol.asyncDispose]() {
      socket.terminate();
      child.stdin.end();
      return new Promise((resolve) => child.on("exit", () => resolve()));
    },
  };
}
