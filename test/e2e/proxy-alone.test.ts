import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { connect, createServer, type Server } from "node:net";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { ipBatch } from "../../src/host/ip.ts";
import type { Running } from "../../src/host/host.ts";
import { startSubject, type Subject } from "../conformance/subject.ts";
import { LAB_LINK } from "../lab/ground.ts";
import { FAIRLEAD } from "../lab/fairlead.ts";
import { CHECKOUT, createLab, type Lab, type LabHost } from "../lab/lab.ts";
import { startSteadyLoad } from "../lab/steady-load.ts";
import { until } from "../lab/until.ts";

const API = "10.77.0.254";
const NODE = "alone";
const ADDRESS = "10.96.100.1";

const SERVER = `
  const { createServer } = require("node:http");
  createServer((request, response) => {
    response.setHeader("content-length", 2);
    response.end("ok");
  }).listen({ port: 8080, host: "::", backlog: 511 });
`;

const slice = (name: string, endpoints: readonly object[]): object => ({
  apiVersion: "discovery.k8s.io/v1",
  kind: "EndpointSlice",
  metadata: { name: `${name}-1`, namespace: "default", labels: { "kubernetes.io/service-name": name } },
  addressType: "IPv4",
  ports: [{ name: "http", port: 8080, protocol: "TCP" }],
  endpoints,
});

describe("fairlead proxy alone, with kube-proxy's rights at somebody's API server", () => {
  let lab: Lab;
  let node: LabHost;
  let subject: Subject;
  let forwarder: Server;
  let kubeconfig: string;
  let proxy: { readonly running: Running; readonly said: () => string };

  const create = async (path: string, object: object): Promise<void> => {
    const { code, text } = await subject.ask("POST", path, object);
    assert.equal(code, 201, text);
  };
  const patch = async (path: string, body: object): Promise<void> => {
    const { code, text } = await subject.ask("PATCH", path, body, {
      headers: { "content-type": "application/merge-patch+json" },
    });
    assert.equal(code, 200, text);
  };
  const start = async (...flags: string[]): Promise<typeof proxy> => {
    const running = await node.open("env", ["HOME=/nowhere", FAIRLEAD, "proxy", ...flags]);
    let said = "";
    running.stderr.on("data", (chunk: Buffer) => (said += chunk.toString()));
    running.stdout.resume();
    return { running, said: () => said };
  };
  const usual = (): string[] => [
    "--kubeconfig",
    kubeconfig,
    "--hostname-override",
    NODE,
    "--cluster-cidr",
    "10.244.0.0/16",
    "--metrics-bind-address",
    "0.0.0.0:10249",
  ];
  const curl = async (...args: string[]): Promise<{ readonly code: number; readonly text: string }> => {
    const { stdout } = await node.run("curl", ["-s", "--max-time", "2", "-w", "\n%{http_code}", ...args]);
    const lines = stdout.trimEnd().split("\n");
    return { code: Number(lines.at(-1)), text: lines.slice(0, -1).join("\n") };
  };
  const untilReady = (which = proxy): Promise<unknown> =>
    until("the rules to be written", () => which.said().includes("the rules are written"), { seconds: 60 }).catch(
      (cause: unknown) => {
        throw new Error(`the proxy does not get ready: ${which.said()}`, { cause });
      },
    );
  const eventsOf = async (name: string): Promise<{ reason: string; type: string; message: string }[]> => {
    const { body } = await subject.ask(
      "GET",
      `/api/v1/namespaces/default/events?fieldSelector=involvedObject.name=${name}`,
    );
    return body.items;
  };

  before(async () => {
    lab = await createLab();
    subject = await startSubject();
    node = await lab.add("node");
    const backend = await lab.add("backend");
    await ipBatch(lab.host, [`addr add ${API}/24 dev ${LAB_LINK}${process.pid % 100000}`, "link set lo up"]);
    forwarder = createServer((incoming) => {
      const outgoing = connect(subject.port, "127.0.0.1");
      incoming.pipe(outgoing).pipe(incoming);
      for (const socket of [incoming, outgoing])
        socket.on("error", () => [incoming, outgoing].forEach((one) => one.destroy()));
    });
    await new Promise<void>((resolve) => forwarder.listen(subject.port, API, resolve));
    const pair = await subject.client("CN=system:kube-proxy");
    const base64 = (text: string): string => Buffer.from(text).toString("base64");
    kubeconfig = join(node.scratch, "kubeconfig");
    writeFileSync(
      kubeconfig,
      JSON.stringify({
        apiVersion: "v1",
        kind: "Config",
        "current-context": "it",
        contexts: [{ name: "it", context: { cluster: "it", user: "it" } }],
        clusters: [
          {
            name: "it",
            cluster: {
              server: `https://${API}:${subject.port}`,
              "tls-server-name": "localhost",
              "certificate-authority-data": base64(subject.ca),
            },
          },
        ],
        users: [
          { name: "it", user: { "client-certificate-data": base64(pair.cert), "client-key-data": base64(pair.key) } },
        ],
      }),
    );
    const server = await backend.open(`${CHECKOUT}/node_modules/.bin/node`, ["-e", SERVER]);
    backend.atClose(async () => server.kill("SIGKILL"));
    await node.check("ip", ["route", "add", "10.96.0.0/16", "dev", "eth0"]);

    await create("/api/v1/nodes", { apiVersion: "v1", kind: "Node", metadata: { name: NODE } });
    await patch(`/api/v1/nodes/${NODE}/status`, {
      status: { addresses: [{ type: "InternalIP", address: node.address }] },
    });
    const ports = [{ name: "http", port: 80, targetPort: 8080 }];
    await create("/api/v1/namespaces/default/services", {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: "web", namespace: "default" },
      spec: { clusterIP: ADDRESS, ports },
    });
    await create("/api/v1/namespaces/default/services", {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: "balanced", namespace: "default" },
      spec: { type: "LoadBalancer", externalTrafficPolicy: "Local", healthCheckNodePort: 31999, ports },
    });
    await create(
      "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices",
      slice("web", [{ addresses: [backend.address] }]),
    );
    await create(
      "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices",
      slice("balanced", [
        { addresses: ["10.244.0.7"], nodeName: NODE, conditions: { ready: true } },
        { addresses: ["10.244.0.8"], nodeName: NODE, conditions: { ready: true } },
        { addresses: ["10.244.1.9"], nodeName: "other", conditions: { ready: true } },
      ]),
    );
    proxy = await start(...usual());
    await untilReady();
  });
  after(async () => {
    proxy?.running.kill("SIGKILL");
    forwarder?.close();
    await subject?.close();
    await lab?.close();
  });

  test("PRX-257: with the rights of system:node-proxier it carries, and nothing it needs is refused", async () => {
    await until("the Service to answer", async () => (await curl(`http://${ADDRESS}/`)).text === "ok");
    assert.doesNotMatch(proxy.said(), /forbidden|cannot list|cannot watch/i);
  });

  test("PRX-114, PRX-115, PRX-117: /healthz and /livez say how it is, and a node that is to go is 503 at /healthz alone", async () => {
    const { code, text } = await curl("http://127.0.0.1:10256/healthz");
    assert.equal(code, 200);
    const said = JSON.parse(text);
    assert.deepEqual([said.healthy, said.nodeEligible, Object.keys(said.status)], [true, true, ["IPv4", "IPv6"]]);
    await patch(`/api/v1/nodes/${NODE}`, {
      spec: { taints: [{ key: "ToBeDeletedByClusterAutoscaler", effect: "NoSchedule" }] },
    });
    await until("/healthz to be 503", async () => (await curl("http://127.0.0.1:10256/healthz")).code === 503);
    assert.equal((await curl("http://127.0.0.1:10256/livez")).code, 200);
    await patch(`/api/v1/nodes/${NODE}`, { spec: { taints: null } });
    await until("/healthz to be 200", async () => (await curl("http://127.0.0.1:10256/healthz")).code === 200);
  });

  test("PRX-107, PRX-108, PRX-109, PRX-110, PRX-111, PRX-113: the health check node port counts ready endpoints here, on any path", async () => {
    const url = `http://${node.address}:31999/anything`;
    const { stdout } = await until("the health check node port to answer 200", async () => {
      const found = await node.run("curl", ["-si", "--max-time", "2", "-X", "POST", url]);
      return found.stdout.startsWith("HTTP/1.1 200") && found;
    });
    assert.match(stdout, /content-type: application\/json/i);
    assert.match(stdout, /x-content-type-options: nosniff/i);
    assert.match(stdout, /x-load-balancing-endpoint-weight: 2/i);
    assert.deepEqual(JSON.parse(stdout.split("\r\n\r\n")[1]!), {
      service: { namespace: "default", name: "balanced" },
      localEndpoints: 2,
      serviceProxyHealthy: true,
    });
    const path = "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices/balanced-1";
    await patch(path, {
      endpoints: [
        { addresses: ["10.244.0.7"], nodeName: NODE, conditions: { ready: false, serving: true, terminating: true } },
      ],
    });
    await until("the health check node port to answer 503", async () => (await curl(url)).code === 503);
  });

  test("PRX-108, PRX-112: the port follows the Service, and one that is taken is told on it", async () => {
    const taken = await node.open(`${CHECKOUT}/node_modules/.bin/node`, [
      "-e",
      `require("node:http").createServer().listen(31998, ${JSON.stringify(node.address)}, () => console.log("open"))`,
    ]);
    await new Promise((resolve) => taken.stdout.once("data", resolve));
    const path = "/api/v1/namespaces/default/services/balanced";
    await patch(path, { spec: { externalTrafficPolicy: "Cluster" } });
    await until("the port to be closed", async () => (await curl(`http://${node.address}:31999/`)).code === 0);
    await patch(path, { spec: { externalTrafficPolicy: "Local", healthCheckNodePort: 31998 } });
    await until("an event on the Service", async () =>
      (await eventsOf("balanced")).some(
        ({ reason, type }) => reason === "FailedToStartServiceHealthcheck" && type === "Warning",
      ),
    );
    taken.kill("SIGKILL");
  });

  test("PRX-120, PRX-121, PRX-122, PRX-123, PRX-124, PRX-125, PRX-127, PRX-128, PRX-130: what is shown, and the event of the start", async () => {
    const shown = async (path: string): Promise<string> => (await curl(`http://127.0.0.1:10249${path}`)).text;
    assert.equal(await shown("/proxyMode"), "nftables");
    assert.equal(await shown("/healthz"), "ok");
    assert.match(await shown("/metrics/slis"), /kubernetes_healthcheck/);
    assert.match(await shown("/statusz"), /^Up: 0 hr \d\d min \d\d sec$/m);
    assert.match(await shown("/flagz"), /^hostname-override: alone$/m);
    const { "kubeproxy.config.k8s.io": configz } = JSON.parse(await shown("/configz"));
    assert.deepEqual(
      [configz.kind, configz.mode, configz.clusterCIDR],
      ["KubeProxyConfiguration", "nftables", "10.244.0.0/16"],
    );
    const metrics = await shown("/metrics");
    for (const name of [
      "sync_proxy_rules_duration_seconds_count",
      "sync_full_proxy_rules_duration_seconds_count",
      "sync_partial_proxy_rules_duration_seconds_count",
      "sync_proxy_rules_last_timestamp_seconds",
      "sync_proxy_rules_last_queued_timestamp_seconds",
    ]) {
      for (const family of ["IPv4", "IPv6"])
        assert.match(metrics, new RegExp(`^kubeproxy_${name}\\{ip_family="${family}"\\} [1-9]`, "m"));
    }
    for (const what of ["endpoint", "service"]) {
      assert.match(metrics, new RegExp(`^kubeproxy_sync_proxy_rules_${what}_changes_total [1-9]`, "m"));
      assert.match(metrics, new RegExp(`^kubeproxy_sync_proxy_rules_${what}_changes_pending 0$`, "m"));
    }
    assert.match(metrics, /^kubeproxy_proxy_healthz_total\{code="503"\} [1-9]/m);
    assert.match(metrics, /^kubeproxy_proxy_livez_total\{code="200"\} [1-9]/m);
    await until("the event Starting on the Node", async () =>
      (await eventsOf(NODE)).some(({ reason, type }) => reason === "Starting" && type === "Normal"),
    );
  });

  test("PRX-266, PRX-267: SIGTERM leaves the rules, and the next one takes them over, under load without a failure", async (t) => {
    const load = await startSteadyLoad(node, [], { ip: ADDRESS, port: 80, perSecond: 200 });
    t.after(() => load.end());
    await load.more(200);
    for (const signal of ["SIGTERM", "SIGKILL"] as const) {
      proxy.running.kill(signal);
      const code = await proxy.running.ended;
      if (signal === "SIGTERM") assert.equal(code, 0, proxy.said());
      await load.more(200);
      proxy = await start(...usual());
      await untilReady();
      const seen = await load.more(200);
      assert.equal(seen.failed, 0, `${signal}: ${seen.failures.join("; ")}`);
    }
    assert.equal((await load.end()).failed, 0);
  });

  test("PRX-270: rules that somebody takes away are noticed, written again, counted and told", async () => {
    await node.check("nft", ["delete", "table", "ip", "fairlead"]);
    await until("the Service to answer again", async () => (await curl(`http://${ADDRESS}/`)).text === "ok");
    await until("it to be counted", async () =>
      /^fairlead_proxy_rules_disturbed_total [1-9]/m.test((await curl("http://127.0.0.1:10249/metrics")).text),
    );
    await until("it to be told", async () =>
      (await eventsOf(NODE)).some(({ reason }) => reason === "ProxyRulesDisturbed"),
    );
  });

  test("PRX-263: node ports follow the Node to its other addresses, and that is said", async () => {
    const other = "10.77.0.200";
    const isHere = async (address: string): Promise<boolean> => (await curl(`http://${address}:30263/`)).text === "ok";
    const stands = (address: string): Promise<void> =>
      patch(`/api/v1/nodes/${NODE}/status`, { status: { addresses: [{ type: "InternalIP", address }] } });
    await patch("/api/v1/namespaces/default/services/web", {
      spec: { type: "NodePort", ports: [{ name: "http", port: 80, targetPort: 8080, nodePort: 30263 }] },
    });
    await node.check("ip", ["addr", "add", `${other}/24`, "dev", "eth0"]);
    await until("the node port to answer", () => isHere(node.address));
    assert.equal(await isHere(other), false, "an address that the Node does not say");
    await stands(other);
    await until("the node port to follow", async () => (await isHere(other)) && !(await isHere(node.address)));
    assert.match(proxy.said(), /the Node has other addresses/);
    await stands(node.address);
    await until("the node port to come back", () => isHere(node.address));
    await node.check("ip", ["addr", "del", `${other}/24`, "dev", "eth0"]);
  });

  test("PRX-119: a taken port of the servers is tried again; with --bind-address-hard-fail it is the end, and an event", async () => {
    const other = await start(...usual(), "--healthz-bind-address", "0.0.0.0:10299");
    await until(
      "it to be said",
      () => /the metrics server could not be started; it is tried again/.test(other.said()),
      { seconds: 60 },
    );
    other.running.kill("SIGTERM");
    assert.equal(await other.running.ended, 0);
    const hard = await start(...usual(), "--healthz-bind-address", "0.0.0.0:10299", "--bind-address-hard-fail");
    assert.equal(await hard.running.ended, 1);
    assert.match(hard.said(), /fairlead: listening on .*10249/);
    await until("the event", async () =>
      (await eventsOf(NODE)).some(({ reason }) => reason === "FailedToStartMetricServer"),
    );
  });

  test("PRX-254, PRX-252: a change of the configuration's file ends it with an error, and unknown fields are a warning", async () => {
    const file = join(node.scratch, "config.yaml");
    const text = `apiVersion: kubeproxy.config.k8s.io/v1alpha1\nkind: KubeProxyConfiguration\nclientConnection: {kubeconfig: ${kubeconfig}}\nhostnameOverride: ${NODE}\nclusterCIDR: 10.244.0.0/16\nhealthzBindAddress: 0.0.0.0:10298\nmetricsBindAddress: 127.0.0.1:10297\nnonsense: 1\n`;
    writeFileSync(file, text);
    const other = await start("--config", file);
    await untilReady(other);
    assert.match(other.said(), /unknown field \\"nonsense\\"/);
    writeFileSync(file, `${text}mode: nftables\n`);
    assert.equal(await other.running.ended, 1);
    assert.match(other.said(), /fairlead: the configuration .*config.yaml has changed/);
  });

  test("PRX-068, PRX-263: NodeCIDR waits for podCIDRs, and other ones are the end", async () => {
    proxy.running.kill("SIGTERM");
    await proxy.running.ended;
    const other = await start(
      ...usual(),
      "--detect-local-mode",
      "NodeCIDR",
      "--healthz-port",
      "0",
      "--metrics-port",
      "0",
    );
    await patch(`/api/v1/nodes/${NODE}`, { spec: { podCIDR: "10.244.0.0/24", podCIDRs: ["10.244.0.0/24"] } });
    await untilReady(other);
    await subject.ask("DELETE", `/api/v1/nodes/${NODE}`);
    await create("/api/v1/nodes", {
      apiVersion: "v1",
      kind: "Node",
      metadata: { name: NODE },
      spec: { podCIDR: "10.244.9.0/24", podCIDRs: ["10.244.9.0/24"] },
    });
    assert.equal(await other.running.ended, 1);
    assert.match(other.said(), /the podCIDRs of the Node alone were 10.244.0.0\/24 and are 10.244.9.0\/24/);
  });

  test("PRX-268, PRX-255: --cleanup takes away our rules and leaves those of others", async () => {
    proxy.running.kill("SIGKILL");
    await proxy.running.ended;
    await node.check("nft", ["add table ip others"]);
    const cleaning = await start("--cleanup");
    assert.equal(await cleaning.running.ended, 0, cleaning.said());
    const { stdout } = await node.check("nft", ["list", "tables"]);
    assert.doesNotMatch(stdout, /fairlead/);
    assert.match(stdout, /table ip others/);
  });
});
