/**
 * Cached DNS answers for 1,000 names from one process, against a bare UDP echo in Node, in the same run.
 * Each server runs in a process of its own and the load comes from another: closed loop, several sockets, a fixed
 * number of queries under way. Short rounds alternate and ratios are taken within a turn, so that other work on the
 * machine falls on all alike; the lowest and highest ratio show how quiet it was.
 * unbound is measured too when it is installed, with the same 1,000 names as local data.
 *
 * `node bench/dns.bench.ts [SECONDS PER ROUND]`
 */
import { spawn, fork, type ChildProcess } from "node:child_process";
import { createSocket } from "node:dgram";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { clusterSource } from "../src/dns/names/cluster.ts";
import { createContents } from "../src/dns/names/contents.ts";
import { createZones } from "../src/dns/names/zone.ts";
import { createResponder } from "../src/dns/server/respond.ts";
import { listenUdp } from "../src/dns/server/udp.ts";
import { silentLog } from "../src/observe/log.ts";

const NAMES = 1000;
const SOCKETS = 8;
const UNDER_WAY = 128;
const ROUNDS = 9;
const LOST_AFTER = 250;

const nameOf = (at: number): string => `service-${at}.bench.svc.cluster.local`;
const addressOf = (at: number): string => `10.96.${at >> 8}.${at & 255}`;

function queryFor(at: number): Buffer {
  const labels = nameOf(at).split(".");
  const name = labels.map((label) => String.fromCharCode(label.length) + label).join("");
  return Buffer.concat([
    Buffer.from("000001000001000000000000", "hex"),
    Buffer.from(`${name}\0\0\x01\0\x01`, "latin1"),
  ]);
}

const ready = (port: number): void => void process.send?.({ port });
/** Tells the parent the processor time used so far, in microseconds, whenever it asks. */
const tellUsage = (): void =>
  void process.on("message", () => {
    const { user, system } = process.cpuUsage();
    process.send?.({ usage: user + system });
  });

async function serveDns(): Promise<void> {
  const contents = createContents(Date.now);
  for (let at = 0; at < NAMES; at += 1) {
    const name = `service-${at}`;
    const metadata = { name, namespace: "bench" };
    const spec = { clusterIP: addressOf(at), ports: [{ port: 80 }] };
    contents.setService(`bench/${name}`, { apiVersion: "v1", kind: "Service", metadata, spec }, []);
  }
  const zones = createZones({
    zones: ["cluster.local"],
    ttl: 5,
    pods: "insecure",
    zonal: false,
    fallthrough: [],
    searches: false,
    nameServers: () => ({ addresses: ["10.96.0.10"], depends: [] }),
  });
  const source = clusterSource({ zones, contents, isReady: () => true });
  const responder = createResponder({
    blocks: [{ apex: [], sources: [source], outside: undefined, rotates: true }],
    serial: () => contents.serial,
    log: silentLog,
    random: Math.random,
  });
  tellUsage();
  ready((await listenUdp(responder, { address: "127.0.0.1", port: 0 }, silentLog)).port);
}

/** The rival gets the same socket settings that we use: what differs is the work alone. */
function serveEcho(): void {
  const socket = createSocket({
    type: "udp4",
    recvBufferSize: 4 << 20,
    lookup: (address, _options, callback) => callback(null, address, 4),
  });
  const ignored = (): void => {};
  socket.on("message", (packet, from) => socket.send(packet, from.port, from.address, ignored));
  tellUsage();
  socket.bind(0, "127.0.0.1", () => ready(socket.address().port));
}

interface Load {
  readonly rate: number;
  readonly p50: number;
  readonly p99: number;
  readonly count: number;
  readonly lost: number;
}

/** Keeps `UNDER_WAY` queries under way for so long; a response brings the next query on its socket. Latencies in microseconds. */
async function load(port: number, milliseconds: number): Promise<Load> {
  const queries = Array.from({ length: NAMES }, (_, at) => queryFor(at));
  const latencies: number[] = [];
  let lost = 0;
  let running = true;
  let next = 0;
  const each = UNDER_WAY / SOCKETS;
  const sockets = Array.from({ length: SOCKETS }, () => {
    const socket = createSocket({
      type: "udp4",
      recvBufferSize: 4 << 20,
      lookup: (address, _options, callback) => callback(null, address, 4),
    });
    const sentAt = new Float64Array(each);
    const turn = new Uint16Array(each);
    const ignored = (): void => {};
    const send = (slot: number): void => {
      const query = Buffer.from(queries[next++ % NAMES]!);
      // The id names the slot and its turn, so that a late answer is not taken for the one awaited.
      turn[slot] = (turn[slot]! + 1) & 0xff;
      query.writeUInt16BE((turn[slot] << 8) | slot, 0);
      sentAt[slot] = performance.now();
      socket.send(query, port, "127.0.0.1", ignored);
    };
    socket.on("message", (packet) => {
      const id = packet.readUInt16BE(0);
      const slot = id & 0xff;
      if (slot >= each || id >> 8 !== turn[slot] || !running) return;
      latencies.push((performance.now() - sentAt[slot]!) * 1000);
      send(slot);
    });
    const again = setInterval(() => {
      for (let slot = 0; slot < each; slot += 1) {
        if (performance.now() - sentAt[slot]! < LOST_AFTER) continue;
        lost += 1;
        send(slot);
      }
    }, LOST_AFTER);
    socket.bind(0, "127.0.0.1", () => {
      for (let slot = 0; slot < each; slot += 1) send(slot);
    });
    return { socket, again };
  });
  const start = performance.now();
  await sleep(milliseconds);
  running = false;
  const seconds = (performance.now() - start) / 1000;
  for (const { socket, again } of sockets) {
    clearInterval(again);
    socket.close();
  }
  latencies.sort((one, other) => one - other);
  const at = (share: number): number => latencies[Math.floor(latencies.length * share)] ?? Number.NaN;
  return { rate: latencies.length / seconds, p50: at(0.5), p99: at(0.99), count: latencies.length, lost };
}

const message = <T>(child: ChildProcess): Promise<T> => new Promise((resolve) => child.once("message", resolve));
const start = (role: string): ChildProcess => fork(import.meta.filename, [role]);

interface Contender {
  readonly name: string;
  readonly port: number;
  /** Processor time used so far, in microseconds. */
  usage(): Promise<number>;
  stop(): void;
}

async function ours(name: string, role: string): Promise<Contender> {
  const child = start(role);
  const { port } = await message<{ port: number }>(child);
  return {
    name,
    port,
    stop: () => void child.kill(),
    async usage() {
      child.send("usage");
      return (await message<{ usage: number }>(child)).usage;
    },
  };
}

/** unbound with one thread and the names as local data; undefined where it is not installed. */
async function unbound(): Promise<Contender | undefined> {
  const folder = mkdtempSync(join(tmpdir(), "bench-dns-"));
  const port = 30_000 + (process.pid % 20_000);
  const data = Array.from({ length: NAMES }, (_, at) => `local-data: "${nameOf(at)}. 5 IN A ${addressOf(at)}"`);
  const settings = [
    "server:",
    "num-threads: 1",
    `interface: 127.0.0.1@${port}`,
    "do-daemonize: no",
    'username: ""',
    'chroot: ""',
    `directory: "${folder}"`,
    'pidfile: ""',
    "use-syslog: no",
    "verbosity: 0",
    'local-zone: "cluster.local." static',
    ...data,
    "remote-control:",
    "control-enable: no",
  ];
  writeFileSync(join(folder, "unbound.conf"), `${settings.join("\n")}\n`);
  const child = spawn("unbound", ["-d", "-c", join(folder, "unbound.conf")], { stdio: "ignore" });
  const stop = (): void => {
    child.kill();
    rmSync(folder, { recursive: true, force: true });
  };
  const isStarted = await new Promise<boolean>((resolve) => {
    child.once("error", () => resolve(false));
    child.once("exit", () => resolve(false));
    setTimeout(() => resolve(child.exitCode === null), 500);
  });
  if (!isStarted) {
    stop();
    return undefined;
  }
  return {
    name: "unbound, 1 thread",
    port,
    stop,
    // Fields 14 and 15 of proc_pid_stat(5), in ticks of 10 ms.
    usage: async () => {
      const fields = readFileSync(`/proc/${child.pid}/stat`, "utf8")
        .replace(/^.*\) /, "")
        .split(" ");
      return (Number(fields[11]) + Number(fields[12])) * 10_000;
    },
  };
}

interface Round extends Load {
  /** Microseconds of processor time for each query. */
  readonly cost: number;
}

async function round(generator: ChildProcess, contender: Contender, milliseconds: number): Promise<Round> {
  const before = await contender.usage();
  generator.send({ port: contender.port, milliseconds });
  const result = await message<Load>(generator);
  return { ...result, cost: ((await contender.usage()) - before) / result.count };
}

const median = (values: readonly number[]): number => values.toSorted((one, other) => one - other)[values.length >> 1]!;

async function compare(seconds: number): Promise<void> {
  const others = await unbound();
  const contenders = [await ours("UDP echo in Node", "echo"), await ours("cluster DNS, cached", "dns")];
  if (others !== undefined) contenders.push(others);
  const generator = start("load");
  const rounds = new Map(contenders.map(({ name }) => [name, [] as Round[]]));
  try {
    // Rounds that do not count: compilers warm up and caches fill.
    for (const contender of [...contenders, ...contenders]) await round(generator, contender, 300);
    for (let turn = 0; turn < ROUNDS; turn += 1) {
      for (const contender of contenders)
        rounds.get(contender.name)!.push(await round(generator, contender, seconds * 1000));
    }
  } finally {
    generator.kill();
    for (const contender of contenders) contender.stop();
  }
  const echoRounds = rounds.get(contenders[0]!.name)!;
  const summary = [...rounds].map(([name, results]) => ({
    name,
    rate: median(results.map(({ rate }) => rate)),
    ratios: results.map(({ rate }, turn) => rate / echoRounds[turn]!.rate).sort((one, other) => one - other),
    p50: median(results.map(({ p50 }) => p50)),
    p99: median(results.map(({ p99 }) => p99)),
    cost: median(results.map(({ cost }) => cost)),
    lost: results.reduce((sum, { lost }) => sum + lost, 0),
  }));
  const echo = summary[0]!;
  const [cpu] = cpus();
  console.log(`${cpu?.model ?? "unknown processor"}, ${cpus().length} processors; Node ${process.version}`);
  console.log(
    `${NAMES} names, ${SOCKETS} sockets, ${UNDER_WAY} queries under way, median of ${ROUNDS} rounds of ${seconds} s`,
  );
  console.table(
    summary.map(({ name, rate, ratios, p50, p99, cost, lost }) => ({
      server: name,
      "queries/s": Math.round(rate),
      "of echo": median(ratios).toFixed(2),
      "lowest … highest": `${ratios[0]!.toFixed(2)} … ${ratios.at(-1)!.toFixed(2)}`,
      "p50 µs": Math.round(p50),
      "p99 µs": Math.round(p99),
      "CPU µs/query": cost.toFixed(1),
      "echo CPU / CPU": (echo.cost / cost).toFixed(2),
      lost,
    })),
  );
  if (others === undefined) console.log("unbound: not measured (it is not installed)");
  console.log(`target: at least 0.85 of the echo`);
}

const [role] = process.argv.slice(2);
if (role === "dns") await serveDns();
else if (role === "echo") serveEcho();
else if (role === "load") {
  process.on("message", ({ port, milliseconds }: { port: number; milliseconds: number }) => {
    void load(port, milliseconds).then((result) => process.send?.(result));
  });
} else await compare(Number(role ?? 0.5));
