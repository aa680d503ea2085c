/**
 * One row for each member that sends a request: what reaches the gateway, what comes of its reply, its refusal and an abort.
 *
 * @module
 */

import type { RequestOptions } from "@telequick/sdk";
import { encodeRefusal, type Method, methods } from "@telequick/sdk/wire";
import { type Check, equal, ok, refused } from "../check.ts";
import { openStage, type Stage } from "./stage.ts";

/** A member that sends one request and waits for its reply. */
export interface RpcRow<S> {
  readonly kind: "rpc";
  /** Calls the member. */
  readonly invoke: (subject: S, options: RequestOptions) => Promise<unknown>;
  readonly method: RpcName;
  /** The fields that the gateway has to receive; every other one has its default. */
  readonly request: Readonly<Record<string, unknown>>;
  /** What the gateway answers. Default: success without a field. */
  readonly reply?: Readonly<Record<string, unknown>> | (() => AsyncIterable<Uint8Array>);
  /** Looks at what the member resolved with. Default: it is `undefined`. */
  readonly result?: (value: unknown) => void;
  /** Fields that differ from run to run. Default: none. */
  readonly varies?: readonly string[];
  /** Whether an abort hangs up the call once the gateway has answered, in place of giving the stream up. Default: `false`. */
  readonly hangsUp?: boolean;
}

/** A member that is about more than one request, with a check of its own. */
export interface OtherRow {
  readonly kind: "other";
  readonly check: () => Promise<void>;
}

/** A row for every member: one that is added without a row does not compile. */
export type Rows<S, K extends PropertyKey = keyof S> = {
  readonly [M in K]: RpcRow<S> | OtherRow;
};

type RpcName = {
  [K in keyof typeof methods]: (typeof methods)[K] extends Method<unknown, never> ? never : K;
}[keyof typeof methods];

/** The subject of a table's rows, on a stage. */
export type Subject<S> = (stage: Stage) => Promise<S>;

/** The four checks of a table. */
export function checksOf<S>(
  name: string,
  rows: Rows<S, PropertyKey>,
  subject: Subject<S>,
): readonly Check[] {
  const rpcs = Object.entries(rows)
    .flatMap(([member, row]) => row.kind === "rpc" ? [[`${name}.${member}()`, row] as const] : []);
  const others = Reflect.ownKeys(rows)
    .flatMap((member) => {
      const row = rows[member]!;
      return row.kind === "other" ? [[`${name}.${String(member)}`, row] as const] : [];
    });
  const each = async (
    work: (row: RpcRow<S>, member: string) => Promise<void>,
  ): Promise<void> => {
    ok(rpcs.length > 0, `${name} has members that send requests`);
    for (const [member, row] of rpcs) await within(member, () => work(row, member));
  };
  const requests: readonly Check[] = [
    {
      title: `${name}: each method sends its request and resolves with the reply`,
      run: () => each((row, member) => checkReply(row, member, subject)),
    },
    {
      title: `${name}: each method rejects with the gateway's refusal`,
      run: () => each((row) => checkRefusal(row, subject)),
    },
    {
      title: `${name}: each method rejects with its signal's reason and gives the request up`,
      run: () => each((row) => checkAbort(row, subject)),
    },
  ];
  return [
    ...rpcs.length > 0 ? requests : [],
    {
      title: `${name}: every other member does what it says`,
      run: async () => {
        for (const [member, { check }] of others) await within(member, check);
      },
    },
  ];
}

async function checkReply<S>(row: RpcRow<S>, member: string, subject: Subject<S>): Promise<void> {
  const { reply = {} } = row;
  const script = typeof reply === "function" ? reply : () => reply;
  await using stage = await openStage(row.method === "Originate" ? {} : { [row.method]: script });
  const done = row.invoke(await subject(stage), {});
  const { methodId, method, fields } = await stage.request();
  equal([method, methodId], [row.method, methods[row.method].id], "method and id");
  const defaults = Object.fromEntries(
    methods[row.method].request.fields.map((field) => [field.name, field.default]),
  );
  const expected: Record<string, unknown> = { ...defaults, ...row.request };
  for (const field of row.varies ?? []) {
    ok(fields[field] !== defaults[field], `${member}: ${field} is set`);
    expected[field] = fields[field];
  }
  equal(fields, expected, "request");
  const value = await done;
  if (row.result === undefined) equal(value, undefined, "result");
  else row.result(value);
}

async function checkRefusal<S>(row: RpcRow<S>, subject: Subject<S>): Promise<void> {
  const refusal = { errorCode: 4, errorMessage: "no such luck" };
  let refuses = false;
  const script = (request: unknown): unknown => {
    if (refuses) return encodeRefusal(methods[row.method] as Method<unknown, unknown>, refusal);
    return row.method === "Originate" ? request : {};
  };
  await using stage = await openStage({ [row.method]: script });
  const target = await subject(stage);
  refuses = true;
  const error = await refused(row.invoke(target, {}), { code: "ERR_RPC_REJECTED" });
  ok(error.message.includes("no such luck"), `the gateway's words in "${error.message}"`);
  const hasCode = methods[row.method].reply?.fields.some(({ name }) => name === "errorCode");
  const hasWords = methods[row.method].reply?.fields.some(({ name }) => name === "errorMessage");
  // A reply that has words and no code is the protocol's one exception.
  if (hasCode || !hasWords) equal((error as { rpcCode?: number }).rpcCode, 4, "rpcCode");
}

async function checkAbort<S>(row: RpcRow<S>, subject: Subject<S>): Promise<void> {
  let hangs = false;
  let reply: (fields: unknown) => void = () => {};
  const script = (request: unknown): unknown => {
    if (hangs) return new Promise((resolve) => reply = resolve);
    return row.method === "Originate" ? request : {};
  };
  await using stage = await openStage({ [row.method]: script });
  const target = await subject(stage);
  hangs = true;
  const controller = new AbortController();
  const reason = new Error("enough");
  const outcome = row.invoke(target, { signal: controller.signal })
    .then(() => undefined, (error: unknown) => error);
  const { aborted, fields } = await stage.request();
  controller.abort(reason);
  ok(await outcome === reason, "it rejects with the signal's reason");
  if (row.hangsUp === true) {
    reply(fields);
    const { method, fields: { callSid } } = await stage.request();
    equal([method, callSid], ["Terminate", fields["callSid"]], "what follows the late reply");
  } else await aborted;
  hangs = false;
  if (row.method !== "GetActiveBuckets") await stage.client.getActiveBuckets();
}

async function within(member: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    throw new Error(`${member}: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  }
}
