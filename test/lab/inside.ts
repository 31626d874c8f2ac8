import { readFileSync, readdirSync } from "node:fs";
import { request } from "node:https";
import { join } from "node:path";
import type { Pod } from "../../src/api/generated/types.ts";
import { kinds } from "../../src/api/kinds.ts";
import type { KubeObject } from "../../src/api/object.ts";
import { events, pods } from "../../src/api/resources.ts";
import { clientOfDirectory } from "../../src/cli/connection.ts";
import { layoutOf } from "../../src/cli/data/layout.ts";
import type { Made } from "../../src/cli/site/made.ts";
import { intoSite } from "../../src/cli/site/anchor.ts";
import type { Client } from "../../src/client/client.ts";
import { childrenOf, identityOf, isRunning, type ProcessIdentity } from "../../src/host/process-identity.ts";
import { startedProcess } from "../../src/node/runtimes/process/started.ts";
import type { StartedContainer } from "../../src/node/runtimes/runtime.ts";
import type { PodRecord } from "../../src/node/state/pod-record.ts";
import type { Fairlead } from "./fairlead.ts";
import type { LabHost } from "./lab.ts";
import { until } from "./until.ts";

/** Calls the API of a running Fairlead, as its own parts do. */
export async function withClient<T>(data: string, ask: (client: Client) => Promise<T>): Promise<T> {
  const client = await clientOfDirectory(layoutOf(data), "test");
  try {
    return await ask(client);
  } finally {
    client.close();
  }
}

/** Every object but Events, by uid: what it is and what of it must outlive Fairlead. */
export const allObjects = (data: string): Promise<Record<string, unknown>> =>
  withClient(data, async (client) => {
    const found: Record<string, unknown> = {};
    for (const kind of kinds) {
      if (kind.plural === events.plural) continue;
      const { items } = await client.list<KubeObject & { spec?: unknown; data?: unknown; status?: Pod["status"] }>(
        kind,
      );
      for (const { metadata, spec, data: content, status } of items) {
        const { name, namespace, labels, ownerReferences, creationTimestamp } = metadata;
        found[metadata.uid ?? ""] = {
          kind: kind.kind,
          metadata: { name, namespace, labels, ownerReferences, creationTimestamp },
          // A Lease is there to be renewed.
          ...(kind.kind === "Lease" ? {} : { spec }),
          data: content,
          podIPs: status?.podIPs,
          containers: status?.containerStatuses?.map(({ containerID, restartCount, ready }) => ({
            containerID,
            restartCount,
            ready,
          })),
        };
      }
    }
    return found;
  });

/** What the API answers at this path, as text; throws unless the status is 200. */
export function readThroughApi(data: string, path: string): Promise<string> {
  const layout = layoutOf(data);
  const [ca, cert, key] = ["ca.crt", "parts.crt", "parts.key"].map((name) => readFileSync(join(layout.pki, name)));
  return new Promise((resolve, reject) => {
    const asked = request(
      { socketPath: layout.serverSocket, servername: "localhost", path, ca, cert, key, agent: false },
      (response) => {
        let text = "";
        response.setEncoding("utf8");
        response.on("data", (chunk: string) => (text += chunk));
        response.on("error", reject);
        response.on("end", () =>
          response.statusCode === 200
            ? resolve(text)
            : reject(new Error(`GET ${path}: ${response.statusCode} ${text}`)),
        );
      },
    );
    asked.on("error", reject);
    asked.end();
  });
}

export const podNamed = (data: string, name: string): Promise<Pod> =>
  withClient(data, (client) => client.get<Pod>(pods, { namespace: "default", name }));

/** What stands before a command of a lab host to run it in the site's network. */
export function intoNetwork(host: LabHost, data: string, rootless: boolean): readonly string[] {
  const made = JSON.parse(readFileSync(layoutOf(data).made, "utf8")) as Made;
  // The machine's root is nobody in a user namespace of somebody else.
  return [...(rootless ? host.ordinaryUser : []), ...intoSite(made.anchor, rootless)];
}

/** The pods' records; not those of the two networks by which a node tries, after its start, whether traffic passes. */
export const recordsOf = (data: string): PodRecord[] => {
  const directory = join(layoutOf(data).node, "state");
  return readdirSync(directory)
    .filter((name) => name.endsWith(".json") && !/-traffic-(from|to)\.json$/.test(name))
    .map((name) => JSON.parse(readFileSync(join(directory, name), "utf8")) as PodRecord);
};

/** The pods' own programs by pod and container: process ids with start times, and addresses. */
export async function programsOf(data: string): Promise<Record<string, unknown>> {
  const found: Record<string, unknown> = {};
  for (const record of recordsOf(data)) {
    for (const [container, { started }] of Object.entries(record.containers)) {
      if (started === undefined) continue;
      const init = Number(/"child-pid": (\d+)/.exec(readFileSync(startedProcess(started).statusFile, "utf8"))?.[1]);
      const children = await childrenOf(init);
      found[`${record.name}/${container}`] = {
        program: await Promise.all(children.map(identityOf)),
        addresses: record.sandbox.addresses,
      };
    }
  }
  return found;
}

/** Ends a container as the machine's end would: its programs, and nobody writes down how. */
export async function endStarted(started: StartedContainer | undefined): Promise<void> {
  if (started === undefined) return;
  const { monitor, statusFile } = startedProcess(started);
  const init = Number(/"child-pid": (\d+)/.exec(readFileSync(statusFile, "utf8"))?.[1]);
  for (const pid of [monitor.pid, init]) {
    const identity = await identityOf(pid);
    if (identity !== undefined) await endAll([identity], "SIGKILL");
  }
}

/** A process's command line; empty where there is no such process. */
export const commandOf = (pid: number): string => {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8");
  } catch {
    return "";
  }
};

/** The server or the site of this supervisor. */
export async function childOf(fairlead: Fairlead, name: "server" | "site"): Promise<ProcessIdentity> {
  const children = await childrenOf(fairlead.running.pid);
  const found = children.find((pid) => commandOf(pid).includes(`/${name}/main.ts`));
  const identity = found === undefined ? undefined : await identityOf(found);
  if (identity === undefined)
    throw new Error(`looking for the ${name} process: process ${fairlead.running.pid} has no such child`);
  return identity;
}

/** Fairlead's own processes: supervisor, server and site. The anchor of a private site is none: it is there to stay. */
export const processesOf = async (fairlead: Fairlead): Promise<ProcessIdentity[]> => [
  (await identityOf(fairlead.running.pid))!,
  await childOf(fairlead, "server"),
  await childOf(fairlead, "site"),
];

/** Signals all of them and waits until none is left. */
export async function endAll(all: readonly ProcessIdentity[], signal: NodeJS.Signals): Promise<void> {
  for (const { pid } of all) process.kill(pid, signal);
  await until(`processes ${all.map(({ pid }) => pid).join(", ")} to end by ${signal}`, async () => {
    const running = await Promise.all(all.map(isRunning));
    return !running.includes(true);
  });
}
