/**
 * HTTP proxies before one Service of two endpoints, with 1 and with 5,000 hosts: both of Fairlead's engines, HAProxy and nginx with configurations
 * written by hand, and http-proxy-3. Where the machine has two processors each has one of them, and the endpoints and the load the other.
 * Rounds alternate between the servers; each row is the median of its rounds. `added` is what the proxy adds to the time of one request at a time,
 * beside asking the endpoint itself. Processor time is of all rounds of the row, memory after the last.
 *
 * SIZES=1,5000 hosts; ROUNDS=3 of SECONDS=3 each; ONLY=kept,HTTP/2 for some rows; WITHOUT=nginx,http-proxy-3 for some servers.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { standOnOwnGround } from "../test/lab/ground.ts";
import { h2load, wrk, type Loaded } from "./ingress/load.ts";
import { startDoor } from "./ingress/ours.ts";
import { startEndpoints, startHaproxy, startHttpProxy, startNginx, type Proxy } from "./ingress/rivals.ts";
import { askedHost, ENDPOINTS, makeCertificate } from "./ingress/site.ts";

const SIZES = (process.env["SIZES"] ?? "1,5000").split(",").map(Number);
const ROUNDS = Number(process.env["ROUNDS"] ?? 3);
const SECONDS = Number(process.env["SECONDS"] ?? 3);
const ONLY = process.env["ONLY"]?.split(",");
const WITHOUT = process.env["WITHOUT"]?.split(",") ?? [];

interface Row {
  readonly name: string;
  /** Undefined: this server cannot. */
  readonly measure: (proxy: Proxy, host: string, seconds: number) => Promise<Loaded> | undefined;
}

const median = (values: readonly number[]): number => values.toSorted((one, other) => one - other)[values.length >> 1]!;

standOnOwnGround();
const hasTwo = cpus().length > 1;
const [forProxy, forLoad] = hasTwo ? [0, 1] : [undefined, undefined];
const folder = mkdtempSync(join(tmpdir(), "fairlead-bench-ingress-"));
const files = makeCertificate(folder);
const ROWS: readonly Row[] = [
  {
    name: "kept connections (50)",
    measure: ({ port }, host, seconds) => wrk({ port, host, seconds, connections: 50, processor: forLoad }),
  },
  {
    name: "with a session cookie",
    measure: ({ port }, host, seconds) =>
      wrk({ port, host, seconds, connections: 50, processor: forLoad, headers: ["Cookie: S=s1; INGRESSCOOKIE=none"] }),
  },
  {
    name: "a connection a request",
    measure: ({ port }, host, seconds) =>
      wrk({ port, host, seconds, connections: 50, processor: forLoad, headers: ["Connection: close"] }),
  },
  {
    name: "HTTP/2 over TLS (10 × 10)",
    measure: ({ tlsPort }, host, seconds) =>
      tlsPort === undefined
        ? undefined
        : h2load({ port: tlsPort, host, seconds, connections: 10, processor: forLoad }, 10, folder),
  },
  {
    name: "one at a time",
    measure: ({ port }, host, seconds) => wrk({ port, host, seconds, connections: 1, processor: forLoad }),
  },
];

async function compare(proxies: readonly Proxy[], routes: number): Promise<void> {
  const host = askedHost(routes);
  for (const row of ROWS) {
    if (ONLY !== undefined && !ONLY.some((word) => row.name.includes(word))) continue;
    const rounds = new Map(proxies.map(({ name }) => [name, [] as Loaded[]]));
    const used = new Map<string, number>();
    const direct: Loaded[] = [];
    for (let round = -1; round < ROUNDS; round += 1) {
      if (row.name === "one at a time" && round >= 0) {
        direct.push(await wrk({ port: ENDPOINTS[0], host, seconds: 1, connections: 1, processor: forLoad }));
      }
      for (const proxy of proxies) {
        const before = proxy.processorTime();
        // The first round warms compilers and caches, and does not count.
        const loaded = await row.measure(proxy, host, round < 0 ? 1 : SECONDS);
        if (loaded === undefined || round < 0) continue;
        rounds.get(proxy.name)!.push(loaded);
        used.set(proxy.name, (used.get(proxy.name) ?? 0) + proxy.processorTime() - before);
      }
    }
    const straight = median(
      direct
        .map(({ p50 }) => p50)
        .concat(NaN)
        .slice(0, Math.max(1, direct.length)),
    );
    console.log(`\n### ${routes} ${routes === 1 ? "host" : "hosts"}, ${row.name}`);
    console.table(
      Object.fromEntries(
        proxies.map((proxy) => {
          const all = rounds.get(proxy.name)!;
          if (all.length === 0) return [proxy.name, { "requests/s": "it has no such thing" }];
          const requests = all.reduce((sum, one) => sum + one.requests, 0);
          const p50 = median(all.map((one) => one.p50));
          return [
            proxy.name,
            {
              "requests/s": Math.round(median(all.map(({ rate }) => rate))),
              "p50 ms": Number(p50.toFixed(3)),
              "p99 ms": Number(median(all.map(({ p99 }) => p99)).toFixed(3)),
              ...(direct.length === 0 ? {} : { "added ms": Number((p50 - straight).toFixed(3)) }),
              "µs CPU a request": Number(((used.get(proxy.name) ?? 0) / requests).toFixed(1)),
              MB: Math.round(proxy.memory()),
              samples: requests,
              errors: all.reduce((sum, one) => sum + one.errors, 0),
            },
          ];
        }),
      ),
    );
  }
}

const endpoints = await startEndpoints(files);
try {
  if (endpoints === undefined)
    throw new Error("measuring Ingress: there is no nginx to answer; 'npm run setup' unpacks it");
  if (forLoad !== undefined) endpoints.pin(forLoad);
  for (const routes of SIZES) {
    const started: Proxy[] = [];
    try {
      const starts: Record<string, () => Promise<Proxy | undefined>> = {
        builtin: () => startDoor(files, routes, "builtin"),
        haproxy: () => startDoor(files, routes, "haproxy"),
        "bare-haproxy": () => startHaproxy(files, routes),
        nginx: () => startNginx(files, routes),
        "http-proxy-3": () => startHttpProxy(routes),
      };
      for (const [name, start] of Object.entries(starts)) {
        if (WITHOUT.includes(name)) continue;
        const proxy = await start();
        if (proxy === undefined) continue;
        if (forProxy !== undefined) proxy.pin(forProxy);
        started.push(proxy);
      }
      await compare(started, routes);
    } finally {
      for (const proxy of started) await proxy.stop();
    }
  }
} finally {
  await endpoints?.stop();
  rmSync(folder, { recursive: true, force: true });
}
