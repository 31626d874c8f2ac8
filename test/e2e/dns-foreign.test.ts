import assert from "node:assert/strict";
import { createSocket, type Socket } from "node:dgram";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import * as packets from "dns-packet";
import { rcodeName } from "../../src/dns/figures/answers.ts";
import { systemHost } from "../../src/host/processes.ts";
import { startSubject, type Subject } from "../conformance/subject.ts";
import { ask } from "../dns/running.ts";
import { LAB_LINK, standOnOwnGround } from "../lab/ground.ts";
import { until } from "../lab/until.ts";
import { dnsProcesses, kubeconfigOf } from "./naming/dns-process.ts";

/** Where `fairlead dns` is reached, as the address of a node would be. */
const NODE = "10.77.0.1";
/** Addresses that are here, so that the test can ask as the pods that have them. */
const POD = { near: "10.244.7.7", own: "10.244.7.8", far: "10.244.7.9", nobody: "10.244.7.10" };
const UPSTREAM = "127.0.0.63";
const NAME = "web.shop.svc.cluster.local";
const ADDRESS = "10.96.100.1";
/** What a resolver with the usual search list asks first for `www.example.org`. */
const SEARCHED = "www.example.org.shop.svc.cluster.local";
const MERGE = { headers: { "content-type": "application/merge-patch+json" } };

/** Asks from this address over UDP: the response code, and each answer as `TYPE data`. Undefined when nothing came. */
async function askFrom(address: string, port: number, name: string): Promise<string | undefined> {
  const socket = createSocket("udp4");
  try {
    await new Promise<void>((resolve) => socket.bind(0, address, resolve));
    const reply = await new Promise<Buffer | undefined>((resolve) => {
      socket.on("message", resolve);
      setTimeout(resolve, 2000, undefined).unref();
      socket.send(ask(name), port, NODE);
    });
    if (reply === undefined) return undefined;
    const { answers = [] } = packets.decode(reply);
    const said = answers.map((one) => `${one.type} ${one.type === "A" || one.type === "CNAME" ? one.data : ""}`);
    return [rcodeName(reply[3]! & 0x0f), ...said].join(", ");
  } finally {
    socket.close();
  }
}

/** A resolver that knows `www.example.org` and nothing else. */
async function upstream(): Promise<Socket> {
  const socket = createSocket("udp4");
  socket.on("message", (packet, from) => {
    const { id, questions = [] } = packets.decode(packet);
    const [question] = questions;
    const isKnown = question?.name === "www.example.org";
    const answers =
      isKnown && question.type === "A" ? [{ type: "A" as const, name: question.name, ttl: 5, data: "192.0.2.80" }] : [];
    const flags = 0x0180 | (isKnown ? 0 : 3);
    socket.send(packets.encode({ type: "response", id: id ?? 0, flags, questions, answers }), from.port, from.address);
  });
  await new Promise<void>((resolve) => socket.bind(53, UPSTREAM, resolve));
  return socket;
}

async function ip(...args: string[]): Promise<void> {
  const { code, stderr } = await systemHost().run("ip", args);
  assert.equal(code, 0, `ip ${args.join(" ")}: ${stderr}`);
}

describe("fairlead dns on a node of somebody's cluster", () => {
  const scratch = mkdtempSync(join(tmpdir(), "fairlead-dns-"));
  const at = (name: string): string => join(scratch, name);
  const processes = dnsProcesses();
  const { start, end } = processes;
  let subject: Subject;
  let world: Socket;

  const create = async (path: string, object: object): Promise<void> => {
    const { code, text } = await subject.ask("POST", path, object);
    assert.equal(code, 201, text);
  };
  const patch = async (path: string, change: object): Promise<void> => {
    const { code, text } = await subject.ask("PATCH", path, change, MERGE);
    assert.equal(code, 200, text);
  };
  const annotate = (path: string, value: string | null): Promise<void> =>
    patch(path, { metadata: { annotations: { "fairlead.dev/dns-log": value } } });
  const answers = (from: string, port: number, name: string, wanted: string, said: () => string): Promise<unknown> => {
    let last: string | undefined;
    return until(
      `${name} to be ${wanted}`,
      async () => {
        last = await askFrom(from, port, name);
        return last === wanted;
      },
      { seconds: 60 },
    ).catch((cause: unknown) => {
      throw new Error(`it is ${last}: ${said()}`, { cause });
    });
  };

  before(async () => {
    standOnOwnGround();
    await ip("link", "add", `${LAB_LINK}-dns`, "type", "veth", "peer", `${LAB_LINK}-dns2`);
    await ip("address", "add", `${NODE}/32`, "dev", `${LAB_LINK}-dns`);
    for (const address of Object.values(POD)) await ip("address", "add", `${address}/32`, "dev", "lo");
    await ip("link", "set", `${LAB_LINK}-dns`, "up");
    subject = await startSubject();
    world = await upstream();
    const { admin } = subject;
    const base64 = (text: string): string => Buffer.from(text).toString("base64");
    writeFileSync(
      at("kubeconfig"),
      kubeconfigOf(subject, { "client-certificate-data": base64(admin.cert), "client-key-data": base64(admin.key) }),
    );
    await create("/api/v1/namespaces", { metadata: { name: "shop" } });
    await create("/api/v1/namespaces/shop/services", {
      metadata: { name: "web" },
      spec: { clusterIP: ADDRESS, ports: [{ name: "http", port: 80 }] },
    });
    const pod = async (name: string, address: string, spec: object): Promise<void> => {
      await create("/api/v1/namespaces/shop/pods", {
        metadata: { name },
        spec: { containers: [{ name: "c", image: "none" }], ...spec },
      });
      await patch(`/api/v1/namespaces/shop/pods/${name}/status`, {
        status: { phase: "Running", podIP: address, podIPs: [{ ip: address }] },
      });
    };
    await pod("near", POD.near, { nodeName: "n1" });
    await pod("far", POD.far, { nodeName: "n2" });
    await pod("own", POD.own, {
      nodeName: "n1",
      dnsPolicy: "None",
      dnsConfig: { nameservers: [NODE], searches: ["shop.svc.cluster.local"] },
    });
  });
  after(async () => {
    processes.killAll();
    world?.close();
    await subject?.close();
    rmSync(scratch, { recursive: true, force: true });
    await ip("link", "delete", `${LAB_LINK}-dns`);
    for (const address of Object.values(POD)) await ip("address", "delete", `${address}/32`, "dev", "lo");
  });

  test("a Corefile's endpoint and tls lead to the API server, as does a context of its kubeconfig that is not the current one", async () => {
    const client = await subject.client("CN=names");
    await create("/apis/rbac.authorization.k8s.io/v1/clusterroles", {
      metadata: { name: "names" },
      rules: [
        { apiGroups: [""], resources: ["services", "pods", "namespaces"], verbs: ["list", "watch"] },
        { apiGroups: ["discovery.k8s.io"], resources: ["endpointslices"], verbs: ["list", "watch"] },
      ],
    });
    await create("/apis/rbac.authorization.k8s.io/v1/clusterrolebindings", {
      metadata: { name: "names" },
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "names" },
      subjects: [{ apiGroup: "rbac.authorization.k8s.io", kind: "User", name: "names" }],
    });
    for (const [name, text] of [
      ["cert.pem", client.cert],
      ["key.pem", client.key],
      ["ca.pem", subject.ca],
    ] as const) {
      writeFileSync(at(name), text);
    }
    const wrong = { name: "wrong", context: { cluster: "it", user: "nobody" } };
    const { contexts, ...kubeconfig } = JSON.parse(
      kubeconfigOf(subject, { "client-certificate": "cert.pem", "client-key": "key.pem" }),
    ) as { contexts: object[] };
    writeFileSync(
      at("contexts"),
      JSON.stringify({ ...kubeconfig, "current-context": "wrong", contexts: [wrong, ...contexts] }),
    );
    const ways = [
      `endpoint https://localhost:${subject.port}\n tls ${at("cert.pem")} ${at("key.pem")} ${at("ca.pem")}`,
      `kubeconfig ${at("contexts")} it`,
    ];
    for (const way of ways) {
      writeFileSync(at("Corefile"), `.:1061 {\n bind ${NODE}\n kubernetes cluster.local {\n ${way}\n }\n}\n`);
      const dns = await start("--corefile", at("Corefile"));
      await answers(NODE, 1061, NAME, `NOERROR, A ${ADDRESS}`, dns.said);
      await end(dns);
      assert.doesNotMatch(dns.said(), /forbidden|"level":"(warn|error)"/i, way);
    }
  });

  test("--node-name: the usual search list of that node's pods is answered at once; other pods, other lists and strangers hear of no such name", async () => {
    const flags = ["--kubeconfig", at("kubeconfig"), "--listen", `${NODE}:1062`, "--upstream", UPSTREAM];
    const found = "NOERROR, CNAME www.example.org, A 192.0.2.80";
    const dns = await start(...flags, "--node-name", "n1");
    await answers(POD.near, 1062, SEARCHED, found, dns.said);
    for (const from of [POD.far, POD.own, POD.nobody]) {
      assert.equal(await askFrom(from, 1062, SEARCHED), "NXDOMAIN", from);
      assert.equal(await askFrom(from, 1062, "www.example.org"), "NOERROR, A 192.0.2.80", from);
    }
    await end(dns);
    for (const less of [[], ["--node-name", "n1", "--no-search-shortcut"]]) {
      const plain = await start(...flags, ...less);
      await answers(POD.near, 1062, NAME, `NOERROR, A ${ADDRESS}`, plain.said);
      await answers(POD.near, 1062, SEARCHED, "NXDOMAIN", plain.said);
      await end(plain);
    }
  });

  test("DNS-131: --register makes Service kube-dns with its slice, which lead here; the query log follows its annotation and a pod's", async () => {
    const dns = await start(
      `--kubeconfig=${at("kubeconfig")}`,
      `--listen=${NODE}:1063`,
      `--upstream=${UPSTREAM}`,
      "--register=10.96.0.10",
      "--node-name=n1",
      "--no-search-shortcut",
      "--workers=2",
    );
    const slice = await until("the slice", async () => {
      const { code, body } = await subject.ask(
        "GET",
        "/apis/discovery.k8s.io/v1/namespaces/kube-system/endpointslices/kube-dns-ipv4-1063",
      );
      return code === 200 && body;
    });
    const { body: service } = await subject.ask("GET", "/api/v1/namespaces/kube-system/services/kube-dns");
    assert.deepEqual(
      service.spec.ports.map((port: { name: string; protocol: string; port: number; targetPort: number }) => [
        port.name,
        port.protocol,
        port.port,
        port.targetPort,
      ]),
      [
        ["dns", "UDP", 53, 1063],
        ["dns-tcp", "TCP", 53, 1063],
      ],
    );
    assert.deepEqual(service.spec.clusterIPs, ["10.96.0.10"]);
    assert.equal(slice.metadata.ownerReferences[0].uid, service.metadata.uid);
    assert.deepEqual(
      slice.endpoints.map(({ addresses, nodeName }: { addresses: string[]; nodeName: string }) => [
        addresses,
        nodeName,
      ]),
      [[[NODE], "n1"]],
    );
    await answers(NODE, 1063, "kube-dns.kube-system.svc.cluster.local", "NOERROR, A 10.96.0.10", dns.said);

    const near = "/api/v1/namespaces/shop/pods/near";
    const kubeDns = "/api/v1/namespaces/kube-system/services/kube-dns";
    /** Asks until a line of the query log begins to tell of it. */
    const told = (from: string, name: string, line: RegExp): Promise<unknown> =>
      until(`the log to tell of ${name}`, async () => {
        await askFrom(from, 1063, name);
        return line.test(dns.said());
      });
    await askFrom(POD.near, 1063, NAME);
    assert.doesNotMatch(dns.said(), / IN web\.shop\./);
    await annotate(near, "true");
    await told(POD.near, NAME, /"pod":"shop\/near".*10\.244\.7\.7:\d+ - 1 \\"A IN web\.shop\.svc\.cluster\.local\. /);
    await annotate(near, null);
    await askFrom(POD.far, 1063, NAME);
    await annotate(kubeDns, "example.org");
    await told(POD.far, "www.example.org", /10\.244\.7\.9:\d+ - 1 \\"A IN www\.example\.org\. .* NOERROR /);
    assert.doesNotMatch(dns.said(), /10\.244\.7\.9:\d+ - 1 \\"A IN web\./);
    await end(dns);
    assert.doesNotMatch(dns.said(), /forbidden|"level":"error"/i);
  });
});
