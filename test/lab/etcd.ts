import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { until } from "./until.ts";

/** Unpacked by `npm run setup`, beside what is installed. */
const UNPACKED = join(import.meta.dirname, "../../node_modules/.cache/etcd-server/usr/bin/etcd");

/** The etcd to test with: `ETCD`, else the one in PATH, else the unpacked one; undefined when there is none. */
export const etcdBinary = (): string | undefined =>
  [process.env["ETCD"], "etcd", UNPACKED].find(
    (path) => path !== undefined && spawnSync(path, ["--version"]).status === 0,
  );

/** Why tests with etcd are left out; false when they are not. */
export const withoutEtcd: false | string =
  etcdBinary() === undefined && "no etcd: set ETCD, or let 'npm run setup' unpack one";

export interface EtcdOptions {
  /** 1 or 3. */
  readonly members?: number;
  /** Flags beside those that every member has, of which they win. */
  readonly flags?: readonly string[];
  /** Of the clients' URLs. */
  readonly scheme?: "http" | "https";
  /** Where its data go; absent: among the system's temporary files, or in memory where nothing need be durable. */
  readonly folder?: string;
  /** Keeps what it acknowledged over a kill. Tests that kill nothing are faster without. */
  readonly durable?: boolean;
}

export interface EtcdMember {
  /** HOST:PORT for clients. */
  readonly endpoint: string;
  /** SIGSTOP: resolves when all of it stands still. */
  signal(signal: "SIGSTOP" | "SIGCONT"): Promise<void>;
  /** Ends it at once (SIGKILL). */
  kill(): Promise<void>;
  /** Starts it again with what it had, or, `empty`, with nothing. */
  start(empty?: boolean): Promise<void>;
  /** Whether it says that it leads. */
  leads(): Promise<boolean>;
}

/** An etcd on loopback, its data in a folder that goes with it. */
export interface Etcd {
  readonly members: readonly EtcdMember[];
  readonly endpoints: readonly string[];
  leader(): Promise<EtcdMember>;
  close(): Promise<void>;
}

/** Below the ports that the kernel gives to outgoing connections, which would take that of a member that is down. */
let nextPort = 20_000 + Math.floor(Math.random() * 8_000);

const freePort = async (): Promise<number> => {
  for (;;) {
    const port = nextPort;
    nextPort = nextPort >= 29_999 ? 20_000 : nextPort + 1;
    const server = createServer();
    const isFree = await new Promise<boolean>((resolve) => {
      server.once("error", () => resolve(false));
      server.listen(port, "127.0.0.1", () => resolve(true));
    });
    if (!isFree) continue;
    server.close();
    await once(server, "close");
    return port;
  }
};

/** Fast elections; a busy machine must not cause more of them than a test wants. */
const CLUSTER_TIMES = ["--heartbeat-interval=50", "--election-timeout=500"];
const ALONE_TIMES = ["--heartbeat-interval=10", "--election-timeout=50"];

/** Starts an etcd and waits until it listens to clients and has a leader. */
export async function startEtcd(options: EtcdOptions = {}): Promise<Etcd> {
  const binary = etcdBinary();
  if (binary === undefined) throw new Error("there is no etcd to start");
  const { members: count = 1, scheme = "http", flags = [], durable = false } = options;
  const memory = "/dev/shm";
  const parent = options.folder ?? (!durable && existsSync(memory) ? memory : tmpdir());
  const folder = mkdtempSync(join(parent, "fairlead-etcd-"));
  const ports = await Promise.all(
    Array.from({ length: count }, async () => ({
      client: await freePort(),
      peer: await freePort(),
      facts: await freePort(),
    })),
  );
  const cluster = ports.map(({ peer }, at) => `m${at}=http://127.0.0.1:${peer}`).join(",");

  const members = ports.map(({ client, peer, facts }, at): EtcdMember => {
    const directory = join(folder, `m${at}`);
    let child: ChildProcess | undefined;
    let said = "";
    const args = [
      `--name=m${at}`,
      `--data-dir=${directory}`,
      `--listen-client-urls=${scheme}://127.0.0.1:${client}`,
      `--advertise-client-urls=${scheme}://127.0.0.1:${client}`,
      `--listen-peer-urls=http://127.0.0.1:${peer}`,
      `--initial-advertise-peer-urls=http://127.0.0.1:${peer}`,
      `--listen-metrics-urls=http://127.0.0.1:${facts}`,
      `--initial-cluster=${cluster}`,
      ...(count === 1 ? ALONE_TIMES : CLUSTER_TIMES),
      ...(durable ? [] : ["--unsafe-no-fsync"]),
      ...flags,
    ];
    const get = async (path: string): Promise<string> => {
      const answer = await fetch(`http://127.0.0.1:${facts}${path}`, { signal: AbortSignal.timeout(1000) });
      return answer.text();
    };
    const kill = async (): Promise<void> => {
      if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
      const ended = once(child, "exit");
      child.kill("SIGKILL");
      await ended;
    };
    return {
      endpoint: `127.0.0.1:${client}`,
      signal: async (signal) => {
        const pid = child?.pid;
        if (pid === undefined || !child!.kill(signal) || signal === "SIGCONT") return;
        const stands = (task: string): boolean =>
          readFileSync(`/proc/${pid}/task/${task}/stat`, "utf8").split(") ").at(-1)!.startsWith("T");
        await until(`etcd ${at} to stand still`, () => readdirSync(`/proc/${pid}/task`).every(stands), { every: 1 });
      },
      kill,
      start: async (empty = false) => {
        await kill();
        if (empty) rmSync(directory, { recursive: true, force: true });
        said = "";
        const started = spawn(binary, args, { stdio: ["ignore", "ignore", "pipe"] });
        child = started;
        started.stderr.on("data", (chunk: Buffer) => {
          said = (said + chunk.toString()).slice(-4000);
        });
        const isDead = (): boolean => started.exitCode !== null || started.signalCode !== null;
        const serves = async (): Promise<boolean> => isDead() || (await get("/health")).includes('"true"');
        await until(`etcd ${at} to serve`, serves, { every: 10 });
        if (isDead()) throw new Error(`etcd ${at} did not start: ${said}`);
      },
      leads: async () => /^etcd_server_is_leader 1$/m.test(await get("/metrics").catch(() => "")),
    };
  });

  const close = async (): Promise<void> => {
    await Promise.all(members.map((member) => member.kill()));
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await Promise.all(members.map((member) => member.start()));
  } catch (error) {
    await close();
    throw error;
  }
  return {
    members,
    endpoints: members.map(({ endpoint }) => endpoint),
    leader: () =>
      until("a leader", async () => {
        const are = await Promise.all(members.map((member) => member.leads()));
        return members.find((_, at) => are[at]);
      }),
    close,
  };
}
