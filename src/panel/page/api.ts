/**
 * The page's side of the panel's API.
 *
 * @module
 */

import type { Line } from "../messages.ts";
import { page, type PageElement, setText } from "./dom.ts";

/** What the server answered in place of what was asked for. */
export class ApiError extends Error {
  /** The HTTP status; 0 when there was no answer. */
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

const STORED = "telequick-panel-key";

/** Takes the key out of the address, where it would end up in bookmarks and screenshots. */
export function takeKey(): void {
  const { hash, pathname } = page.location;
  if (hash.length < 2) return;
  page.sessionStorage.setItem(STORED, hash.slice(1));
  page.history.replaceState(null, "", pathname);
}

async function request(path: string, body?: unknown): Promise<Response> {
  const key = page.sessionStorage.getItem(STORED);
  const response = await fetch(path, {
    method: body === undefined ? "GET" : "POST",
    headers: {
      // Without a key the server says so, in a sentence.
      ...(key !== null && { authorization: `Bearer ${key}` }),
      ...(body !== undefined && { "content-type": "application/json" }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  }).catch(() => {
    throw new ApiError(0, "The gateway does not answer: it has stopped, or is being restarted");
  });
  if (!response.ok) throw new ApiError(response.status, (await response.text()).trim());
  return response;
}

/** Asks the server to do something. */
export async function post<T = unknown>(path: string, body: unknown): Promise<T> {
  return await (await request(`/api/${path}`, body)).json();
}

/** Asks the server to do something, and shows why it did not. */
export async function act<T>(path: string, body: unknown, problem: PageElement): Promise<T | void> {
  setText(problem, "");
  return await post<T>(path, body).catch((error) => setText(problem, error.message));
}

/** Takes the lines of the event stream until it ends. */
export async function follow(take: (line: Line) => void): Promise<void> {
  const { body } = await request("/api/events");
  const reader = body!.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  while (true) {
    const { value, done } = await reader.read();
    if (done) return;
    const lines = (rest + value).split("\n");
    rest = lines.pop()!;
    for (const line of lines) take(JSON.parse(line));
  }
}
