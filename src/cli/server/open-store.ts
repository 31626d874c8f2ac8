import { readFile } from "node:fs/promises";
import type { Clock } from "../../observe/clock.ts";
import type { Log } from "../../observe/log.ts";
import { openSqliteStore } from "../../store/sqlite/sqlite.ts";
import { Unavailable, type Store } from "../../store/store.ts";
import { Failure } from "../failure.ts";
import type { StoreConfig } from "../store-config.ts";

/** Milliseconds that a start waits for an etcd that is only just starting too. */
const PATIENCE_MS = 10_000;
const PAUSE_MS = 250;

async function fileOf(what: string, path: string | undefined): Promise<string | undefined> {
  if (path === undefined) return undefined;
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    throw new Failure(`reading ${what} ${path}: ${(error as Error).message}`, { cause: error });
  }
}

async function userOf(path: string | undefined): Promise<{ name: string; password: string } | undefined> {
  const text = await fileOf("etcd's user", path);
  if (text === undefined) return undefined;
  const [, name, password] = /^([^:\n]+):([^\n]+)\n?$/.exec(text.replaceAll("\r\n", "\n")) ?? [];
  if (name === undefined || password === undefined) {
    throw new Failure(`reading etcd's user ${path}: the file should have one line, NAME:PASSWORD`);
  }
  return { name, password };
}

async function openEtcd(config: StoreConfig & { readonly kind: "etcd" }, log: Log, clock: Clock): Promise<Store> {
  const [ca, cert, key, user, { openEtcdStore }] = await Promise.all([
    fileOf("etcd's authority", config.caFile),
    fileOf("the certificate for etcd", config.certFile),
    fileOf("the key for etcd", config.keyFile),
    userOf(config.userFile),
    // What speaks to etcd is large, and nobody else needs it.
    import("../../store/etcd/etcd.ts"),
  ]);
  const tls = { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) };
  const until = clock.now() + PATIENCE_MS;
  for (;;) {
    try {
      return await openEtcdStore({
        endpoints: config.endpoints,
        ...(config.tls ? { tls } : {}),
        ...(user === undefined ? {} : { user }),
        log,
        clock,
      });
    } catch (error) {
      if (!(error instanceof Unavailable) || error.cause !== undefined || clock.now() >= until) throw error;
      log.info({ why: error.message }, "waiting for etcd");
      await new Promise((again) => setTimeout(again, PAUSE_MS));
    }
  }
}

/** Opens the store that the configuration names; `path` is the database file where it is sqlite. */
export function openStore(config: StoreConfig, path: string, log: Log, clock: Clock): Promise<Store> {
  return config.kind === "sqlite" ? openSqliteStore({ path, log }) : openEtcd(config, log, clock);
}
