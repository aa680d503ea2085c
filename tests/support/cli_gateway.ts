import { run, type RunOptions } from "../../src/cli/run.ts";
import { fakePlatform, type FakePlatformOptions, recordsOf } from "./fake_platform.ts";

/** A gateway that `telequick gateway` started in this process, on real QUIC. */
export interface CliGateway {
  /** What it prints for the environment of programs. */
  readonly env: Readonly<Record<string, string>>;
  /** The record that it prints when it is ready. */
  readonly record: Readonly<Record<string, string>>;
  /** The URL of its panel; empty without `--ui`. */
  readonly panel: string;
  /** Everything it has printed, as objects. */
  records(): readonly Record<string, unknown>[];
  /** Ctrl-C. Resolves with the exit code. */
  stop(): Promise<number>;
}

export async function startCliGateway(
  args: readonly string[] = [],
  { clock, ...options }: Omit<FakePlatformOptions, "args"> & RunOptions = {},
): Promise<CliGateway> {
  const fake = fakePlatform({ ...options, args: ["gateway", "--json", ...args] });
  const last = args.includes("--ui") ? '"type":"panel"' : '"type":"gateway"';
  const isReady = new Promise<void>((resolve) =>
    fake.onOutput((text) => text.includes(last) && resolve())
  );
  const code = run(fake.platform, clock === undefined ? {} : { clock });
  await Promise.race([
    isReady,
    code.then((code) => {
      throw new Error(`The gateway ended with ${code}: ${fake.stderr()}`);
    }),
  ]);
  const recordOf = (kind: string) => recordsOf(fake.stdout()).find(({ type }) => type === kind);
  const record = recordOf("gateway");
  const { endpoint, certificateHash, credentials, trunkId } = record as Record<string, string>;
  return {
    env: {
      TELEQUICK_ENDPOINT: endpoint!,
      TELEQUICK_CERTIFICATE_HASH: certificateHash!,
      TELEQUICK_CREDENTIALS: credentials!,
      TELEQUICK_TRUNK: trunkId!,
    },
    record: record as Record<string, string>,
    panel: String(recordOf("panel")?.["url"] ?? ""),
    records: () => recordsOf(fake.stdout()),
    stop: () => {
      fake.send("SIGINT");
      return code;
    },
  };
}
