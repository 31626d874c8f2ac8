import { readFile } from "node:fs/promises";
import type { Node, Pod, Service } from "../../api/generated/types.ts";
import { nodes, pods, services } from "../../api/resources.ts";
import { clientOfDirectory } from "../connection.ts";
import type { Command } from "../command.ts";
import { dataDirectory, layoutOf } from "../data/layout.ts";
import { holderOf } from "../data/lock.ts";
import { Failure } from "../failure.ts";
import { oneOf, refuseWords } from "../flags.ts";

const isReady = (pod: Pod): boolean =>
  pod.status?.conditions?.some((condition) => condition.type === "Ready" && condition.status === "True") ?? false;

/** What is known of pods' traffic that somebody drops. */
const droppedOf = async (path: string): Promise<readonly string[]> =>
  readFile(path, "utf8").then(
    (text) => JSON.parse(text) as string[],
    () => [],
  );

/** What carries Ingress, and its ports. */
interface IngressFacts {
  readonly engine: string;
  readonly http: number;
  readonly https: number;
}

const ingressOf = async (path: string): Promise<IngressFacts | undefined> =>
  readFile(path, "utf8").then(
    (text) => JSON.parse(text) as IngressFacts,
    () => undefined,
  );

export const command: Command = {
  summary: "what runs, and where",
  usage: "status [--data DIR] [-o text|json]",
  flags: {
    data: { type: "string", value: "DIR", help: "the data directory of the Fairlead that is asked" },
    output: { type: "string", short: "o", value: "text|json", help: "how it is said (text)" },
  },
  async run(given) {
    refuseWords("status", given, "The data directory is given with --data DIR");
    const { values } = given;
    const output = oneOf("output", (values["output"] as string | undefined) ?? "text", ["text", "json"]);
    const layout = layoutOf(dataDirectory(values["data"] as string | undefined, process.getuid?.() ?? 0, process.env));
    const holder = await holderOf(layout);
    if (holder === undefined) {
      throw new Failure(
        `asking for the status: no Fairlead runs on the data directory ${layout.directory}; start one with 'fairlead up', or name another with --data DIR`,
      );
    }
    const client = await clientOfDirectory(layout);
    try {
      const [allNodes, allServices, allPods] = await Promise.all([
        client.list<Node>(nodes),
        client.list<Service>(services),
        client.list<Pod>(pods),
      ]);
      const facts = {
        server: holder.server,
        pid: holder.pid,
        site: holder.private ? "private" : "host",
        data: layout.directory,
        kubeconfig: layout.kubeconfig,
        nodes: allNodes.items.length,
        proxyMode: (await readFile(layout.proxyMode, "utf8").catch(() => "")) || "none yet",
        ingress: await ingressOf(layout.ingress),
        trafficDropped: await droppedOf(layout.trafficDropped),
        services: allServices.items.length,
        pods: allPods.items.length,
        podsReady: allPods.items.filter(isReady).length,
      };
      const lines = [
        `server      ${facts.server}`,
        `process     ${facts.pid}`,
        `site        ${facts.site}`,
        `data        ${facts.data}`,
        `kubeconfig  ${facts.kubeconfig}`,
        `proxy       ${facts.proxyMode}`,
        ...(facts.ingress === undefined
          ? []
          : [`ingress     http ${facts.ingress.http}, https ${facts.ingress.https} (${facts.ingress.engine})`]),
        `services    ${facts.services}`,
        `pods        ${facts.pods}, ${facts.podsReady} ready`,
        ...facts.trafficDropped.map((sentence) => `dropped     ${sentence}`),
      ];
      process.stdout.write(output === "json" ? `${JSON.stringify(facts)}\n` : `${lines.join("\n")}\n`);
      return 0;
    } finally {
      client.close();
    }
  },
};
