import { deepEqual, equal, match, ok } from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import type { Host } from "../../../src/host/host.ts";
import type { Clock } from "../../../src/observe/clock.ts";
import { until } from "../../lab/until.ts";
import { Carried } from "../lab/carried.ts";
import { every, IpvsLab, STAYING, staying } from "../lab/ipvs.ts";
import { CLIENT, NODE, PODS, PORT } from "../lab/network.ts";
import { datagramTests } from "./ipvs-datagrams.ts";
import { clusterIP, externalIP, nodePlan, service, slices, vip } from "../lab/objects.ts";

const signal = new AbortController().signal;
const lab = new IpvsLab();
datagramTests(lab);
/** This kernel is one process among many of the machine. */
const PATIENT = { seconds: 120 };

test("ipvs: PRX-182, PRX-185: clusterIP, externalIP and VIP are on an interface of our own, node ports virtual servers on node addresses, weights 1", async () => {
  const carried = new Carried(lab.open());
  carried.set(every("all", 1), slices("all", ["pod1", "pod3"]));
  await carried.apply();
  const { stdout } = await lab.node.check("ip", ["-br", "addr", "show", "dev", "fairlead-ipvs"]);
  for (const address of [clusterIP, externalIP, vip]) {
    for (const family of ["IPv4", "IPv6"] as const) ok(stdout.includes(`${address(1, family)}/`), stdout);
  }
  const pods = { [`${PODS.pod1.IPv4}:${PORT}`]: 1, [`${PODS.pod3.IPv4}:${PORT}`]: 1 };
  for (const address of [`${clusterIP(1, "IPv4")}:80`, `${NODE.IPv4.client}:30001`]) {
    deepEqual(await lab.weightsOf(`-t ${address}`), pods);
    deepEqual(await lab.weightsOf(`-u ${address}`), pods);
  }
  ok((await lab.servers()).has(`-t [${NODE.IPv6.client}]:30001`));
});

test("ipvs: PRX-183, PRX-187: the kernel's settings, ARP and timeouts are as told", async () => {
  const carried = new Carried(lab.open({ strictARP: true, tcpTimeout: 700, udpTimeout: 70 }));
  await carried.apply();
  const read = async (name: string): Promise<string> => (await lab.node.check("sysctl", ["-n", name])).stdout.trim();
  for (const name of ["conntrack", "expire_nodest_conn", "expire_quiescent_template"]) {
    equal(await read(`net.ipv4.vs.${name}`), "1", name);
  }
  deepEqual([await read("net.ipv4.conf.all.arp_ignore"), await read("net.ipv4.conf.all.arp_announce")], ["1", "2"]);
  const { stdout } = await lab.node.check("ipvsadm", ["-L", "--timeout"]);
  match(stdout, /700 120 70/);
});

test("ipvs: PRX-184: a scheduler is tried at the start, and one that the kernel has not is named", async () => {
  deepEqual(await lab.open({ scheduler: "wlc" }).supported(), { supported: true });
  const answer = await lab.open({ scheduler: "none-such" }).supported();
  ok(!answer.supported);
  match(answer.missing, /no IPVS scheduler none-such.*modprobe ip_vs_none-such/);
  equal((await lab.servers()).size, 0);
  const carried = new Carried(lab.open({ scheduler: "wlc" }));
  carried.set(service("usual", 1), slices("usual", ["pod1"]));
  await carried.apply();
  equal((await lab.servers()).get(`-t ${clusterIP(1, "IPv4")}:80`)?.choice, "-s wlc");
});

test("ipvs: PRX-186, PRX-150: a real server that goes keeps its connections and gets no new ones, comes back with its weight, and is removed when it has none; UDP at once", async () => {
  const callbacks: (() => void)[] = [];
  const clock: Clock = {
    now: () => 0,
    after: (_, callback) => {
      callbacks.push(callback);
      return () => {};
    },
  };
  const carried = new Carried(lab.open({}, lab.node, clock));
  const key = `-t ${clusterIP(1, "IPv4")}:80`;
  const [one, two, three] = (["pod1", "pod2", "pod3"] as const).map((pod) => `${PODS[pod].IPv4}:${STAYING}`) as [
    string,
    string,
    string,
  ];
  const set = async (pods: Parameters<typeof slices>[1]): Promise<void> => {
    carried.set(service("going", 1, { ports: [{ name: "tcp", port: 80, protocol: "TCP" }] }), staying("going", pods));
    carried.set(service("udp", 2), slices("udp", pods));
    await carried.apply();
  };
  const say = (keep: string): Promise<string[]> => lab.call("pod2", clusterIP(1, "IPv4"), 1, { keep });
  await set(["pod1"]);
  deepEqual(await say("first"), [PODS.pod1.IPv4]);
  await set(["pod1", "pod2", "pod3"]);
  await set(["pod3"]);
  deepEqual(await lab.weightsOf(key), { [one]: 0, [two]: 0, [three]: 1 });
  deepEqual(await lab.weightsOf(`-u ${clusterIP(2, "IPv4")}:80`), { [`${PODS.pod3.IPv4}:${PORT}`]: 1 });
  deepEqual(await say("first"), [PODS.pod1.IPv4]);
  for (const name of ["a", "b", "c"]) deepEqual(await say(name), [PODS.pod3.IPv4]);
  equal(callbacks.length, 1, "a look is due");
  callbacks.shift()!();
  await until(
    "the one without connections to be removed",
    async () => (await lab.weightsOf(key))[two] === undefined,
    PATIENT,
  );
  deepEqual(await lab.weightsOf(key), { [one]: 0, [three]: 1 });
  await until("the next look to be due", () => callbacks.length === 1, PATIENT);
  await set(["pod1", "pod3"]);
  deepEqual(await lab.weightsOf(key), { [one]: 1, [three]: 1 });
  deepEqual(await say("first"), [PODS.pod1.IPv4]);
});

test("ipvs: PRX-188, PRX-268: virtual servers of others stay, those in excludeCIDRs too, and ours go with interface, rules and sets", async () => {
  const others = ["-t 192.0.2.1:80", "-u 10.96.0.200:53", "-f 77"];
  await lab.node.check("ipvsadm", ["-R"], {
    input: others.map((key) => `-A ${key} -s rr\n-a ${key} -r 192.0.2.9:80 -m -w 1\n`).join(""),
  });
  await lab.node.check("iptables-legacy", ["-t", "filter", "-A", "INPUT", "-s", "192.0.2.7", "-j", "DROP"]);
  const engine = lab.open({ excludeCIDRs: ["10.96.0.2/32"] });
  const carried = new Carried(engine);
  const [gone, kept] = [every("gone", 1), every("kept", 2)];
  carried.set(gone, slices("gone", ["pod1"]));
  carried.set(kept, slices("kept", ["pod1"]));
  await carried.apply();
  for (const key of others) ok((await lab.servers()).has(key), key);
  await engine.cleanup(signal);
  await engine.cleanup(signal);
  deepEqual([...(await lab.servers()).keys()].toSorted(), [...others, "-t 10.96.0.2:80", "-u 10.96.0.2:80"].toSorted());
  const left = await lab.node.check("sh", [
    "-c",
    "ipset list -n; iptables-legacy-save; ip6tables-legacy-save; ip -br link",
  ]);
  ok(!/fairlead/i.test(left.stdout), left.stdout);
  match(left.stdout, /-A INPUT -s 192\.0\.2\.7\/32 -j DROP/);
  await lab.node.check("iptables-legacy", ["-t", "filter", "-D", "INPUT", "-s", "192.0.2.7", "-j", "DROP"]);
});

test("ipvs: PRX-190, PRX-142: a Local policy without a local endpoint does not fall back to others: pods and the node have them, outsiders hear nothing", async () => {
  const carried = new Carried(lab.open());
  carried.set(every("far", 1, { externalTrafficPolicy: "Local" }), slices("far", ["pod3"]));
  await carried.apply();
  const external = externalIP(1, "IPv4");
  deepEqual(await lab.pods("pod1", external), [PODS.pod3.IPv4]);
  deepEqual(await lab.pods("node", external), [PODS.pod3.IPv4]);
  deepEqual(await lab.call("client", external, 1, { wait: 1000, from: CLIENT.IPv4 }), ["timeout"]);
});

test("ipvs: PRX-192, PRX-074, PRX-113: a listener of the host is not reached through a Service's address, but for the health check's port", async () => {
  const carried = new Carried(lab.open());
  const healthy = { externalTrafficPolicy: "Local", healthCheckNodePort: PORT + 10 };
  carried.set(every("guarded", 1, healthy), slices("guarded", ["pod1"]));
  await carried.apply();
  const script = fileURLToPath(new URL("../lab/server.ts", import.meta.url));
  for (const port of [PORT + 10, PORT + 20]) {
    const listener = await lab.node.open(process.execPath, [script, String(port), "0.0.0.0"], { stderr: "inherit" });
    lab.listeners.push(listener);
    await new Promise((resolve) => listener.stdout.once("data", resolve));
  }
  for (const place of ["pod1", "client", "node"] as const) {
    deepEqual(await lab.call(place, clusterIP(1, "IPv4"), 1, { port: PORT + 20 }), ["refused"], place);
    deepEqual(await lab.pods(place, clusterIP(1, "IPv4"), 1, { port: PORT + 10 }), ["0.0.0.0"], place);
  }
  deepEqual(await lab.pods("client", NODE.IPv4.client, 1, { port: PORT + 20 }), ["0.0.0.0"]);
});

test("ipvs: PRX-167, PRX-267: a restart finds everything and writes nothing; a connection goes on, marks stay", async () => {
  const written: string[] = [];
  const watched: Host = {
    ...lab.node,
    run: (command, args, options) => {
      // Rules are loaded anew, as the same ones, and sets are made unless they are there.
      const isNew = (line: string): boolean => /^(-|addr|add|del)/.test(line);
      if (command === "ipvsadm" || command === "ipset" || command === "ip") {
        written.push(
          ...(options?.input ?? "")
            .split("\n")
            .filter(isNew)
            .filter((line) => !line.startsWith("link")),
        );
      }
      return lab.node.run(command, args, options);
    },
  };
  const objects = (carried: Carried<never, never, never>): void => {
    carried.set(every("local", 1, { externalTrafficPolicy: "Local" }), slices("local", ["pod1", "pod3"]));
    carried.set(every("gone", 2), slices("gone", ["pod2"]));
    carried.set(
      service("staying", 3, { ports: [{ name: "tcp", port: 80, protocol: "TCP" }] }),
      staying("staying", ["pod1"]),
    );
  };
  const dump = async (): Promise<string> =>
    (await lab.node.check("sh", ["-c", "ipvsadm -Sn | sort; ipset save | sort; ip -o addr show dev fairlead-ipvs"]))
      .stdout;
  const first = new Carried(lab.open());
  objects(first as never);
  await first.apply();
  const before = await dump();
  deepEqual(await lab.call("client", clusterIP(3, "IPv4"), 1, { keep: "over" }), [PODS.pod1.IPv4]);
  await first.engine.close();
  const second = new Carried(lab.open({}, watched));
  objects(second as never);
  await second.apply();
  deepEqual(written, []);
  equal(await dump(), before);
  deepEqual(await lab.call("client", clusterIP(3, "IPv4"), 1, { keep: "over" }), [PODS.pod1.IPv4]);
  // What went while nobody looked is removed.
  const third = new Carried(lab.open());
  objects(third as never);
  third.remove(every("gone", 2), slices("gone", ["pod2"]));
  await third.apply();
  const after = await dump();
  for (const address of [clusterIP, externalIP, vip]) ok(!after.includes(`${address(2, "IPv4")}:80`), after);
  ok(!after.includes(`${NODE.IPv4.client}:30002`), after);
});

test("ipvs: PRX-178, PRX-270: what others remove is noticed and put back", async () => {
  const engine = lab.open();
  const carried = new Carried(engine);
  carried.set(every("all", 1, { externalTrafficPolicy: "Local" }), slices("all", ["pod1"]));
  await carried.apply();
  ok(await engine.intact(carried.applied!, signal));
  for (const damage of [
    ["ipvsadm", "-D", "-t", `${clusterIP(1, "IPv4")}:80`],
    ["ip", "addr", "del", `${externalIP(1, "IPv4")}/32`, "dev", "fairlead-ipvs"],
    ["iptables-legacy", "-t", "filter", "-D", "INPUT", "-j", "FAIRLEAD-IPVS-IN"],
    ["ip", "link", "del", "fairlead-ipvs"],
    ["ipvsadm", "-C"],
  ] as const) {
    await lab.node.check(damage[0], damage.slice(1));
    ok(!(await engine.intact(carried.applied!, signal)), damage.join(" "));
    carried.applied = undefined;
    await carried.apply();
    ok(await engine.intact(carried.applied!, signal), `after ${damage.join(" ")}`);
  }
  deepEqual(await lab.pods("client", clusterIP(1, "IPv4")), [PODS.pod1.IPv4]);
  deepEqual(await lab.pods("client", externalIP(1, "IPv4")), [PODS.pod1.IPv4]);
});

test("ipvs: a node that restricts forwarding to its own interfaces still carries Services", async () => {
  const carried = new Carried(lab.open(), nodePlan({ forwardOnly: { interfacePrefix: "fl" } }));
  carried.set(every("all", 1), slices("all", ["pod1", "pod3"]));
  await carried.apply();
  const pods = new Set(await lab.pods("client", clusterIP(1, "IPv4"), 4));
  deepEqual([...pods].toSorted(), [PODS.pod1.IPv4, PODS.pod3.IPv4]);
  // A stranger's own connection through this machine to another is not let through.
  deepEqual(await lab.call("client", PODS.pod3.IPv4, 1, { port: PORT, wait: 1000 }), ["timeout"]);
});
