/**
 * One question and its answer between two programs on this machine: a Unix socket in a folder of its user alone, or on Windows a named pipe.
 *
 * @module
 */

import { createConnection, createServer, type Socket } from "node:net";
import { join } from "node:path";
import process from "node:process";
import { ignore } from "../base/ignore.ts";
import { systemClock } from "../base/signal.ts";

/** A socket that answers. */
export interface LocalSocket {
  /** Where it is. */
  readonly path: string;
  /** Answers no more. */
  close(): Promise<void>;
}

const MOST_CHARACTERS = 65_536;
const MOST_CONNECTIONS = 16;
const LONGEST_MS = 10_000;

/** Answers questions of one line each, at a socket in a folder that only its owner can enter. */
export async function listenLocally(
  folder: string,
  answer: (question: string) => Promise<string>,
): Promise<LocalSocket> {
  const path = process.platform === "win32"
    ? `\\\\.\\pipe\\telequick-${crypto.randomUUID()}`
    : join(folder, "control");
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    open.add(socket);
    socket.on("close", () => open.delete(socket));
    void receive(socket).then(async (question) => {
      if (question !== undefined) socket.end(`${await answer(question)}\n`);
    });
  });
  server.maxConnections = MOST_CONNECTIONS;
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(path, resolve);
  });
  server.on("error", ignore);
  return {
    path,
    close() {
      for (const socket of open) socket.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

/** Asks at a socket. Resolves with `undefined` when nothing answers there. */
export async function askLocally(path: string, question: string): Promise<string | undefined> {
  const socket = createConnection(path);
  socket.on("connect", () => socket.write(`${question}\n`));
  return await receive(socket);
}

/** The first line that a socket receives; `undefined` when it ends before, is silent, or sends too much. */
function receive(socket: Socket): Promise<string | undefined> {
  return new Promise((resolve) => {
    let text = "";
    const cancel = systemClock.schedule(LONGEST_MS, () => socket.destroy());
    socket.setEncoding("utf8");
    socket.on("error", ignore);
    socket.on("close", () => {
      cancel();
      resolve(undefined);
    });
    socket.on("data", (data: string) => {
      text += data;
      const end = text.indexOf("\n");
      if (end >= 0) resolve(text.slice(0, end));
      else if (text.length > MOST_CHARACTERS) socket.destroy();
    });
  });
}
