import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Host } from "../../src/host/host.ts";
import { userspaceEngine } from "../../src/proxy/engines/userspace/engine.ts";
import { createLab, CHECKOUT, ROOT, type Lab, type LabHost } from "../lab/lab.ts";
import { Carried } from "./lab/carried.ts";
import { nodePlan, service } from "./lab/objects.ts";

/** A host whose programs run as somebody without any right, who sees the checkout where he may walk. */
function asOrdinaryUser(on: LabHost, host: Host): Host {
  const [first = "", ...rest] = on.ordinaryUser;
  const wrap = (command: string, args: readonly string[]): [string, string[]] => [
    first,
    [...rest, command, ...args.map((word) => word.replace(ROOT, CHECKOUT))],
  ];
  return {
    ...host,
    run: (command, args, options) => on.run(...wrap(command, args), options),
    check: (command, args, options) => on.check(...wrap(command, args), options),
    open: (command, args, options) => on.open(...wrap(command, args), options),
  };
}

const SERVER = `require("node:net").createServer((socket) => socket.end("served")).listen(9000, "127.0.0.1", () => console.log("ready"))`;
const CALL = `const socket = require("node:net").connect(Number(process.argv[2]), process.argv[1]);
socket.on("data", (text) => process.stdout.write(String(text))).on("error", (error) => console.log(error.code));
setTimeout(() => process.exit(), 2000).unref();`;

describe("the userspace engine as an ordinary user", () => {
  let lab: Lab;
  let host: LabHost;
  let carried: Carried<unknown, unknown, unknown>;
  let engine: ReturnType<typeof userspaceEngine>;
  before(async () => {
    lab = await createLab();
    host = await lab.add("h1");
    const server = await host.open(process.execPath, ["-e", SERVER]);
    host.atClose(async () => server.kill());
    await new Promise((resolve) => server.stdout.once("data", resolve));
    engine = userspaceEngine(asOrdinaryUser(host, lab.host));
    const plan = nodePlan({ nodePortAddresses: { IPv4: [host.address], IPv6: [] }, nodeAddresses: [host.address] });
    carried = new Carried<unknown, unknown, unknown>(engine, plan);
    const ports = [{ name: "tcp", port: 80, protocol: "TCP", nodePort: 30_001 }];
    carried.set(service("web", 1, { type: "NodePort", ports, externalIPs: ["203.0.113.1", "127.0.0.9"] }), [
      {
        apiVersion: "discovery.k8s.io/v1",
        kind: "EndpointSlice",
        metadata: { name: "web", namespace: "default", labels: { "kubernetes.io/service-name": "web" } },
        addressType: "IPv4",
        ports: [{ name: "tcp", port: 9000, protocol: "TCP" }],
        endpoints: [{ addresses: ["127.0.0.1"], conditions: { ready: true } }],
      },
    ]);
    await carried.apply();
  });
  after(async () => {
    await engine.close();
    await lab.close();
  });

  const call = async (ip: string, port: number): Promise<string> =>
    (await host.check(process.execPath, ["-e", CALL, ip, String(port)])).stdout.trim();

  test("PRX-158: it can run without any tool or right", async () => {
    assert.deepEqual(await engine.supported(), { supported: true });
  });

  test("node ports are carried, on the node's address and on loopback", async () => {
    assert.equal(await call(host.address, 30_001), "served");
    assert.equal(await call("127.0.0.1", 30_001), "served");
  });

  test("what is not carried is said, each with its reason", async () => {
    assert.deepEqual([...(engine.complaints?.("default/web") ?? [])].toSorted(), [
      "TCP 10.96.0.1:80 of default/web is not carried: it is not an address of this machine, and making it one takes root, or a network namespace of one's own (fairlead up --private)",
      "TCP 127.0.0.9:80 of default/web is not carried: ports below 1024 take root, or the kernel setting net.ipv4.ip_unprivileged_port_start",
      "TCP 203.0.113.1:80 of default/web is not carried: it is not an address of this machine, and making it one takes root, or a network namespace of one's own (fairlead up --private)",
    ]);
  });

  test("nothing is left of it, and taking away what was never made is no fault", async () => {
    await engine.cleanup(new AbortController().signal);
    const { stdout } = await host.check("ip", ["-o", "link"]);
    assert.equal(stdout.includes("fairleadproxy0"), false);
  });
});
