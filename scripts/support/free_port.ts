import { createSocket } from "node:dgram";

const given = new Set<number>();

/**
 * A UDP port of 127.0.0.1 that is free, another one each time in a process: above those that Linux gives out by itself, so that no other process
 * gets it before its owner does, or while its owner is gone for a moment.
 */
export async function freePort(): Promise<number> {
  while (given.size < 4_000) {
    const port = 61_000 + Math.floor(Math.random() * 4_000);
    if (given.has(port)) continue;
    given.add(port);
    const socket = createSocket("udp4");
    const isFree = await new Promise<boolean>((resolve) => {
      socket.once("error", () => resolve(false));
      socket.bind(port, "127.0.0.1", () => resolve(true));
    });
    await new Promise<void>((resolve) => socket.close(() => resolve()));
    if (isFree) return port;
  }
  throw new Error("Cannot find a free port: all from 61000 to 64999 were tried");
}
