import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Event } from "../../src/api/generated/types.ts";
import { events } from "../../src/api/resources.ts";
import { until } from "../lab/until.ts";
import { answeringPod, webService } from "./answering.ts";
import type { Called } from "./calling/orders.ts";
import { ipOf, NS, startServing, untilAnswered, type Serving } from "./serving.ts";

const WEBS = ["web-1", "web-2", "web-3"];

/** Its readiness says nothing, so that nobody else takes the pod away. */
function withoutProbe(name: string): object {
  const pod = answeringPod(name) as { spec: { containers: { readinessProbe?: object }[] } };
  for (const container of pod.spec.containers) delete container.readinessProbe;
  return pod;
}

/** A pod whose network goes away, under a stream of new connections. */
describe("a pod whose network is cut", () => {
  let serving: Serving;
  before(async () => {
    serving = await startServing(webService("web", { type: "NodePort" }), ...WEBS.map(withoutProbe));
  });
  after(() => serving?.close());

  test("new connections fail for less than a second, and an event on the Service says why", async () => {
    const [cutPod] = await Promise.all(WEBS.map((name) => serving.readyPod(name)));
    const { clusterIP } = (await serving.service("web")).spec!;
    const url = `http://${clusterIP}`;
    await untilAnswered(serving.onNode, url, WEBS);
    const ip = ipOf(cutPod!);
    const [, link = ""] = / dev (\S+)/.exec((await serving.node.check("ip", ["route", "get", ip])).stdout) ?? [];
    const cut = Date.now();
    await serving.node.check("ip", ["link", "set", link, "down"]);
    const failedAt: number[] = [];
    const calls: Called[] = [];
    while (Date.now() - cut < 2500) {
      const began = Date.now() - cut;
      const round = await serving.onNode.call(url, { times: 10, patience: 200 });
      calls.push(...round);
      for (const { error } of round) if (error !== undefined) failedAt.push(began);
    }
    assert.deepEqual(
      failedAt.filter((at) => at >= 1000),
      [],
      `of ${calls.length} calls; failed: ${failedAt.join(", ")}`,
    );
    await until("an event on the Service", async () => {
      const { items } = await serving.client.list<Event>(events, { namespace: NS });
      return items.some(
        ({ reason, involvedObject, message }) =>
          reason === "EndpointPenalized" && involvedObject.name === "web" && message!.startsWith(`${ip}:`),
      );
    });
  });
});
