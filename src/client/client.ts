import type { KubeList, KubeObject, Resource, WatchEvent } from "../api/object.ts";

export interface ListParameters {
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  readonly limit?: number;
  readonly continue?: string;
  readonly resourceVersion?: string;
}

export interface WatchParameters {
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  /** Events after this version. */
  readonly resourceVersion: string;
}

export interface WriteParameters {
  readonly dryRun?: boolean;
  readonly fieldManager?: string;
  readonly fieldValidation?: "Ignore" | "Warn" | "Strict";
}

export interface DeleteParameters {
  readonly gracePeriodSeconds?: number;
  readonly propagationPolicy?: "Background" | "Foreground" | "Orphan";
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string };
}

export type PatchType = "json" | "merge" | "strategic";

/** Where an object is: names are as in the URL. */
export interface Address {
  readonly namespace?: string | undefined;
  readonly name: string;
}

/**
 * How every part talks to an API server, ours or anybody's. Failures the server answered with are `ApiError`s
 * (`src/api/status.ts`); everything else (connection refused, reset, cut short) is a plain Error with its `cause`.
 */
export interface Client {
  get<T extends KubeObject>(resource: Resource, at: Address, signal?: AbortSignal): Promise<T>;
  list<T extends KubeObject>(
    resource: Resource,
    parameters?: ListParameters,
    signal?: AbortSignal,
  ): Promise<KubeList<T>>;
  /**
   * Ends by returning when the server closes the stream well; throws when it breaks, answers an error, sends half a line, or when
   * the server gives no sign of life any more. `opened` is called when the server has begun to answer.
   */
  watch<T extends KubeObject>(
    resource: Resource,
    parameters: WatchParameters,
    signal: AbortSignal,
    opened?: () => void,
  ): AsyncIterable<WatchEvent<T>>;
  /**
   * When the server was last heard: any bytes of any answer, or its sign of life, which it is asked for when a watch is open
   * and nothing else is heard. Milliseconds since the epoch; 0 before. Absent where nobody can tell.
   */
  readonly heardAt?: number;
  create<T extends KubeObject>(
    resource: Resource,
    object: T,
    parameters?: WriteParameters,
    signal?: AbortSignal,
  ): Promise<T>;
  update<T extends KubeObject>(
    resource: Resource,
    object: T,
    parameters?: WriteParameters,
    signal?: AbortSignal,
  ): Promise<T>;
  updateStatus<T extends KubeObject>(resource: Resource, object: T, signal?: AbortSignal): Promise<T>;
  patch<T extends KubeObject>(
    resource: Resource,
    at: Address,
    type: PatchType,
    patch: unknown,
    options?: WriteParameters & { readonly subresource?: "status" },
    signal?: AbortSignal,
  ): Promise<T>;
  delete(resource: Resource, at: Address, parameters?: DeleteParameters, signal?: AbortSignal): Promise<void>;
  /** Anything else, e.g. `/version`; answers the parsed JSON body. */
  raw(method: string, path: string, body?: unknown, signal?: AbortSignal): Promise<unknown>;
  /** Closes idle connections. */
  close(): void;
}
