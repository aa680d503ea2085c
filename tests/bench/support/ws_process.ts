/**
 * A WebSocket server of the `ws` package that sends every message back. It prints its address when it listens and ends with its
 * standard input.
 *
 * @module
 */

import process from "node:process";
import { type WebSocket, WebSocketServer } from "ws";

const server = new WebSocketServer({ host: "127.0.0.1", port: 0, perMessageDeflate: false });
server.on("connection", (socket: WebSocket) => {
  socket.on("message", (message: Uint8Array) => socket.send(message));
});
server.on("listening", () => {
  const { port } = server.address() as { readonly port: number };
  process.stdout.write(`ws://127.0.0.1:${port}\n`);
});
process.stdin.on("data", () => {});
process.stdin.on("end", () => process.exit(0));
