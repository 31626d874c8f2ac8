import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { pods } from "../../../src/api/resources.ts";
import type { NodePart } from "../../../src/node/node.ts";
import { bed, conditionOf, podObject, podThat, logOf, type Bed, host } from "./bed.ts";

let where: Bed;
let part: NodePart;
before(async () => {
  where = await bed("simulated");
  part = await where.start();
});
after(() => where.end(part));
test("answers", async () => {
  where.client.put(pods, podObject("web", {}, { image: "x", ports: [{ containerPort: 80 }, {containerPort: 53, protocol: "UDP"}] }));
  const t0 = performance.now();
  const pod = await podThat(where.client, "web", (each) => conditionOf(each, "Ready") === "True");
  console.log("ready", performance.now() - t0, JSON.stringify(pod.status));
  console.log((await host.run("ip", ["-6", "route"])).stdout);
  console.log((await host.run("ip", ["-n","fl-shared","route","show","table","local"])).stdout);
  console.log((await host.run("nsenter", ["--net=/run/netns/fl-shared","nft","list", "ruleset"])).stdout);
  for (const a of pod.status!.podIPs!) {
    const h = a.ip!.includes(":") ? `[${a.ip}]` : a.ip;
    console.log(await (await fetch(`http://${h}/x?y`, {headers: {accept: "text/plain"}})).text());
    console.log(await (await fetch(`http://${h}/clientip`)).text());
    await assert.rejects(fetch(`http://${h}:81/x?y`));
  }
  console.log(await logOf(part, "web"));
});
