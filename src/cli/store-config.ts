import { resolve } from "node:path";
import { UsageError } from "./failure.ts";
import { oneOf, type Flags, type Given } from "./flags.ts";

/** Where objects are kept. */
export type StoreConfig =
  | { readonly kind: "sqlite" }
  | {
      readonly kind: "etcd";
      /** `HOST:PORT` each. */
      readonly endpoints: readonly string[];
      readonly tls: boolean;
      /** Files, absolute. */
      readonly caFile?: string;
      readonly certFile?: string;
      readonly keyFile?: string;
      readonly userFile?: string;
    };

export const STORE_FLAGS = {
  store: {
    type: "string",
    value: "sqlite|etcd://HOST:PORT,…",
    help: "where objects are kept: in DIR, or in an etcd of Fairlead's own (sqlite); etcds:// is etcd with TLS",
  },
  "etcd-cafile": { type: "string", value: "FILE", help: "the authority of etcd's certificate (this machine's)" },
  "etcd-certfile": { type: "string", value: "FILE", help: "our certificate for etcd" },
  "etcd-keyfile": { type: "string", value: "FILE", help: "its key" },
  "etcd-user-file": {
    type: "string",
    value: "FILE",
    help: "our name and password for etcd, as one line NAME:PASSWORD",
  },
} as const satisfies Flags;

const ENDPOINT = /^(?:\[[0-9a-f:]+\]|[^\s:@/?#[\]]+):(\d{1,5})$/i;

function endpointsOf(list: string): string[] {
  return list.split(",").map((endpoint) => {
    if (endpoint.includes("@")) {
      throw new UsageError(
        "--store: a name and password would show in the list of processes; give them by --etcd-user-file FILE",
      );
    }
    const port = Number(ENDPOINT.exec(endpoint)?.[1]);
    if (port >= 1 && port <= 65535) return endpoint;
    throw new UsageError(
      `--store: ${JSON.stringify(endpoint)} is not HOST:PORT with a port within 1-65535, such as etcd://10.0.0.1:2379,10.0.0.2:2379`,
    );
  });
}

/** Reads the flags about the store. Throws UsageError for what contradicts itself. */
export function storeConfig(given: Given): StoreConfig {
  const text = (flag: keyof typeof STORE_FLAGS): string | undefined => {
    const value = given.values[flag];
    return typeof value === "string" ? value : undefined;
  };
  const file = (flag: keyof typeof STORE_FLAGS): string | undefined => {
    const path = text(flag);
    if (path === "") throw new UsageError(`--${flag}: the name of the file is empty`);
    return path === undefined ? undefined : resolve(path);
  };
  const said = text("store") ?? "sqlite";
  const [, scheme, list] = /^(etcds?):\/\/(.*)$/s.exec(said) ?? [];
  const files = {
    caFile: file("etcd-cafile"),
    certFile: file("etcd-certfile"),
    keyFile: file("etcd-keyfile"),
    userFile: file("etcd-user-file"),
  };
  if (scheme === undefined || list === undefined) {
    if (said === "etcd") throw new UsageError("--store: etcd where? Give etcd://HOST:PORT[,HOST:PORT…]");
    oneOf("store", said, ["sqlite"]);
    const flag = Object.keys(STORE_FLAGS).find((name) => name.startsWith("etcd-") && given.values[name] !== undefined);
    if (flag !== undefined)
      throw new UsageError(`--${flag} belongs to --store etcd://HOST:PORT, and the store is sqlite`);
    return { kind: "sqlite" };
  }
  const { caFile, certFile, keyFile } = files;
  if ((certFile === undefined) !== (keyFile === undefined)) {
    throw new UsageError(
      "--etcd-certfile and --etcd-keyfile belong together: a certificate is of no use without its key",
    );
  }
  return {
    kind: "etcd",
    endpoints: endpointsOf(list),
    tls: scheme === "etcds" || caFile !== undefined || certFile !== undefined,
    ...Object.fromEntries(Object.entries(files).filter(([, path]) => path !== undefined)),
  };
}
