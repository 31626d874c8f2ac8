import assert from "node:assert/strict";
import { createSocket, type Socket } from "node:dgram";
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import * as packets from "dns-packet";
import { parseManifests } from "../../src/cli/manifests/read.ts";
import type { Running } from "../../src/host/host.ts";
import { systemHost } from "../../src/host/processes.ts";
import { startSubject, type Subject } from "../conformance/subject.ts";
import { ask, overUdp } from "../dns/running.ts";
import { standOnOwnGround } from "../lab/ground.ts";
import { ROOT } from "../lab/lab.ts";
import { until } from "../lab/until.ts";

const EXAMPLE = join(ROOT, "examples/dns");
const NAME = "web.default.svc.cluster.local";
const ADDRESS = "10.96.100.1";

const addressesIn = (reply: Buffer | undefined): string[] =>
  reply === undefined
    ? []
    : (packets.decode(reply).answers ?? []).flatMap((one) =>
        one.type === "A" || one.type === "AAAA" ? [one.data] : [],
      );

/** A resolver that answers every question for an address with this one. */
async function upstream(at: string, answer: string): Promise<Socket> {
  const socket = createSocket("udp4");
  socket.on("message", (packet, from) => {
    const { id, questions = [] } = packets.decode(packet);
    const answers = questions.map(({ name }) => ({ type: "A" as const, name, ttl: 5, data: answer }));
    const reply = packets.encode({ type: "response", id: id ?? 0, flags: 0x0180, questions, answers });
    socket.send(reply, from.port, from.address);
  });
  await new Promise<void>((resolve) => socket.bind(53, at, resolve));
  return socket;
}

describe("fairlead dns alone, with CoreDNS's rights at somebody's API server", () => {
  const scratch = mkdtempSync(join(tmpdir(), "fairlead-dns-"));
  const kubeconfig = join(scratch, "kubeconfig");
  let subject: Subject;
  let world: Socket;
  let stub: Socket;
  const running = new Set<Running>();

  const create = async (path: string, object: object): Promise<void> => {
    const { code, text } = await subject.ask("POST", path, object);
    assert.equal(code, 201, text);
  };
  const start = async (...flags: string[]) => {
    const process = await systemHost().open(join(ROOT, "bin/fairlead"), ["dns", ...flags]);
    running.add(process);
    let said = "";
    process.stderr.on("data", (chunk: Buffer) => (said += chunk.toString()));
    process.stdout.resume();
    void process.ended.then(() => running.delete(process));
    return { process, said: () => said };
  };
  type Started = Awaited<ReturnType<typeof start>>;
  const end = async ({ process, said }: Started): Promise<void> => {
    process.kill("SIGTERM");
    assert.equal(await process.ended, 0, said());
  };
  const answered = (port: number, name: string, address: string, said: () => string): Promise<unknown> =>
    until(`${name} to be ${address}`, async () => addressesIn(await overUdp(port, ask(name)))[0] === address, {
      seconds: 60,
    }).catch((cause: unknown) => {
      throw new Error(said(), { cause });
    });
  /** The example's Corefile with this resolver for other names. */
  const stock = (resolver: string): string =>
    readFileSync(join(EXAMPLE, "Corefile"), "utf8").replace("/etc/resolv.conf", resolver);
  const page = async (port: number, path: string): Promise<[number, string]> => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`);
    return [response.status, await response.text()];
  };

  before(async () => {
    standOnOwnGround();
    subject = await startSubject();
    [world, stub] = [await upstream("127.0.0.53", "192.0.2.80"), await upstream("127.0.0.54", "192.0.2.7")];
    const documents = parseManifests("rbac.yaml", readFileSync(join(EXAMPLE, "rbac.yaml"), "utf8"));
    const paths: Record<string, string> = {
      ServiceAccount: "/api/v1/namespaces/kube-system/serviceaccounts",
      ClusterRole: "/apis/rbac.authorization.k8s.io/v1/clusterroles",
      ClusterRoleBinding: "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
    };
    for (const document of documents) {
      assert.ok(!("sentence" in document));
      const object = document.object as { kind: string };
      await create(paths[object.kind]!, object);
    }
    const { body } = await subject.ask("POST", "/api/v1/namespaces/kube-system/serviceaccounts/coredns/token", {
      apiVersion: "authentication.k8s.io/v1",
      kind: "TokenRequest",
      spec: {},
    });
    const base64 = (text: string): string => Buffer.from(text).toString("base64");
    const server = {
      server: `https://127.0.0.1:${subject.port}`,
      "tls-server-name": "localhost",
      "certificate-authority-data": base64(subject.ca),
    };
    writeFileSync(
      kubeconfig,
      JSON.stringify({
        apiVersion: "v1",
        kind: "Config",
        "current-context": "it",
        contexts: [{ name: "it", context: { cluster: "it", user: "it" } }],
        clusters: [{ name: "it", cluster: server }],
        users: [{ name: "it", user: { token: body.status.token } }],
      }),
    );
    await create("/api/v1/namespaces/default/services", {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: "web", namespace: "default" },
      spec: { clusterIP: ADDRESS, ports: [{ name: "http", port: 80 }] },
    });
    await create("/api/v1/namespaces/default/services", {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: "peers", namespace: "default" },
      spec: { clusterIP: "None", ports: [{ name: "http", port: 80 }] },
    });
    await create("/apis/discovery.k8s.io/v1/namespaces/default/endpointslices", {
      apiVersion: "discovery.k8s.io/v1",
      kind: "EndpointSlice",
      metadata: { name: "peers-1", namespace: "default", labels: { "kubernetes.io/service-name": "peers" } },
      addressType: "IPv4",
      ports: [{ name: "http", port: 80, protocol: "TCP" }],
      endpoints: [{ addresses: ["10.244.0.9"], hostname: "one" }],
    });
  });
  after(async () => {
    for (const process of running) process.kill("SIGKILL");
    for (const socket of [world, stub]) socket?.close();
    await subject?.close();
    rmSync(scratch, { recursive: true, force: true });
  });

  test("DNS-134: with list and watch of four kinds and nothing else it answers, and nothing it needs is refused", async () => {
    const { body } = await subject.ask("GET", "/apis/rbac.authorization.k8s.io/v1/clusterroles/system:coredns");
    assert.deepEqual(
      body.rules.map(({ resources, verbs }: { resources: string[]; verbs: string[] }) => [
        resources.sort(),
        verbs.sort(),
      ]),
      [
        [
          ["namespaces", "pods", "services"],
          ["list", "watch"],
        ],
        [["endpointslices"], ["list", "watch"]],
      ],
    );
    const dns = await start(
      "--kubeconfig",
      kubeconfig,
      "--listen",
      "127.0.0.1:1053",
      "--pods",
      "verified",
      "--upstream",
      "127.0.0.53",
    );
    await answered(1053, NAME, ADDRESS, dns.said);
    await answered(1053, "one.peers.default.svc.cluster.local", "10.244.0.9", dns.said);
    await answered(1053, "www.example.org", "192.0.2.80", dns.said);
    await create("/api/v1/namespaces/default/services", {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: "late", namespace: "default" },
      spec: { clusterIP: "10.96.100.2", ports: [{ name: "http", port: 80 }] },
    });
    await answered(1053, "late.default.svc.cluster.local", "10.96.100.2", dns.said);
    await end(dns);
    assert.doesNotMatch(dns.said(), /forbidden|cannot (list|watch)|"level":"(warn|error)"/i);
  });

  test("DNS-129, DNS-130, DNS-133: the stock Corefile on port 53; a stub domain is taken from a ConfigMap's new files, a fault leaves the old, and SIGTERM is lame first", async () => {
    // As kubelet mounts a ConfigMap: the files are links through ..data, which is put in place whole.
    const mount = join(scratch, "coredns");
    let version = 0;
    const put = (text: string): void => {
      version += 1;
      mkdirSync(join(mount, `..${version}`), { recursive: true });
      writeFileSync(join(mount, `..${version}`, "Corefile"), text);
      symlinkSync(`..${version}`, join(mount, "..data_tmp"));
      renameSync(join(mount, "..data_tmp"), join(mount, "..data"));
    };
    const resolver = join(scratch, "resolv.conf");
    writeFileSync(resolver, "nameserver 127.0.0.53\n");
    // Interfaces of the test's own network; 0.0.0.0 would be the resolvers' addresses too.
    // Only that the folder changes can be why a new one is taken: an interval is longer than anybody waits here.
    const text = stock(resolver)
      .replace(".:53 {", ".:53 {\n    bind 127.0.0.1\n")
      .replace("    reload\n", "    reload 1h\n");
    assert.match(text, /reload 1h/);
    put(text);
    symlinkSync("..data/Corefile", join(mount, "Corefile"));
    const dns = await start("--kubeconfig", kubeconfig, "--corefile", join(mount, "Corefile"));
    await answered(53, NAME, ADDRESS, dns.said);
    await until("/ready", async () => (await page(8181, "/ready"))[0] === 200);
    assert.deepEqual(await page(8080, "/health"), [200, "OK"]);
    await answered(53, "www.acme.local", "192.0.2.80", dns.said);

    put(`${text}\nacme.local:53 {\n    bind 127.0.0.1\n    forward . 127.0.0.54\n}\n`);
    await answered(53, "www.acme.local", "192.0.2.7", dns.said);
    assert.deepEqual(addressesIn(await overUdp(53, ask(NAME))), [ADDRESS]);

    put(text.replace("loop\n", "loop\n    autopath\n"));
    const fault = /the old one stays in force: .*Corefile:\d+: unknown directive \\"autopath\\"/;
    await until("the fault to be told", () => fault.test(dns.said()));
    await answered(53, "www.acme.local", "192.0.2.7", dns.said);
    const [code, metrics] = await page(9153, "/metrics");
    assert.equal(code, 200);
    assert.match(metrics, /^coredns_reload_failed_total 1$/m);
    assert.match(metrics, /^coredns_reload_version_info\{hash="sha512",value="[0-9a-f]{128}"\} 1$/m);

    put(text);
    await answered(53, "www.acme.local", "192.0.2.80", dns.said);

    dns.process.kill("SIGTERM");
    await until("/ready to say no", async () => (await page(8181, "/ready"))[0] === 503);
    assert.deepEqual(await page(8080, "/health"), [200, "OK"]);
    assert.deepEqual(addressesIn(await overUdp(53, ask(NAME))), [ADDRESS]);
    assert.equal(await dns.process.ended, 0, dns.said());
  });

  test("several threads answer at one address; each is counted, and a configuration is taken by all", async () => {
    const file = join(scratch, "Corefile.threads");
    const block = (ttl: number): string =>
      `.:1054 {\n bind 127.0.0.1\n kubernetes cluster.local {\n ttl ${ttl}\n }\n prometheus 127.0.0.1:9154\n ready 127.0.0.1:8184\n reload 2s 0\n}\n`;
    writeFileSync(file, block(5));
    const dns = await start("--kubeconfig", kubeconfig, "--corefile", file, "--workers", "3");
    await answered(1054, NAME, ADDRESS, dns.said);
    const ttls = async (): Promise<Set<number | undefined>> => {
      const replies = await Promise.all(Array.from({ length: 40 }, (_, id) => overUdp(1054, ask(NAME, "A", id + 1))));
      return new Set(
        replies
          .map((reply) => (reply === undefined ? undefined : packets.decode(reply).answers?.[0]))
          .map((one) => (one !== undefined && "ttl" in one ? one.ttl : undefined)),
      );
    };
    await until("every thread to answer", async () => [...(await ttls())].join() === "5");
    writeFileSync(file, block(17));
    const seen = new Set<number | undefined>();
    await until("every thread to have the new TTL", async () => {
      const now = await ttls();
      for (const ttl of now) seen.add(ttl);
      return [...now].join() === "17";
    });
    assert.deepEqual(seen, new Set([5, 17]), "no query went without its answer meanwhile");
    const [, metrics] = await page(9154, "/metrics");
    assert.match(metrics, /^coredns_reload_failed_total 0$/m);
    await end(dns);
  });

  test("a taken port is the end, said with the address; so is a Corefile that cannot be taken, with its lines", async () => {
    const taken = await start("--listen", "127.0.0.53:53", "--kubeconfig", kubeconfig, "--upstream", "");
    assert.equal(await taken.process.ended, 1);
    assert.match(taken.said(), /^fairlead: listening for DNS on UDP 127\.0\.0\.53 port 53: /m);
    const threads = await start(
      "--listen",
      "127.0.0.53:53",
      "--kubeconfig",
      kubeconfig,
      "--upstream",
      "",
      "--workers",
      "2",
    );
    assert.equal(await threads.process.ended, 1);
    assert.match(threads.said(), /^fairlead: listening for DNS on UDP 127\.0\.0\.53 port 53: /m);
    const file = join(scratch, "Corefile.wrong");
    writeFileSync(file, ".:53 {\n rewrite name a b\n cache -1\n}\n");
    const wrong = await start("--corefile", file);
    assert.equal(await wrong.process.ended, 1);
    assert.match(wrong.said(), /Corefile\.wrong:2: unknown directive "rewrite".*\n.*Corefile\.wrong:3: cache: /);
    const nowhere = await start("--kubeconfig", join(scratch, "none"), "--listen", "127.0.0.1:1055");
    assert.equal(await nowhere.process.ended, 1);
    assert.match(nowhere.said(), /^fairlead: looking for the API server: /m);
  });

  test("DNS-129: with loop, a resolver that sends our queries back is the end, said", async () => {
    const [one, other] = [join(scratch, "Corefile.one"), join(scratch, "Corefile.other")];
    writeFileSync(one, ".:1057 {\n bind 127.0.0.1\n loop\n forward . 127.0.0.1:1058\n}\n");
    writeFileSync(other, ".:1058 {\n bind 127.0.0.1\n forward . 127.0.0.1:1057\n}\n");
    const back = await start("--corefile", other);
    await until("the other to listen", () => back.said().includes("cluster DNS listens"), { seconds: 60 });
    const dns = await start("--corefile", one);
    assert.equal(await dns.process.ended, 1);
    assert.match(dns.said(), /^fairlead: asking outside for every zone: .*sends our queries back to us/m);
    await end(back);
  });

  test("a Corefile without a cluster needs no API server", async () => {
    const file = join(scratch, "Corefile.alone");
    writeFileSync(file, ".:1056 {\n bind 127.0.0.1\n forward . 127.0.0.53\n}\n");
    const dns = await start("--corefile", file);
    await answered(1056, "www.example.org", "192.0.2.80", dns.said);
    await end(dns);
  });
});
