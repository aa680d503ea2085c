import { createSocket } from "node:dgram";

const given = new Set<number>();

/**
 * A UDP port of 127.0.0.1 that nobody has, another one each time: above those that systems give out by themselves, so that nobody gets it
 * before its owner does, or while its owner is gone for a moment.
 */
export async function freePort(): Promise<number> {
  while (true) {
    const port = 61_000 + Math.floor(Math.random() * 4_000);
    if (given.has(port)) continue;
    given.add(port);
    const socket = createSocket("udp4");
    const isFree = await new Promise<boolean>((resolve) => {
      socket.once("error", () => resolve(false));
      socket.bind(port, "127.0.0.1", () => resolve(true));
    });
    if (!isFree) continue;
    await new Promise<void>((resolve) => socket.close(() => resolve()));
    return port;
  }
}
