import assert from "node:assert/strict";
import { createSocket, type Socket } from "node:dgram";
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import * as packets from "dns-packet";
import { parseManifests } from "../../src/cli/manifests/read.ts";
import { systemHost } from "../../src/host/processes.ts";
import { startSubject, type Subject } from "../conformance/subject.ts";
import { ask, overUdp } from "../dns/running.ts";
import { isRealRoot, standOnOwnGround } from "../lab/ground.ts";
import { ROOT } from "../lab/lab.ts";
import { until } from "../lab/until.ts";
import { addressesIn, dnsProcesses, kubeconfigOf } from "./naming/dns-process.ts";

const EXAMPLE = join(ROOT, "examples/dns");
const NAME = "web.default.svc.cluster.local";
const ADDRESS = "10.96.100.1";

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
  const processes = dnsProcesses();
  const { start, end, answered } = processes;

  const create = async (path: string, object: object): Promise<void> => {
    const { code, text } = await subject.ask("POST", path, object);
    assert.equal(code, 201, text);
  };
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
    writeFileSync(kubeconfig, kubeconfigOf(subject, { token: body.status.token }));
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
    processes.killAll();
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

  describe("what cannot be done is said in a sentence, and is the end", () => {
    const at = (name: string): string => join(scratch, name);
    const listen = (where: string): string[] => ["--listen", where, "--kubeconfig", kubeconfig, "--upstream", ""];
    const taken =
      /^fairlead: listening for DNS on (TCP|UDP) \S+ port 53: taken by node \(pid \d+\); end it, or choose another address\n$/;
    before(() => {
      writeFileSync(at("Corefile.wrong"), ".:53 {\n rewrite name a b\n cache -1\n}\n");
      const tls = `endpoint https://127.0.0.1:${subject.port}\n tls ${at("no.crt")} ${at("no.key")} ${at("no.ca")}`;
      writeFileSync(at("Corefile.tls"), `.:1055 {\n kubernetes cluster.local {\n ${tls}\n }\n}\n`);
    });
    const CASES: readonly [what: string, flags: () => string[], code: number, said: RegExp][] = [
      ["an address that is taken", () => listen("127.0.0.53:53"), 1, taken],
      ["one that is taken, for several threads", () => [...listen("127.0.0.53:53"), "--workers", "2"], 1, taken],
      ["all addresses, where one of them is taken", () => listen(":53"), 1, taken],
      [
        "an address that is nobody's here",
        () => listen("192.0.2.1:1055"),
        1,
        /^fairlead: listening for DNS on TCP 192\.0\.2\.1 port 1055: no interface has this address\n$/,
      ],
      [
        "a name for an address",
        () => listen("localhost:53"),
        2,
        /^fairlead: --listen: "localhost:53" is not ADDR:PORT.*\n$/,
      ],
      [
        "a Corefile of which two lines are wrong",
        () => ["--corefile", at("Corefile.wrong")],
        1,
        /^fairlead: the Corefile cannot be taken:\n.*Corefile\.wrong:2: unknown directive "rewrite".*\n.*Corefile\.wrong:3: cache: .*\n$/,
      ],
      [
        "a Corefile that is not there",
        () => ["--corefile", at("none")],
        1,
        /^fairlead: reading the Corefile: there is no file \S+\/none\n$/,
      ],
      [
        "a Corefile's certificate that is not there",
        () => ["--corefile", at("Corefile.tls")],
        1,
        /^fairlead: looking for the API server: there is no file \S+\/no\.crt\n$/,
      ],
      [
        "a kubeconfig that is not there",
        () => ["--kubeconfig", at("none"), "--listen", "127.0.0.1:1055"],
        1,
        /^fairlead: looking for the API server: there is no file \S+\/none\n$/,
      ],
      [
        "a kubeconfig that is a directory",
        () => ["--kubeconfig", scratch, "--listen", "127.0.0.1:1055"],
        1,
        /^fairlead: looking for the API server: \S+ is a directory, and should be a file\n$/,
      ],
      [
        "a Service to register for what no pod reaches",
        () => [...listen("127.0.0.1:1055"), "--register", "10.96.0.10"],
        2,
        /^fairlead: --register: no pod reaches the addresses that DNS listens at, 127\.0\.0\.1; name one .*\n$/,
      ],
    ];
    for (const [what, flags, code, said] of CASES) {
      test(what, async () => {
        const dns = await start(...flags());
        assert.equal(await dns.process.ended, code, dns.said());
        assert.match(dns.said(), said);
      });
    }

    test("port 53 for an ordinary user", { skip: isRealRoot() ? false : "the kernel asks for real root" }, async () => {
      const words = ["--reuid=65534", "--regid=65534", "--clear-groups", join(ROOT, "bin/fairlead"), "dns"];
      const { code, stderr } = await systemHost().run(
        "setpriv",
        [...words, "--listen=127.0.0.9:53", "--master=http://127.0.0.1:1"],
        {
          env: { HOME: "/nonexistent" },
        },
      );
      assert.equal(code, 1, stderr);
      assert.match(
        stderr,
        /^fairlead: listening for DNS on TCP 127\.0\.0\.9 port 53: ports below 1024 need root or CAP_NET_BIND_SERVICE$/m,
      );
    });

    test("an upstream that is this server itself is left out, and that is told", async () => {
      const dns = await start("--kubeconfig", kubeconfig, "--listen", "127.0.0.1:1059", "--upstream", "127.0.0.1:1059");
      await answered(1059, NAME, ADDRESS, dns.said);
      assert.match(
        dns.said(),
        /"address":"127\.0\.0\.1","port":1059,"message":"an upstream resolver is this DNS server itself; it is left out"/,
      );
      await end(dns);
    });
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
