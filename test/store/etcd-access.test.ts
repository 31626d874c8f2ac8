import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { systemClock } from "../../src/observe/clock.ts";
import { silentLog } from "../../src/observe/log.ts";
import { openEtcdStore, type EtcdStoreOptions } from "../../src/store/etcd/etcd.ts";
import { TooLarge, Unavailable } from "../../src/store/store.ts";
import { createAuthority } from "../apiserver/certificates.ts";
import { startEtcd, withoutEtcd, type Etcd } from "../lab/etcd.ts";
import { put, write } from "./contract/example.ts";
import { record } from "./watching.ts";

const skip = withoutEtcd;
const timeout = 60_000;
const openStore = (etcd: Etcd, options: Partial<EtcdStoreOptions> = {}) =>
  openEtcdStore({ endpoints: etcd.endpoints, log: silentLog, clock: systemClock, compactEveryMs: 0, ...options });

/** A call of etcd's HTTP gateway. */
const gateway = async (etcd: Etcd, path: string, body: object): Promise<void> => {
  const answer = await fetch(`http://${etcd.endpoints[0]}/v3/auth/${path}`, {
    method: "POST",
    body: JSON.stringify(body),
  });
  assert.equal(answer.status, 200, await answer.text());
};

void test(
  "etcd: a user's name and password, and a token that is forgotten while it is in use",
  { skip, timeout },
  async () => {
    const etcd = await startEtcd({ durable: true });
    try {
      await gateway(etcd, "user/add", { name: "root", password: "secret" });
      await gateway(etcd, "role/add", { name: "root" });
      await gateway(etcd, "user/grant", { user: "root", role: "root" });
      await gateway(etcd, "enable", {});
      await assert.rejects(
        openStore(etcd, { timeoutMs: 1000 }),
        /^Unavailable: reading etcd at .*: user name is empty$/,
      );
      await assert.rejects(openStore(etcd, { user: { name: "root", password: "wrong" }, timeoutMs: 1000 }), {
        name: "Unavailable",
        message: /authentication failed, invalid user ID or password$/,
      });
      const store = await openStore(etcd, { user: { name: "root", password: "secret" } });
      try {
        const revision = await write(store, put("/a", "1"));
        const watch = await record(store, "/", revision);
        // Tokens are kept in a member's memory.
        await etcd.members[0]!.start();
        const next = await write(store, put("/a", "2"));
        await watch.reached(next);
        assert.equal(watch.events().length, 1);
        assert.equal((await store.get("/a")).entry?.value, "2");
      } finally {
        await store.close();
      }
    } finally {
      await etcd.close();
    }
  },
);

void test(
  "etcd: TLS with certificates for both sides; without one, or with another authority, nothing",
  { skip, timeout },
  async () => {
    const folder = mkdtempSync(join(tmpdir(), "fairlead-etcd-tls-"));
    const authority = await createAuthority();
    const other = await createAuthority("CN=other");
    const [server, client] = await Promise.all([authority.server(), authority.client("CN=fairlead")]);
    const file = (name: string, text: string): string => {
      writeFileSync(join(folder, name), text, { mode: 0o600 });
      return join(folder, name);
    };
    const etcd = await startEtcd({
      scheme: "https",
      flags: [
        `--cert-file=${file("server.crt", server.cert)}`,
        `--key-file=${file("server.key", server.key)}`,
        `--trusted-ca-file=${file("ca.crt", authority.cert)}`,
        "--client-cert-auth",
      ],
    });
    try {
      const store = await openStore(etcd, { tls: { ca: authority.cert, ...client } });
      const revision = await write(store, put("/a", "1"));
      const watch = await record(store, "/", 1);
      await watch.reached(revision);
      await store.close();
      const refused = async (options: Partial<EtcdStoreOptions>, words: RegExp): Promise<void> => {
        await assert.rejects(openStore(etcd, { timeoutMs: 700, ...options }), (error: unknown) => {
          assert.ok(error instanceof Unavailable);
          assert.match(error.message, words);
          return true;
        });
      };
      await refused({ tls: { ca: other.cert, ...client } }, /does not answer: .*certificate/);
      await refused({ tls: { ca: authority.cert } }, /does not answer: /);
      await refused({}, /does not answer: /);
    } finally {
      await etcd.close();
      rmSync(folder, { recursive: true });
    }
  },
);

void test(
  "etcd: what is too large for one write is refused in words, lists of any size are read, and events in pieces arrive whole",
  { skip, timeout },
  async () => {
    const etcd = await startEtcd();
    const store = await openStore(etcd);
    try {
      const value = "x".repeat(400_000);
      const watch = await record(store, "/", 1);
      await assert.rejects(store.write([], [put("/a", "x".repeat(1_600_000))]), (error: unknown) => {
        assert.ok(error instanceof TooLarge);
        assert.match(error.message, /^writing \/a to etcd at .*: request is too large$/);
        return true;
      });
      await assert.rejects(store.write([], [put("/a", "x".repeat(3_000_000))]), TooLarge);
      const many = Array.from({ length: 129 }, (_, at) => put(`/many/${at}`, ""));
      await assert.rejects(store.write([], many), (error: unknown) => {
        assert.ok(error instanceof TooLarge);
        assert.match(error.message, /too many operations in txn request$/);
        return true;
      });
      assert.equal(await store.revision(), 1);
      assert.ok((await store.write([], many.slice(1))).ok);
      // Three values of 400 kB a write and what they replaced are more than the 2 MB that etcd puts into one piece.
      let last = 0;
      for (let at = 0; at < 12; at++) {
        last = await write(store, ...[0, 1, 2].map((part) => put(`/large/${at % 6}/${part}`, value)));
      }
      const { entries } = await store.list("/large/");
      assert.equal(entries.length, 18);
      await watch.reached(last);
      const late = await openStore(etcd, { tailEvents: 0 });
      const past = await record(late, "/", 1);
      await past.reached(last);
      assert.deepEqual(past.events(), watch.events());
      for (const { events } of past.calls) {
        for (const [, write] of Map.groupBy(events, (event) => (event.type === "put" ? event.entry.modRevision : 0))) {
          assert.ok(write.length === 3 || write.length === 128, `${write.length} events of a write came together`);
        }
      }
      await late.close();
    } finally {
      await store.close();
      await etcd.close();
    }
  },
);
