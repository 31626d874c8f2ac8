import { connect } from "node:net";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { ApiError } from "../../../src/api/status.ts";
import { nodeStreams } from "../../../src/apiserver/stream/streams.ts";
import type { Streams } from "../../../src/apiserver/streams.ts";
import { makeTerminal, runOnTerminal } from "../../../src/host/terminal.ts";
import { systemHost } from "../../../src/host/processes.ts";
import { startNodeEndpoint, type NodeEndpoint } from "../../../src/node/endpoint/endpoint.ts";
import { dial, dialInside } from "../../../src/node/pods/dial.ts";
import type { Attachment, Execution } from "../../../src/node/runtimes/runtime.ts";
import type { ContainerAddress, LogOptions, PodSource } from "../../../src/node/pods/pod-source.ts";
import { silentLog } from "../../../src/observe/log.ts";
import { issueAuthority, issueLeaf } from "../../../src/apiserver/pki/issue.ts";
import { NODE_CLIENT_NAME } from "../../../src/apiserver/pki/plan.ts";
import { createCluster, type Cluster } from "../../apiserver/cluster.ts";

export const NODE = "node-a";

/** A pod source of real programs of this machine; logs are what the test lets be said. */
export interface TestSource extends PodSource {
  /** Programs started and not ended yet, by process id. */
  readonly running: Set<number>;
  /** What was asked of `logs`, last first. */
  readonly asked: { at: ContainerAddress; options: LogOptions }[];
  logs(at: ContainerAddress, options: LogOptions, signal: AbortSignal): AsyncIterable<Buffer>;
  /** The chunks of the pod's log; a function waits between them. */
  said: (options: LogOptions, signal: AbortSignal) => AsyncIterable<Buffer>;
}

async function onTerminal(command: readonly string[], running: Set<number>): Promise<Execution> {
  const terminal = makeTerminal("/dev/ptmx", { user: -1, group: -1 });
  const env = { PATH: process.env["PATH"] ?? "", TERM: "xterm", PS1: "$ " };
  const program = await runOnTerminal("setsid", ["--ctty", ...command], terminal, { env, inputs: [] });
  running.add(program.pid);
  void program.ended.then(() => running.delete(program.pid));
  return {
    stdin: program.typed,
    stdout: program.shown,
    stderr: Readable.from([]),
    ended: program.ended,
    resize: program.resize,
    kill: () => program.hangUp(),
  };
}

export function testSource(): TestSource {
  const host = systemHost();
  const running = new Set<number>();
  const source: TestSource = {
    running,
    asked: [],
    async *said() {
      yield Buffer.from("first\n");
      yield Buffer.from("second\n");
    },
    logs: (at, options, signal) => {
      source.asked.unshift({ at, options });
      if (at.pod !== "talker") throw new ApiError("NotFound", `pod "${at.pod}" is not on node ${NODE}`);
      return source.said(options, signal);
    },
    has: (at) => {
      if (at.pod !== "talker") throw new ApiError("NotFound", `pod "${at.pod}" is not on node ${NODE}`);
    },
    exec: async (at, { command, stdin, tty }) => {
      source.has(at);
      if (tty === true) return onTerminal(command, running);
      const program = await host.open(command[0]!, command.slice(1));
      running.add(program.pid);
      void program.ended.then(() => running.delete(program.pid));
      if (!stdin) program.stdin.end();
      return {
        ...(stdin ? { stdin: program.stdin } : {}),
        stdout: program.stdout,
        stderr: program.stderr,
        ended: program.ended,
        kill: () => program.kill("SIGKILL"),
      };
    },
    attach: async (at, { stdin }) => {
      source.has(at);
      const program = await host.open("sh", ["-c", 'read -r line; echo "heard $line"; exit 3']);
      running.add(program.pid);
      void program.ended.then(() => running.delete(program.pid));
      return { ...program, ...(stdin ? {} : { stdin: undefined }), leave: () => program.kill("SIGKILL") } as Attachment;
    },
    forward: (at, port) => {
      source.has(at);
      return dialInside({ network: "host", addresses: [] }, port);
    },
    dial: (at, ip, port) => {
      if (at.pod !== "talker" || ip !== POD_IP) throw new ApiError("NotFound", `pod "${at.pod}" has no address ${ip}`);
      return dial("127.0.0.1", port);
    },
  };
  return source;
}

/** The address of the scene's pods; what is dialled there is a server of the test on the loopback. */
export const POD_IP = "10.244.0.2";

/** A node endpoint on a Unix socket and the streams that reach it. */
export interface EndpointScene {
  readonly endpoint: NodeEndpoint;
  readonly source: TestSource;
  readonly streams: Streams;
  readonly socketPath: string;
  readonly ca: string;
  readonly client: { readonly cert: string; readonly key: string };
  readonly other: { readonly cert: string; readonly key: string };
  close(): Promise<void>;
}

export async function endpointScene(): Promise<EndpointScene> {
  const folder = await mkdtemp(join(tmpdir(), "fairlead-endpoint-"));
  const socketPath = join(folder, "node.sock");
  const now = Date.now();
  const authority = await issueAuthority(now);
  const leaf = (commonName: string, use: "server" | "client", dns: readonly string[] = []) =>
    issueLeaf({ file: "", commonName, use, names: { dns, ips: [] } }, authority, now);
  const [node, client, other] = await Promise.all([
    leaf(`system:node:${NODE}`, "server", [NODE]),
    leaf(NODE_CLIENT_NAME, "client"),
    leaf("somebody", "client"),
  ]);
  const source = testSource();
  const endpoint = await startNodeEndpoint({
    listen: { path: socketPath },
    tls: { ca: authority.cert, cert: node.cert, key: node.key },
    log: silentLog,
    source,
  });
  const streams = nodeStreams({
    tls: { ca: authority.cert, cert: client.cert, key: client.key },
    dial: () =>
      new Promise((resolve, reject) => {
        const socket = connect(socketPath);
        socket.once("connect", () => resolve(socket));
        socket.once("error", reject);
      }),
  });
  return {
    endpoint,
    source,
    streams,
    socketPath,
    ca: authority.cert,
    client,
    other,
    close: async () => {
      await endpoint.stop();
      await rm(folder, { recursive: true });
    },
  };
}

export interface ClusterScene extends EndpointScene {
  readonly cluster: Cluster;
  /** Protocols that clients asked to upgrade to, last first. */
  readonly upgrades: string[];
}

/** A whole API server whose node is the scene's endpoint, with the pod `default/talker`. */
export async function clusterScene(): Promise<ClusterScene> {
  const scene = await endpointScene();
  const upgrades: string[] = [];
  const streams: Streams = {
    log: (request, signal) => scene.streams.log(request, signal),
    dial: (request) => scene.streams.dial(request),
    upgrade: (request, client, socket, head) => {
      upgrades.unshift(client.headers.upgrade ?? "");
      return scene.streams.upgrade(request, client, socket, head);
    },
  };
  const cluster = await createCluster({ streams });
  await cluster.ask("POST", "/api/v1/nodes", { metadata: { name: NODE } });
  for (const name of ["talker", "stranger"]) {
    const spec = { nodeName: NODE, containers: [{ name: "main", image: "none", command: ["true"] }] };
    const { code, text } = await cluster.ask("POST", "/api/v1/namespaces/default/pods", { metadata: { name }, spec });
    if (code !== 201) throw new Error(`making the pod ${name}: ${text}`);
    const status = { phase: "Running", podIP: POD_IP, podIPs: [{ ip: POD_IP }] };
    await cluster.ask("PATCH", `/api/v1/namespaces/default/pods/${name}/status`, JSON.stringify({ status }), {
      headers: { "content-type": "application/merge-patch+json" },
    });
  }
  return {
    ...scene,
    cluster,
    upgrades,
    close: async () => {
      await cluster.close();
      await scene.close();
    },
  };
}
