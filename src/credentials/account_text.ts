/**
 * Reads the text of a service-account file, and says what a text is that is not one: each fault has its own cause and remedy.
 *
 * @module
 */

import { decodeUtf8 } from "../base/bytes.ts";
import { parseStrictJsonText } from "../base/text/json.ts";

/** Largest service-account text, in characters or bytes: a real one has under 4,000. */
export const MAX_FILE_SIZE = 65_536;
/** How many objects and arrays may lie within each other; a real one is a single object. */
const MAX_DEPTH = 16;

/** Throws an error about what was found. It quotes nothing of the text. */
type Refuse = (found: string) => never;

/** Decodes the bytes of a file: UTF-8, with or without a byte order mark. */
export function decodeAccountBytes(bytes: Uint8Array, refuse: Refuse): string {
  if (bytes.length > MAX_FILE_SIZE) refuse(tooLarge(bytes.length, "bytes"));
  if (isUtf16(bytes)) refuse("file is UTF-16, expected UTF-8 (save it again as UTF-8)");
  try {
    return decodeUtf8(bytes);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    return refuse("bytes are not UTF-8 text");
  }
}

/** Reads the JSON object in a text. */
export function readAccountText(text: string, refuse: Refuse): object {
  if (text.length > MAX_FILE_SIZE) refuse(tooLarge(text.length, "characters"));
  const body = text.replace(/^\uFEFF/, "");
  const value = parseStrictJsonText(body, MAX_DEPTH, (found): never => {
    const what = found === "is not JSON in UTF-8" ? describe(body.trim()) : `text ${found}`;
    return refuse(what);
  });
  if (typeof value === "string") {
    return refuse(
      "text is a JSON string, expected an object (it was encoded twice: decode it once)",
    );
  }
  if (value === null || typeof value !== "object" || Array.isArray(value)) {
    const kind = Array.isArray(value) ? "array" : value === null ? "null" : typeof value;
    return refuse(
      value === null
        ? `text is "null", expected JSON (is the variable set?)`
        : `JSON is ${kind === "array" ? "an" : "a"} ${kind}, expected an object`,
    );
  }
  return value;
}

function tooLarge(size: number, unit: string): string {
  return `text has ${size} ${unit}, expected at most ${MAX_FILE_SIZE}`;
}

/** Windows tools write UTF-16, with a byte order mark or without: then every other byte of ASCII text is zero. */
function isUtf16([first, second, third, fourth]: Uint8Array): boolean {
  const isMarked = first === 0xff && second === 0xfe || first === 0xfe && second === 0xff;
  return isMarked || first === 0 && third === 0 || second === 0 && fourth === 0;
}

/** Says what a text is that is not JSON. */
function describe(text: string): string {
  if (text === "") return "text is empty, expected JSON (is the variable set, the file written?)";
  if (/^(undefined|NaN)$/.test(text)) {
    return `text is "${text}", expected JSON (is the variable set?)`;
  }
  if (text.startsWith("[object ")) {
    return 'text is "[object Object]", expected JSON (pass the object itself, or JSON.stringify it)';
  }
  if (text.includes("\0")) {
    return "text was read as UTF-16, expected UTF-8 (save it again as UTF-8)";
  }
  if (/^-----BEGIN/.test(text)) {
    return "text is a PEM key, expected the whole service-account file, which holds the key as private_key";
  }
  if (text.startsWith("<")) return "text is an HTML or XML page, expected JSON";
  if (/^eyJ[\w-]*\.[\w-]+\./.test(text)) return "text is a token, expected JSON";
  if (isBase64OfObject(text)) return "text is base64, expected JSON (decode it first)";
  if (/^['`]\s*\{/.test(text)) return "text has quotes around it, expected JSON without them";
  if (/^\{\s*'/.test(text)) return "JSON has single quotes, expected double quotes";
  if (/^\{\s*\\+"/.test(text)) {
    return "JSON has escaped quotes, expected plain ones (it was encoded twice: decode it once)";
  }
  if (!text.includes("{")) {
    const isPath = text.length <= 1024 && !/[\r\n]/.test(text) && /[/\\]|\.json$/.test(text);
    return isPath
      ? "text is a path, expected the file's content (pass the path to loadServiceAccount)"
      : "text is not JSON, expected an object in braces";
  }
  const outside = text.replace(/"(?:[^"\\]|\\[^])*"/g, '""');
  if (/"[^"]*[\r\n]/.test(withoutClosedLines(text))) {
    return "a JSON string has raw line breaks in it, expected \\n (write private_key on one line, with \\n escapes)";
  }
  if (/,\s*[}\]]/.test(outside)) return "JSON has a comma before a closing brace, expected none";
  if (!/\}$/.test(text)) return "JSON ends early, expected a closing brace (is the file cut off?)";
  return "text is not JSON";
}

/** What is left of a text without the strings that open and close on one line. */
function withoutClosedLines(text: string): string {
  return text.replace(/"(?:[^"\\\r\n]|\\[^\r\n])*"/g, "");
}

/** Whether a text is base64, of the whole or in lines, of something that begins with a brace. */
function isBase64OfObject(text: string): boolean {
  if (!/^[A-Za-z0-9+/_\s-]+={0,2}$/.test(text)) return false;
  try {
    // The first characters decide; four of them are three bytes.
    const start = text.replaceAll(/\s/g, "").slice(0, 16);
    return /^\s*\{/.test(atob(start.slice(0, start.length - start.length % 4)));
  } catch {
    return false;
  }
}
