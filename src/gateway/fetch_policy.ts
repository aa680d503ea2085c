/**
 * What a gateway fetches: only what its owner has named, never what a tenant asks it to.
 *
 * @module
 */

/** Decides what is fetched. */
export interface FetchPolicy {
  /** Whether a URL is one that the owner has named. */
  allows(url: URL): boolean;
  /** The folders that can be read. */
  readonly folders: readonly string[];
}

/**
 * Reads the owner's list. An entry is an origin (`https://hooks.example`), a host with its port if it is not the scheme's own (`127.0.0.1:8080`,
 * for http: and https: alike), or a folder (`file:///data/campaigns/`). Entries match exactly; there are no patterns.
 */
export function fetchPolicy(allowed: readonly string[]): FetchPolicy {
  const folders = allowed.filter((entry) => entry.startsWith("file://"))
    .map((entry) => new URL(entry.endsWith("/") ? entry : `${entry}/`).href);
  const names = new Set(allowed.filter((entry) => !entry.startsWith("file://")));
  return {
    folders: folders.map((folder) => decodeURIComponent(new URL(folder).pathname)),
    allows(url) {
      if (url.username !== "" || url.password !== "") return false;
      if (url.protocol === "file:") {
        // An escaped slash is one to the file system and none to the URL.
        return !/%2f|%5c/i.test(url.href) && folders.some((folder) => url.href.startsWith(folder));
      }
      if (url.protocol !== "http:" && url.protocol !== "https:") return false;
      return names.has(url.origin) || names.has(url.host);
    },
  };
}

/** Parses a URL that came from a peer. */
export function readUrl(text: string): URL | undefined {
  try {
    return new URL(text);
  } catch {
    return undefined;
  }
}
