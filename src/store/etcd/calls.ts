import { fileURLToPath } from "node:url";
import type { MethodDefinition } from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";

/* The messages of etcd.proto as they come from the decoder: what has its zero value is absent. */

interface Header {
  readonly revision?: number;
}

export interface KeyValue {
  readonly key?: string;
  readonly create_revision?: number;
  readonly mod_revision?: number;
  readonly version?: number;
  readonly value?: string;
}

export interface RangeRequest {
  readonly key: string;
  readonly range_end?: string;
  readonly limit?: number;
  readonly revision?: number;
  readonly serializable?: boolean;
  readonly count_only?: boolean;
}

export interface RangeAnswer {
  readonly header?: Header;
  readonly kvs?: readonly KeyValue[];
  readonly count?: number;
}

export interface Compare {
  readonly key: string;
  readonly target: "CREATE" | "MOD";
  readonly result: "EQUAL" | "LESS";
  readonly create_revision?: number;
  readonly mod_revision?: number;
}

export type RequestOp =
  | { readonly request_range: RangeRequest }
  | { readonly request_put: { readonly key: string; readonly value: string } }
  | { readonly request_delete_range: { readonly key: string } };

export interface TxnRequest {
  readonly compare: readonly Compare[];
  readonly success: readonly RequestOp[];
  readonly failure: readonly RequestOp[];
}

export interface TxnAnswer {
  readonly header?: Header;
  readonly succeeded?: boolean;
  readonly responses?: readonly { readonly response_range?: RangeAnswer }[];
}

/** `type` is absent for a put. */
export interface WatchEvent {
  readonly type?: "PUT" | "DELETE";
  readonly kv?: KeyValue;
  readonly prev_kv?: KeyValue;
}

export interface WatchRequest {
  readonly create_request: {
    readonly key: string;
    readonly range_end: string;
    readonly start_revision: number;
    readonly prev_kv: boolean;
    readonly fragment: boolean;
  };
}

export interface WatchAnswer {
  readonly created?: boolean;
  readonly canceled?: boolean;
  readonly compact_revision?: number;
  readonly cancel_reason?: string;
  readonly fragment?: boolean;
  readonly events?: readonly WatchEvent[];
}

/** Where a call goes, and how its messages are written and read. */
export type Call<Request, Answer> = Pick<
  MethodDefinition<Request, Answer>,
  "path" | "requestSerialize" | "responseDeserialize"
>;

export interface Calls {
  readonly range: Call<RangeRequest, RangeAnswer>;
  readonly txn: Call<TxnRequest, TxnAnswer>;
  readonly compact: Call<{ readonly revision: number }, object>;
  readonly authenticate: Call<{ readonly name: string; readonly password: string }, { readonly token?: string }>;
  readonly watch: Call<WatchRequest, WatchAnswer>;
}

/** etcd's name for the end of all keys, and for their beginning. */
export const ALL = "\0";

/** A read that brings nothing but the newest revision. */
export const NOTHING: RangeRequest = { key: ALL, count_only: true };

/** Reads the calls from `etcd.proto`. Revisions are numbers: one a nanosecond would take 104 days to leave what is exact. */
export function loadCalls(): Calls {
  const path = fileURLToPath(new URL("./etcd.proto", import.meta.url));
  const found = loadSync(path, { keepCase: true, longs: Number, enums: String });
  const service = (name: string): Readonly<Record<string, unknown>> =>
    found[`etcdserverpb.${name}`] as unknown as Readonly<Record<string, unknown>>;
  const { Range, Txn, Compact } = service("KV");
  return {
    range: Range as Calls["range"],
    txn: Txn as Calls["txn"],
    compact: Compact as Calls["compact"],
    authenticate: service("Auth")["Authenticate"] as Calls["authenticate"],
    watch: service("Watch")["Watch"] as Calls["watch"],
  };
}
