import type { Node } from "../../api/generated/types.ts";
import { nodes } from "../../api/resources.ts";
import { isApiError } from "../../api/status.ts";
import { backoff } from "../../client/backoff.ts";
import type { Client } from "../../client/client.ts";
import { timestamp, type Clock } from "../../observe/clock.ts";
import type { Log } from "../../observe/log.ts";
import { pause } from "../pods/pause.ts";
import { nodeLabels, nodeObject, nodeStatus, type NodeFacts } from "./node-object.ts";

/** How often the status is told again, in milliseconds: the kubelet's own interval when nothing changes. */
const REFRESH = 300_000;

/** Creates the Node or brings it up to date, and tells its status again now and then, until the signal. */
export async function keepRegistered(
  options: {
    readonly client: Client;
    readonly clock: Clock;
    readonly random: () => number;
    readonly log: Log;
    readonly facts: NodeFacts;
  },
  signal: AbortSignal,
): Promise<void> {
  const { client, clock, facts, log } = options;
  const since = timestamp(clock.now());
  const name = facts.nodeName;
  let failures = 0;
  while (!signal.aborted) {
    try {
      const status = nodeStatus(facts, since, timestamp(clock.now()));
      await client.create<Node>(nodes, nodeObject(facts, status), {}, signal).catch(async (error: unknown) => {
        if (!isApiError(error, "AlreadyExists")) throw error;
        await client.patch<Node>(nodes, { name }, "merge", { metadata: { labels: nodeLabels(facts) } }, {}, signal);
      });
      await client.patch<Node>(nodes, { name }, "merge", { status }, { subresource: "status" }, signal);
      failures = 0;
      await pause(clock, REFRESH, signal);
    } catch (error) {
      if (signal.aborted) return;
      failures += 1;
      log.warn({ node: name, error: (error as Error).message }, "registering the node failed; trying again");
      await pause(clock, backoff({ least: 50, most: 5000 }, failures, options.random), signal);
    }
  }
}
