import { createSocket, type RemoteInfo, type Socket } from "node:dgram";
import { createRandom } from "../../src/base/random.ts";

/** What a relay does to the datagrams that pass it. Everything random comes from one seeded generator. */
export interface RelayFaults {
  /** Part of the datagrams that are dropped, 0 to 1. */
  loss?: number;
  /** Part that is sent twice. */
  duplicate?: number;
  /** Part that is held back for `reorderMs`, so that later ones overtake it. */
  reorder?: number;
  reorderMs?: number;
  /** Milliseconds that every datagram takes, each way. */
  delayMs?: number;
  /** Milliseconds by which `delayMs` varies, up or down. */
  jitterMs?: number;
  /** Nothing passes from the client to the gateway, from the gateway to the client, or either way. */
  blackhole?: "up" | "down" | "both" | undefined;
}

/** A UDP relay on 127.0.0.1 between one gateway and its clients. */
export interface UdpRelay extends AsyncDisposable {
  readonly port: number;
  /** What happens to datagrams from now on; a test sets and clears its parts. */
  readonly faults: RelayFaults;
  /** Datagrams that arrived and that were dropped, both ways. */
  readonly counts: { passed: number; dropped: number };
  /** From now on the gateway sees every client at another port, as after a NAT forgot it. */
  rebind(): Promise<void>;
  close(): Promise<void>;
}

/** Options of {@linkcode startRelay}. */
export interface RelayOptions {
  /** The gateway's port on 127.0.0.1. */
  readonly target: number;
  readonly seed?: number;
}

interface Flow {
  socket: Socket;
}

/** Starts a relay on a free port. */
export async function startRelay({ target, seed = 1 }: RelayOptions): Promise<UdpRelay> {
  const random = createRandom(seed);
  const faults: RelayFaults = {};
  const counts = { passed: 0, dropped: 0 };
  const front = await bind();
  const flows = new Map<string, Flow>();
  const timers = new Set<ReturnType<typeof setTimeout>>();
  let closed = false;

  const later = (ms: number, act: () => void): void => {
    if (ms <= 0) return act();
    const timer = setTimeout(() => {
      timers.delete(timer);
      if (!closed) act();
    }, ms);
    timers.add(timer);
  };
  const pass = (way: "up" | "down", deliver: () => void): void => {
    const { blackhole, loss = 0, duplicate = 0, reorder = 0 } = faults;
    if (blackhole === "both" || blackhole === way || random() < loss) {
      counts.dropped++;
      return;
    }
    counts.passed++;
    const { delayMs = 0, jitterMs = 0, reorderMs = 20 } = faults;
    const held = random() < reorder ? reorderMs : 0;
    later(delayMs + (random() * 2 - 1) * jitterMs + held, deliver);
    if (random() < duplicate) later(delayMs + random() * jitterMs, deliver);
  };
  const back = async (client: RemoteInfo): Promise<Socket> => {
    const socket = await bind();
    socket.on("message", (bytes) => {
      pass("down", () => closed || front.send(bytes, client.port, client.address));
    });
    return socket;
  };
  front.on("message", (bytes, client) => {
    const key = `${client.address}:${client.port}`;
    const flow = flows.get(key);
    const send = ({ socket }: Flow): void => pass("up", () => forward(socket, bytes, target));
    if (flow !== undefined) return send(flow);
    void back(client).then((socket) => {
      const opened = flows.get(key) ?? { socket };
      if (opened.socket !== socket) socket.close();
      flows.set(key, opened);
      clients.set(opened, client);
      send(opened);
    });
  });
  const clients = new Map<Flow, RemoteInfo>();
  const close = async (): Promise<void> => {
    if (closed) return;
    closed = true;
    for (const timer of timers) clearTimeout(timer);
    await Promise.all([front, ...[...flows.values()].map(({ socket }) => socket)].map(shut));
  };
  return {
    port: front.address().port,
    faults,
    counts,
    async rebind() {
      for (const flow of flows.values()) {
        const before = flow.socket;
        flow.socket = await back(clients.get(flow)!);
        await shut(before);
      }
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

function forward(socket: Socket, bytes: Uint8Array, port: number): void {
  try {
    socket.send(bytes, port, "127.0.0.1");
  } catch {
    // Closed by a rebind while the datagram was held: lost, as on a real network.
  }
}

function bind(): Promise<Socket> {
  const socket = createSocket("udp4");
  socket.on("error", () => {});
  return new Promise((resolve) => socket.bind(0, "127.0.0.1", () => resolve(socket)));
}

function shut(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.close(() => resolve()));
}
