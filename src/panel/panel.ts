/**
 * Opens the panel: a page on the loopback address that shows the gateway, and the phone that rings in it.
 *
 * @module
 */

import { encodeBase64Url } from "../base/base64.ts";
import type { Gateway } from "../gateway/mod.ts";
import { createActions } from "./actions.ts";
import { type Facts, Feed } from "./feed.ts";
import { findPageFiles } from "./files.ts";
import { startHttpServer } from "./http_server.ts";

/** Options of {@linkcode startPanel}. */
export interface PanelOptions extends Facts {
  readonly gateway: Gateway;
  /** TCP port on 127.0.0.1; 0 takes a free one. Default: 0. */
  readonly port?: number;
  /** Where the page's files are. Default: where `deno task panel` and the npm package have them. */
  readonly folder?: URL;
}

/** A panel that is open. */
export interface Panel {
  /** The page's address, with the key in its fragment: for the person at the terminal alone. */
  readonly url: string;
  /** Ends it, and every page's stream with it. */
  close(): Promise<void>;
}

// 192 bits.
const KEY_BYTES = 24;

/**
 * Opens the panel.
 *
 * @returns `undefined` where the page's files were not made: `deno task panel` makes them in a clone of the repository.
 * @throws `ERR_VALUE_INVALID` when the port cannot be bound.
 */
export async function startPanel(options: PanelOptions): Promise<Panel | undefined> {
  const { gateway, port = 0, folder, endpoint } = options;
  const files = await findPageFiles(folder);
  if (files === undefined) return undefined;
  const feed = new Feed({ gateway, facts: options });
  const key = encodeBase64Url(crypto.getRandomValues(new Uint8Array(KEY_BYTES)));
  try {
    const server = await startHttpServer({
      ...{ port, key, files, endpoints: [endpoint] },
      api: {
        reads: { "/api/state": () => Promise.resolve(feed.state()) },
        streams: { "/api/events": (send) => feed.open(send) },
        actions: createActions(gateway),
      },
    });
    return {
      url: `${server.origin}/#${key}`,
      async close() {
        feed.close();
        await server.close();
      },
    };
  } catch (error) {
    feed.close();
    throw error;
  }
}
