import { connect } from "node:net";

/** What a server answered to a request that was written byte by byte. */
export interface RawAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/**
 * Writes a request as it is and reads until the server closes, or the answer's length is there.
 *
 * @param port A port of 127.0.0.1.
 * @param request The whole request, each character a byte; `connection: close` makes its end certain.
 */
export function rawHttp(port: number, request: string): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1");
    let text = "";
    socket.setEncoding("utf8");
    socket.on("connect", () => socket.write(request, "latin1"));
    socket.on("data", (part: string) => {
      text += part;
      if (isWhole(text)) socket.destroy();
    });
    socket.on("error", (error) => text === "" ? reject(error) : socket.destroy());
    socket.on("close", () => resolve(parse(text)));
  });
}

function isWhole(text: string): boolean {
  const { headers, body } = parse(text);
  const length = headers["content-length"];
  if (length !== undefined) return body.length >= Number(length);
  return headers["transfer-encoding"] === "chunked" && body.endsWith("0\r\n\r\n");
}

function parse(text: string): RawAnswer {
  const end = text.indexOf("\r\n\r\n");
  const [first = "", ...lines] = text.slice(0, end < 0 ? 0 : end).split("\r\n");
  return {
    status: Number(first.split(" ")[1] ?? 0),
    headers: Object.fromEntries(lines.map((line) => {
      const [name = "", ...value] = line.split(":");
      return [name.toLowerCase(), value.join(":").trim()];
    })),
    body: end < 0 ? "" : text.slice(end + 4),
  };
}
