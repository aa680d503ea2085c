/**
 * The panel's HTTP server, on the loopback address alone: every request passes the guard before anything else is done with it.
 *
 * @module
 */

import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { concatBytes, decodeUtf8 } from "../base/bytes.ts";
import { TeleQuickError } from "../base/errors.ts";
import { redactSecrets } from "../base/text/redact.ts";
import type { PageFile } from "./files.ts";
import { BODY_BYTES, hostsAt, judge, type Refused, type Route, tooLong } from "./guard.ts";
import { securityHeaders } from "./headers.ts";

/** What the page asks for and does. */
export interface Api {
  /** Answers a `GET` with JSON, by the path. */
  readonly reads: Readonly<Record<string, () => Promise<unknown>>>;
  /** Does what a `POST` asks for and answers with JSON, by the path. */
  readonly actions: Readonly<
    Record<string, (body: Readonly<Record<string, unknown>>, origin: string) => Promise<unknown>>
  >;
  /** Sends lines until it is called back, by the path: each is one JSON value. */
  readonly streams: Readonly<Record<string, (send: (line: unknown) => void) => () => void>>;
}

/** Options of {@linkcode startHttpServer}. */
export interface HttpServerOptions {
  /** TCP port; 0 takes a free one. */
  readonly port: number;
  readonly key: string;
  readonly files: ReadonlyMap<string, PageFile>;
  readonly api: Api;
  /** Where the page may connect to besides. */
  readonly endpoints: readonly string[];
}

/** A server that listens. */
export interface HttpServer {
  readonly origin: string;
  /** Ends every request and frees the port. */
  close(): Promise<void>;
}

const HOSTNAME = "127.0.0.1";
const MOST_CONNECTIONS = 64;
// A browser opens six connections to a host: two of them stay free for what its pages ask for.
const MOST_STREAMS = 4;
// Bytes of lines that wait for a slow page; then its stream ends, and the page begins anew with the whole state. That is its first
// line, which does not count: a page would never get over a long one.
const STREAM_BYTES = 4 * 1024 * 1024;
const HEADER_BYTES = 8 * 1024;
const REQUEST_MS = 10_000;

/** Binds the port. Rejects with `ERR_VALUE_INVALID` when it cannot be bound. */
export async function startHttpServer(options: HttpServerOptions): Promise<HttpServer> {
  const { port } = options;
  const service = new Service(options);
  const server = createServer({
    maxHeaderSize: HEADER_BYTES,
    headersTimeout: REQUEST_MS,
    requestTimeout: REQUEST_MS,
  }, (request, response) => void service.answer(request, response));
  server.maxConnections = MOST_CONNECTIONS;
  const bound = await listen(server, port);
  service.hosts.push(...hostsAt(bound));
  return {
    origin: `http://${HOSTNAME}:${bound}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        service.endStreams();
        server.closeAllConnections();
      }),
  };
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    // Stays: a connection that cannot be accepted later is an error of the server too, and no reason to end.
    server.on("error", (error: { readonly code?: string }) =>
      reject(
        new TeleQuickError(
          "ERR_VALUE_INVALID",
          `Cannot open the panel: ${HOSTNAME}, TCP port ${port}, cannot be bound (${
            error.code ?? "unknown reason"
          }), expected a free port of this machine (0 takes one)`,
        ),
      ));
    server.listen(port, HOSTNAME, () => {
      const address = server.address();
      resolve(typeof address === "object" && address !== null ? address.port : port);
    });
  });
}

/** Answers requests. */
class Service {
  /** The values of `Host` that mean this server. */
  readonly hosts: string[] = [];
  readonly #options: HttpServerOptions;
  readonly #routes: ReadonlyMap<string, Route>;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #streams = new Set<() => void>();

  constructor(options: HttpServerOptions) {
    const { api, files, endpoints } = options;
    this.#options = options;
    this.#headers = securityHeaders(endpoints);
    const routes: [string, Route][] = [];
    for (const path of files.keys()) routes.push([path, { method: "GET", needsKey: false }]);
    for (const path of [...Object.keys(api.reads), ...Object.keys(api.streams)]) {
      routes.push([path, { method: "GET", needsKey: true }]);
    }
    for (const path of Object.keys(api.actions)) {
      routes.push([path, { method: "POST", needsKey: true }]);
    }
    this.#routes = new Map(routes);
  }

  /** Answers a request. Never rejects. */
  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    // A page that goes away in the middle is nothing to report.
    request.on("error", () => {});
    response.on("error", () => {});
    for (const [name, value] of Object.entries(this.#headers)) response.setHeader(name, value);
    try {
      await this.#answer(request, response);
    } catch (error) {
      // Errors of ours say what is wrong with what was asked for; another one could hold anything.
      const isOurs = error instanceof TeleQuickError || error instanceof TypeError;
      const reason = isOurs ? redactSecrets(error.message) : "The panel failed";
      if (response.headersSent) response.destroy();
      else refuse(response, { status: isOurs ? 400 : 500, reason });
    }
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { key, files, api } = this.#options;
    const { method = "", url: target = "", rawHeaders } = request;
    const judged = judge({ method, target, rawHeaders }, {
      ...{ hosts: this.hosts, key, routes: this.#routes },
    });
    if ("status" in judged) return refuse(response, judged);
    const file = files.get(target);
    if (file !== undefined) return await sendFile(response, file);
    if (Object.hasOwn(api.reads, target)) return sendJson(response, await api.reads[target]!());
    if (Object.hasOwn(api.streams, target)) return this.#stream(target, response);
    const bytes = await readBody(request);
    if (bytes === undefined) return refuse(response, tooLong());
    const body = parseObject(bytes);
    if (body === undefined) {
      return refuse(response, { status: 400, reason: "The body is not a JSON object" });
    }
    sendJson(response, await api.actions[target]!(body, judged.origin));
  }

  /** Ends every stream of lines. */
  endStreams(): void {
    for (const end of [...this.#streams]) end();
  }

  #stream(path: string, response: ServerResponse): void {
    if (this.#streams.size >= MOST_STREAMS) {
      return refuse(response, {
        status: 503,
        reason: `${MOST_STREAMS} pages show the panel already: close one`,
      });
    }
    response.writeHead(200, { "content-type": "application/x-ndjson; charset=utf-8" });
    let stop = (): void => {};
    const end = (): void => {
      this.#streams.delete(end);
      stop();
      response.end();
    };
    this.#streams.add(end);
    let waiting = 0;
    let isFirst = true;
    response.on("drain", () => waiting = 0);
    response.on("close", end);
    stop = this.#options.api.streams[path]!((line) => {
      if (!this.#streams.has(end)) return;
      const text = `${JSON.stringify(line)}\n`;
      waiting = response.write(text) || isFirst ? 0 : waiting + text.length;
      isFirst = false;
      if (waiting > STREAM_BYTES) response.destroy();
    });
  }
}

function refuse(response: ServerResponse, { status, reason, allow }: Refused): void {
  response.writeHead(status, {
    "content-type": "text/plain; charset=utf-8",
    // What is left of a body is not read.
    "connection": "close",
    ...(allow !== undefined && { allow }),
    ...(status === 401 && { "www-authenticate": "Bearer" }),
  });
  response.end(`${reason}\n`);
}

async function sendFile(response: ServerResponse, file: PageFile): Promise<void> {
  const bytes = await file.read();
  response.writeHead(200, {
    "content-type": file.contentType,
    "content-length": String(bytes.length),
  });
  response.end(bytes);
}

function sendJson(response: ServerResponse, value: unknown): void {
  response.writeHead(200, { "content-type": "application/json; charset=utf-8" });
  response.end(JSON.stringify(value ?? {}));
}

/** A request's body; `undefined` when it is too long. */
function readBody(request: IncomingMessage): Promise<Uint8Array | undefined> {
  return new Promise((resolve, reject) => {
    const chunks: Uint8Array[] = [];
    let length = 0;
    request.on("data", (chunk: Uint8Array) => {
      length += chunk.length;
      if (length <= BODY_BYTES) return void chunks.push(chunk);
      chunks.length = 0;
      // Not destroyed: the answer goes over the same connection.
      request.pause();
      resolve(undefined);
    });
    // Decoded by the caller: what a listener throws ends the process.
    request.on("end", () => resolve(concatBytes(chunks)));
    request.on("close", () => reject(new TypeError("The request broke off")));
  });
}

/** An object of JSON in UTF-8; `undefined` for anything else. */
function parseObject(bytes: Uint8Array): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(decodeUtf8(bytes));
    const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
    return isObject ? value as Readonly<Record<string, unknown>> : undefined;
  } catch {
    return undefined;
  }
}
