import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
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
  signal(signal: NodeJS.Signals): void;
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

const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, "close");
  return port;
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
    Array.from({ length: count }, async () => ({ client: await freePort(), peer: await freePort() })),
  );
  const cluster = ports.map(({ peer }, at) => `m${at}=http://127.0.0.1:${peer}`).join(",");

  const members = ports.map(({ client, peer }, at): EtcdMember => {
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
      `--listen-metrics-urls=http://127.0.0.1:${peer + 20000 > 65535 ? peer - 20000 : peer + 20000}`,
      `--initial-cluster=${cluster}`,
      ...(count === 1 ? ALONE_TIMES : CLUSTER_TIMES),
      ...(durable ? [] : ["--unsafe-no-fsync"]),
      ...flags,
    ];
    const metrics = args.find((arg) => arg.startsWith("--listen-metrics-urls="))!.split("=")[1]!;
    const get = async (path: string): Promise<string> => {
      const answer = await fetch(`${metrics}${path}`, { signal: AbortSignal.timeout(1000) });
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
      signal: (signal) => void child?.kill(signal),
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
        await until(
          `etcd ${at} to serve`,
          async () => {
            if (started.exitCode !== null || started.signalCode !== null) throw new Error(said);
            return (await get("/health")).includes('"true"');
          },
          { every: 10 },
        );
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
