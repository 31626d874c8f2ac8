import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { configMaps, pods, services } from "../../src/api/resources.ts";
import type { Pod } from "../../src/api/generated/types.ts";
import { CHECKOUT, ROOT, type LabHost } from "../lab/lab.ts";
import { until } from "../lab/until.ts";
import { webService } from "./answering.ts";
import { clientPod } from "./calling/callers.ts";
import { manifest } from "./fixtures.ts";
import type { Asker } from "./naming/asker.ts";
import { startNaming, type Naming } from "./naming/naming.ts";
import { NS } from "./serving.ts";

const EXAMPLE = join(ROOT, "examples/dns");
const ZONE = "cluster.local";
const CLUSTER_IP = "10.96.0.53";
const LOGGED = "fairlead.dev/dns-log";

/** As CoreDNS is deployed: its account, the Corefile of a ConfigMap, the resolver of the node. */
const NAMES = [
  {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "coredns", namespace: "kube-system" },
    data: { Corefile: readFileSync(join(EXAMPLE, "Corefile"), "utf8") },
  },
  {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: "names", namespace: "kube-system" },
    spec: {
      clusterIP: CLUSTER_IP,
      selector: { app: "names" },
      ports: [
        { name: "dns", protocol: "UDP", port: 53 },
        { name: "dns-tcp", protocol: "TCP", port: 53 },
      ],
    },
  },
  {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "names", namespace: "kube-system", labels: { app: "names" } },
    spec: {
      serviceAccountName: "coredns",
      dnsPolicy: "Default",
      terminationGracePeriodSeconds: 10,
      volumes: [{ name: "config", configMap: { name: "coredns" } }],
      containers: [
        {
          name: "dns",
          command: [`${CHECKOUT}/bin/fairlead`, "dns", "--corefile", "/etc/coredns/Corefile"],
          volumeMounts: [{ name: "config", mountPath: "/etc/coredns" }],
          readinessProbe: { httpGet: { path: "/ready", port: 8181 }, periodSeconds: 1 },
          livenessProbe: { httpGet: { path: "/health", port: 8080 }, periodSeconds: 5, failureThreshold: 5 },
        },
      ],
    },
  },
];

describe("fairlead dns in a pod, in CoreDNS's place", () => {
  let naming: Naming;
  let asker: Asker;
  let web: string[];

  before(async () => {
    const flags = ["--allow-host-access"];
    const prepare = async (node: LabHost, outside: LabHost): Promise<void> => {
      for (const file of [join(EXAMPLE, "rbac.yaml"), manifest(node, "names.yaml", NAMES)]) flags.push("-f", file);
      // So that the resolver there can answer a pod that asks it itself.
      await outside.check("ip", ["route", "add", "10.244.0.0/16", "via", node.address]);
    };
    naming = await startNaming(
      { flags, prepare },
      webService("web"),
      clientPod("client", NS, {
        dnsPolicy: "None",
        dnsConfig: {
          nameservers: [CLUSTER_IP],
          searches: [`${NS}.svc.${ZONE}`, `svc.${ZONE}`, ZONE],
          options: [{ name: "ndots", value: "5" }],
        },
      }),
    );
    asker = await naming.askerIn("client");
    web = (await naming.service("web")).spec!.clusterIPs!;
    await until("the pod of DNS to be ready", isReady, { seconds: 60 }).catch((cause: unknown) => {
      throw new Error(logOfPod(), { cause });
    });
  });
  after(() => naming?.close());

  const isReady = async (): Promise<boolean> => {
    const pod = await naming.client.get<Pod>(pods, { namespace: "kube-system", name: "names" });
    return pod.status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True") ?? false;
  };
  const logOfPod = (): string => {
    const logs = join(naming.fairlead.data, "node/logs");
    const directory = readdirSync(logs).find((each) => each.startsWith("kube-system_names_"));
    return directory === undefined ? "" : readFileSync(join(logs, directory, "dns/0.log"), "utf8");
  };
  const logOfDns = (): string => readFileSync(join(naming.fairlead.data, "logs/dns.log"), "utf8");

  test("DNS-129, DNS-134, DNS-136: with the stock Corefile and its service account it answers a pod, by every resolver, and nothing is refused", async () => {
    await until("the first answer", async () => (await asker.dig("+search", "web", "A")).join() === web.join());
    for (const name of ["web", `web.${NS}`, `web.${NS}.svc.${ZONE}`])
      assert.deepEqual(await asker.addresses(name), web);
    assert.deepEqual(await asker.addresses("names.kube-system"), [CLUSTER_IP]);
    assert.deepEqual(await asker.dig("+tcp", "+search", "kubernetes.default", "A"), ["10.96.0.1"]);
    assert.equal(await asker.nameOf(web[0]!), `web.${NS}.svc.${ZONE}`);
    assert.deepEqual(await asker.addresses("www.outside.test"), ["192.0.2.10", "2001:db8::10"]);
    assert.doesNotMatch(logOfPod(), /forbidden|"level":"(warn|error)"/i);
  });

  test("a stub domain written into the ConfigMap is in force without a restart", async () => {
    const [config] = NAMES as unknown as [{ data: { Corefile: string } }];
    const stub = `acme.local:53 {\n    hosts {\n        192.0.2.7 www.acme.local\n    }\n}\n`;
    await naming.client.patch(configMaps, { namespace: "kube-system", name: "coredns" }, "merge", {
      data: { Corefile: `${config.data.Corefile}\n${stub}` },
    });
    await until("the stub domain", async () => (await asker.dig("www.acme.local", "A")).join() === "192.0.2.7", {
      seconds: 120,
    });
    assert.deepEqual(await asker.addresses("web"), web);
    const pod = await naming.client.get<Pod>(pods, { namespace: "kube-system", name: "names" });
    assert.equal(pod.status?.containerStatuses?.[0]?.restartCount, 0);
  });

  test("the query log of `up` follows the annotation of a pod, and that of Service kube-dns", async () => {
    const annotate = (resource: typeof pods, namespace: string, name: string, value: string | null): Promise<unknown> =>
      naming.client.patch(resource, { namespace, name }, "merge", { metadata: { annotations: { [LOGGED]: value } } });
    const ask = (name: string): Promise<string[]> => asker.dig("@10.96.0.10", name, "A");
    const told = (name: string, line: RegExp, from = 0): Promise<unknown> =>
      until(`the log to tell of ${name}`, async () => {
        await ask(name);
        return line.test(logOfDns().slice(from));
      });
    await ask(`web.${NS}.svc.${ZONE}`);
    assert.doesNotMatch(logOfDns(), / IN web\./);
    await annotate(pods, NS, "client", "true");
    await told(
      `web.${NS}.svc.${ZONE}`,
      new RegExp(`"pod":"${NS}/client".*A IN web\\.${NS}\\.svc\\.cluster\\.local\\. `),
    );
    await annotate(pods, NS, "client", null);
    await annotate(services, "kube-system", "kube-dns", "outside.test");
    await told("www.outside.test", /A IN www\.outside\.test\. .* NOERROR /);
    const from = logOfDns().length;
    await ask(`web.${NS}.svc.${ZONE}`);
    await told("www.outside.test", /A IN www\.outside\.test\. /, from);
    assert.doesNotMatch(logOfDns().slice(from), / IN web\./);
  });
});
