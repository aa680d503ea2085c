import assert from "node:assert/strict";
import { chmod, mkdir, readFile, writeFile } from "node:fs/promises";
import process from "node:process";
import { describe, it } from "node:test";
import { commands } from "../../src/cli/commands.ts";
import { startCliGateway } from "../support/cli_gateway.ts";
import { type FakePlatformOptions, runCli, steadyClock } from "../support/fake_platform.ts";
import { type TemporaryFolder, temporaryFolder } from "../support/folder.ts";

// What users see, word for word. After a change that is meant: GOLDEN=update, then look at the difference.
const isUpdating = process.env["GOLDEN"] === "update";

/** A transcript that grows, command by command. */
class Transcript {
  #text = "";
  readonly #folder: TemporaryFolder;

  constructor(folder: TemporaryFolder) {
    this.#folder = folder;
  }

  /** Runs a command line as it would be typed, and notes what came of it. */
  async run(
    line: string,
    options: Omit<FakePlatformOptions, "args"> = {},
  ): Promise<{ readonly code: number; readonly stdout: string }> {
    const args = line.split(" ").slice(1).map((word) => word.replace("DIR", this.#folder.path));
    const outcome = await runCli(args, { clock: steadyClock, ...options });
    const { code, transcript } = outcome;
    this.#text += `$ ${line}\n${transcript}${code === 0 ? "" : `[exit ${code}]\n`}\n`;
    return outcome;
  }

  /** The transcript with what differs from run to run replaced. */
  text(): string {
    return this.#text
      .replaceAll(this.#folder.path, "DIR")
      .replace(/\/\S*telequick-gateway-\w{6}\//g, "TEMPORARY/")
      .replace(/127\.0\.0\.1:\d{2,5}/g, "127.0.0.1:PORT")
      .replace(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, "UUID")
      .replace(/(?<![\w-])[\w-]{43}(?![\w=-])/g, "THUMBPRINT")
      .replace(/[A-Za-z0-9+/]{43}=/g, "HASH")
      .replace(/(\d{4}-\d\d-\d\dT)?\d\d:\d\d:\d\dZ/g, "TIME")
      .replace(/^claim (iat|exp): \d+/gm, "claim $1: TIME")
      .replace(/\bin (\d+ \w+ )?\d+ (ms|s|min|h|d)\b/g, "in SPAN")
      .replace(/(for|Answers in|UDP, in) [\d.]+ (ms|s|min|h)( \d+ s)?/g, "$1 SPAN")
      .replace(/\d+ m?s (behind|ahead of) the gateway's/g, "SPAN from the gateway's")
      .replace(/\d+\.\d ms/g, "TIME ms")
      .replace(/(Deno|Node|Bun) \d+\.\d+\.\d+/g, "RUNTIME")
      .replace(/"(iat|exp|expiresAtMs|timestampMs)":\d+/g, '"$1":TIME');
  }
}

async function compare(name: string, transcript: Transcript): Promise<void> {
  const url = new URL(`golden/${name}.txt`, import.meta.url);
  const text = transcript.text();
  if (isUpdating) {
    await mkdir(new URL(".", url), { recursive: true });
    await writeFile(url, text);
  }
  assert.equal(text, await readFile(url, "utf8"));
}

describe("transcripts", () => {
  it("help", async () => {
    await using folder = await temporaryFolder();
    const transcript = new Transcript(folder);
    await transcript.run("telequick");
    await transcript.run("telequick --help");
    await transcript.run("telequick token");
    for (const name of Object.keys(commands)) await transcript.run(`telequick ${name} --help`);
    await compare("help", transcript);
  });

  it("mistakes", async () => {
    await using folder = await temporaryFolder();
    await writeFile(folder.at("broken.json"), '{"tenant_id": "acme"}', { mode: 0o600 });
    await writeFile(folder.at("text.json"), "hello", { mode: 0o600 });
    const transcript = new Transcript(folder);
    for (
      const line of [
        ...["telequick gatway", "telequick token mnt", "telequick --port 1", "telequick dial"],
        ...["telequick dial +15550100 --trnk x", "telequick gateway --port http"],
        ...["telequick gateway exec", "telequick explain 12345", "telequick explain EER_TIMEOUT"],
        ...["telequick tail", "telequick dial +15550100", "telequick dial 12 --trunk t"],
        ...["telequick hangup x --endpoint http://localhost", "telequick token mint"],
        ...["telequick token mint --credentials DIR/none.json"],
        ...["telequick token mint --credentials DIR/broken.json"],
        ...["telequick token mint --credentials DIR/text.json"],
        ...["telequick token mint --credentials DIR", "telequick keygen --tenant Acme"],
        ...["telequick token verify", "telequick token browser --lifetime 900"],
        ...["telequick load --endpoint https://engine.telequick.dev", "telequick rotate swap"],
        ...["telequick token mint --lifetime soon --json"],
      ]
    ) {
      await transcript.run(line, { env: { TELEQUICK_CREDENTIALS: "" } });
    }
    await transcript.run("telequick gateway", { env: { NODE_ENV: "production" } });
    await compare("mistakes", transcript);
  });

  it("keys and tokens", async () => {
    await using folder = await temporaryFolder();
    const transcript = new Transcript(folder);
    const env = { TELEQUICK_CREDENTIALS: folder.at("account.json") };
    await transcript.run(
      "telequick keygen --tenant acme --out DIR/account.json --public DIR/key.pem",
    );
    await transcript.run(
      "telequick keygen --tenant acme --out DIR/account.json --public DIR/key.pem",
    );
    await transcript.run("telequick token mint", { env });
    await transcript.run("telequick token browser --scope call.dial --json", { env });
    const { stdout } = await runCli(["token", "mint", "--show"], { env });
    await transcript.run("telequick token inspect", { input: stdout });
    await transcript.run("telequick token verify --public-key DIR/key.pem --tenant acme", {
      input: stdout,
    });
    await transcript.run("telequick token verify --public-key DIR/key.pem --tenant globex", {
      input: stdout,
    });
    await transcript.run("telequick token inspect", { input: stdout.slice(20) });
    await transcript.run("telequick rotate start --key-id next", { env });
    if (process.platform !== "win32") {
      await chmod(folder.at("account.json"), 0o640);
      await transcript.run("telequick token mint", { env });
    }
    await compare("keys", transcript);
  });

  it("calls and doctor", async () => {
    await using folder = await temporaryFolder();
    const gateway = await startCliGateway(["--directory", folder.at("gateway")]);
    const { env } = gateway;
    const transcript = new Transcript(folder);
    await transcript.run("telequick doctor", { env });
    await transcript.run("telequick dial +15550101", { env });
    await transcript.run("telequick dial +15550103", { env });
    await transcript.run("telequick dial +15550104", { env });
    await transcript.run("telequick dial +15550108", { env });
    await transcript.run("telequick dial +15550109 --json", { env });
    await transcript.run("telequick dial +15550100 --trunk other", { env });
    await transcript.run("telequick hangup unknown", { env });
    await transcript.run("telequick doctor --certificate-hash nonsense", { env });
    await transcript.run("telequick doctor", { env: { ...env, TELEQUICK_CERTIFICATE_HASH: "" } });
    await transcript.run("telequick doctor", { env: { ...env, TELEQUICK_ENDPOINT: "" } });
    await transcript.run("telequick doctor --credentials DIR/none.json", { env });
    await runCli([
      "keygen",
      "--tenant",
      "acme",
      "--out",
      folder.at("x.json"),
      "--public",
      folder.at("x.pem"),
    ]);
    await transcript.run("telequick doctor --credentials DIR/x.json", { env });
    await gateway.stop();
    await compare("calls", transcript);
  });

  it("explanations", async () => {
    await using folder = await temporaryFolder();
    const transcript = new Transcript(folder);
    for (const code of ["ERR_UNAUTHORIZED", "3", "q850:19", "CHANNEL_ANSWER", "expired", "503"]) {
      await transcript.run(`telequick explain ${code}`);
    }
    await transcript.run("telequick explain q850:17 --json");
    await transcript.run("telequick explain");
    await compare("explain", transcript);
  });
});
