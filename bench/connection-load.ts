/** One client that calls over and over, on one processor. */
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { Host, Running } from "../src/host/host.ts";
import { systemHost } from "../src/host/processes.ts";
import { PODS, type Network } from "../test/proxy/lab/network.ts";
import { direct, DIRECT_PORT, PORT, type Way } from "./connection-ways.ts";
import { percentile } from "./percentiles.ts";

const SOCKETS = fileURLToPath(new URL("blocking-sockets.ts", import.meta.url));

interface Answer {
  readonly connections: number;
  readonly failed: number;
  readonly latencies: readonly number[];
}
interface Measuring {
  readonly rounds: number;
  /** How long a round is. */
  readonly milliseconds: number;
  readonly cpu: string;
}
interface Load {
  client(way: Way): Promise<Answer>;
  end(): Promise<void>;
}

async function start(network: Network, { cpu, milliseconds }: Measuring): Promise<Load> {
  const pinned = (host: Host, ...args: string[]): Promise<Running> =>
    host.open("taskset", ["-c", cpu, process.execPath, SOCKETS, ...args], { stderr: "inherit" });
  const servers: Running[] = [];
  for (const port of [PORT, DIRECT_PORT]) {
    const server = await pinned(network.at("pod2"), "server", PODS.pod2.IPv4, String(port));
    await new Promise((resolve) => server.stdout.once("data", resolve));
    servers.push(server);
  }
  const client = await pinned(network.at("pod1"), "client");
  const lines = createInterface({ input: client.stdout });
  return {
    client: ({ ip, port }) =>
      new Promise((resolve) => {
        lines.once("line", (line) => resolve(JSON.parse(line) as Answer));
        client.stdin.write(`${JSON.stringify({ ip, port, milliseconds })}\n`);
      }),
    async end() {
      for (const running of [client, ...servers]) {
        running.kill("SIGKILL");
        await running.ended;
      }
    },
  };
}

function good({ name }: Way, answer: Answer): Answer {
  const { connections, failed } = answer;
  if (failed > 0) throw new Error(`${name}: ${failed} of ${connections + failed} connections failed`);
  return answer;
}

/**
 * Takes each way in its turn, and beside each round of it one of direct connections, since a machine is not the same from minute to minute.
 * Client, server and this process, whose userspace engines carry too, stand on one processor. Prints a line a way.
 */
export async function measureWays(network: Network, ways: readonly Way[], measuring: Measuring): Promise<void> {
  const { rounds, milliseconds, cpu } = measuring;
  await systemHost().check("taskset", ["-a", "-cp", cpu, String(process.pid)]);
  const load = await start(network, measuring);
  const bare = direct();
  try {
    for (const one of ways) {
      const remove = await one.make();
      // HAProxy takes a moment to listen.
      for (let tries = 0; tries < 10 && (await load.client(one)).failed > 0; tries++);
      await load.client(one); // A first round warms.
      const shares: number[] = [];
      for (let round = 0; round < rounds; round++) {
        const beside = good(bare, await load.client(bare));
        const { connections, latencies } = good(one, await load.client(one));
        one.rates.push((connections * 1000) / milliseconds);
        shares.push(connections / beside.connections);
        for (const latency of latencies) one.latencies.push(latency);
      }
      await remove();
      const middle = percentile(one.rates, 0.5);
      console.log(
        `${one.name.padEnd(34)} ${middle.toFixed(0).padStart(6)} connections/s (${Math.min(...one.rates).toFixed(0)} to ${Math.max(...one.rates).toFixed(0)})` +
          `  first byte p50 ${percentile(one.latencies, 0.5).toFixed(0)} µs  p99 ${percentile(one.latencies, 0.99).toFixed(0)} µs` +
          `  ${percentile(shares, 0.5).toFixed(3)} of direct`,
      );
    }
  } finally {
    await load.end();
  }
}
