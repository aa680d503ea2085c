/**
 * A free UDP port, where the listener cannot choose one and report which: the addon of Node and Bun.
 *
 * @module
 */

import { builtinModule } from "../packages.ts";

/** The part of `node:dgram` that is used. */
interface Datagrams {
  createSocket(type: "udp4" | "udp6"): Socket;
}

interface Socket {
  once(event: "error", listener: (error: unknown) => void): void;
  bind(port: number, hostname: string, onBound: () => void): void;
  address(): { readonly port: number };
  close(onClosed: () => void): void;
}

/**
 * Finds a UDP port that is free at this moment; another program can take it before it is bound.
 *
 * @param hostname The address on which it is to be free.
 * @returns The port; `undefined` where the runtime has no sockets of its own. Rejects with the system's error for an address that cannot be bound.
 */
export async function freePort(hostname: string): Promise<number | undefined> {
  const datagrams = builtinModule("node:dgram") as Datagrams | undefined;
  if (datagrams === undefined) return undefined;
  const socket = datagrams.createSocket(hostname.includes(":") ? "udp6" : "udp4");
  return await new Promise((resolve, reject) => {
    socket.once("error", reject);
    socket.bind(0, hostname, () => {
      const { port } = socket.address();
      socket.close(() => resolve(port));
    });
  });
}
