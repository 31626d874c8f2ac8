import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Service } from "../../src/api/generated/types.ts";
import { services } from "../../src/api/resources.ts";
import { bringUp, type Fairlead } from "../lab/fairlead.ts";
import { withClient } from "../lab/inside.ts";
import { createLab, type Lab, type LabHost } from "../lab/lab.ts";
import { until } from "../lab/until.ts";
import { manifest, service, webPod } from "./fixtures.ts";

let lab: Lab;
let host: LabHost;
let fairlead: Fairlead;

before(async () => {
  lab = await createLab();
  host = await lab.add("h1");
  const files = [
    manifest(host, "web.yaml", [
      webPod("web-1", { app: "web" }),
      service("web", { type: "LoadBalancer", ipFamilyPolicy: "PreferDualStack" }),
      service("inner", {
        type: "LoadBalancer",
        loadBalancerClass: "example.com/inner",
        ports: [{ port: 8000, targetPort: 8080 }],
      }),
    ]),
  ];
  const flags = [
    "--load-balancer-range",
    "10.97.5.7,fd00:10:97::/112",
    "--load-balancer-range",
    "example.com/inner=10.98.0.0/24",
  ];
  fairlead = await bringUp(host, { files, flags });
});
after(async () => {
  await fairlead?.end();
  await lab?.close();
});

const addressesOf = (name: string): Promise<string[]> =>
  until(`addresses of ${name}`, () =>
    withClient(fairlead.data, async (client) => {
      const found = await client.get<Service>(services, { namespace: "default", name });
      const ips = (found.status?.loadBalancer?.ingress ?? []).map(({ ip = "" }) => ip);
      return ips.length === 0 ? undefined : ips;
    }),
  );
const answers = (url: string): Promise<string> =>
  until(`${url} to answer`, async () => {
    const { code, stdout } = await host.run("curl", ["-sfg", "--max-time", "2", url]);
    return code === 0 ? stdout.trim() : undefined;
  });

test("SVC-353: a load balancer's addresses, of both families and by class, answer on the host", async () => {
  const [ipv4, ipv6] = await addressesOf("web");
  assert.deepEqual([ipv4, ipv6], ["10.97.5.7", "fd00:10:97::"]);
  assert.equal(await answers(`http://${ipv4}/`), "web-1");
  assert.equal(await answers(`http://[${ipv6}]/`), "web-1");
  assert.deepEqual(await addressesOf("inner"), ["10.98.0.0"]);
  assert.equal(await answers("http://10.98.0.0:8000/"), "web-1");
});

test("an address that is given back answers no more", async () => {
  await withClient(fairlead.data, (client) => client.delete(services, { namespace: "default", name: "inner" }));
  await until("the address to be silent", async () => {
    const { code } = await host.run("curl", ["-sf", "--max-time", "0.5", "http://10.98.0.0:8000/"]);
    return code !== 0;
  });
});
