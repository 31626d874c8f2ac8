import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import { assertCauses, assertHas, Services } from "./services.ts";
import { startSubject, type Subject } from "./subject.ts";

const HTTP = { ports: [{ port: 80 }] };
const NODE_PORT = { ...HTTP, type: "NodePort" };
const LOCAL = { ...HTTP, type: "LoadBalancer", externalTrafficPolicy: "Local" };
const refused = (index: number, port: number, why: string): string =>
  `Invalid spec.ports[${index}].nodePort: Invalid value: ${port}: ${why}`;
const TAKEN = "provided port is already allocated";
const OUTSIDE = "provided port is not in the valid range. The range of valid ports is 30000-32767";

void suite("the default range", () => {
  let subject: Subject;
  let services: Services;
  before(async () => {
    subject = await startSubject();
    services = new Services(subject);
  });
  after(() => subject.close());

  const ports = async (spec: object): Promise<number[]> =>
    (await services.made(spec)).spec.ports.map(({ nodePort }: { nodePort?: number }) => nodePort ?? 0);
  const typed = (type: string, ...list: object[]): object => ({ type, ports: list });

  void test("SVC-145, SVC-146: 30000 to 32767, and automatic ports from 30086 on", async () => {
    assert.deepEqual(await ports(typed("NodePort", { port: 80, nodePort: 30_000 })), [30_000]);
    assert.deepEqual(await ports(typed("NodePort", { port: 80, nodePort: 32_767 })), [32_767]);
    for (const port of [29_999, 32_768]) {
      assertCauses(await services.create(typed("NodePort", { port: 80, nodePort: port })), [refused(0, port, OUTSIDE)]);
    }
    const { text } = await subject.ask("GET", "/metrics");
    const metric = (name: string): number =>
      Number(new RegExp(`^kube_apiserver_nodeport_allocator_${name} (\\d+)$`, "m").exec(text)?.[1]);
    assert.equal(metric("allocated_ports") + metric("available_ports"), 2768);
    const found: number[] = [];
    for (let index = 0; index < 40; index++) found.push(...(await ports(NODE_PORT)));
    assert.ok(Math.min(...found) >= 30_086 && Math.max(...found) <= 32_767, found.join());
    assert.notDeepEqual(
      found,
      [...found].sort((a, b) => a - b),
    );
  });

  void test("SVC-147, SVC-149: one pool for all protocols and Services", async () => {
    await services.made(typed("NodePort", { port: 80, nodePort: 30_047 }));
    assertCauses(
      await services.create(
        typed("NodePort", { name: "a", port: 80 }, { name: "b", port: 81, protocol: "UDP", nodePort: 30_047 }),
      ),
      [refused(1, 30_047, TAKEN)],
    );
    const { metadata } = await services.made(NODE_PORT);
    assertCauses(await services.modify(metadata.name, typed("NodePort", { port: 80, nodePort: 30_047 })), [
      refused(0, 30_047, TAKEN),
    ]);
  });

  void test("SVC-148: a health check's port is of the same pool", async () => {
    const { spec } = await services.made({ ...LOCAL, healthCheckNodePort: 30_048 });
    assert.equal(spec.healthCheckNodePort, 30_048);
    assertCauses(await services.create(typed("NodePort", { port: 80, nodePort: 30_048 })), [refused(0, 30_048, TAKEN)]);
  });

  void test("SVC-150: a port outside the range", async () => {
    for (const port of [29_999, 32_768, 80, -1, 70_000]) {
      assertCauses(await services.create(typed("NodePort", { port: 80, nodePort: port })), [refused(0, port, OUTSIDE)]);
    }
    const { metadata } = await services.made(NODE_PORT);
    assertCauses(await services.modify(metadata.name, typed("NodePort", { port: 80, nodePort: 80 })), [
      refused(0, 80, OUTSIDE),
    ]);
  });

  void test("SVC-152, SVC-153: on create entries of one port number share one node port, given or found", async () => {
    const dns = { port: 53, name: "u", protocol: "UDP" };
    const tcp = { port: 53, name: "t", protocol: "TCP" };
    const [one, two, other] = await ports(typed("NodePort", dns, tcp, { port: 54, name: "x" }));
    assert.equal(one, two);
    assert.notEqual(one, other);
    assert.deepEqual(await ports(typed("NodePort", dns, { ...tcp, nodePort: 30_053 })), [30_053, 30_053]);
    assert.deepEqual(await ports(typed("LoadBalancer", { ...dns, nodePort: 30_054 }, tcp)), [30_054, 30_054]);
  });

  void test("SVC-154: entries of different port numbers cannot be created with one node port, and can be changed to it", async () => {
    const list = [
      { name: "u", port: 53, protocol: "UDP", nodePort: 30_055 },
      { name: "t", port: 54, protocol: "TCP", nodePort: 30_055 },
    ];
    assertCauses(await services.create(typed("NodePort", ...list)), [refused(1, 30_055, TAKEN)]);
    const { metadata } = await services.made(NODE_PORT);
    const said = await services.replace(metadata.name, typed("NodePort", ...list));
    assertCauses(said, []);
    assert.deepEqual(
      said.spec.ports.map(({ nodePort }: { nodePort: number }) => nodePort),
      [30_055, 30_055],
    );
  });

  void test("SVC-155: on update each entry without node port gets one of its own", async () => {
    const { metadata, spec } = await services.made(typed("NodePort", { name: "a", port: 53, protocol: "UDP" }));
    const said = await services.replace(
      metadata.name,
      typed("NodePort", { name: "a", port: 53, protocol: "UDP" }, { name: "b", port: 53 }, { name: "c", port: 54 }),
    );
    assertCauses(said, []);
    const [a, b, c] = said.spec.ports.map(({ nodePort }: { nodePort: number }) => nodePort);
    assert.equal(a, spec.ports[0].nodePort, "filled up by name");
    assert.equal(new Set([a, b, c]).size, 3);
  });

  void test("a node port twice by one protocol fails an update without a reason", async () => {
    const { metadata } = await services.made(NODE_PORT);
    const said = await services.replace(
      metadata.name,
      typed("NodePort", { name: "a", port: 80, nodePort: 30_056 }, { name: "b", port: 81, nodePort: 30_056 }),
    );
    assert.deepEqual([said.code, said.reason, said.message], [500, undefined, "duplicate nodePort: {TCP 30056}"]);
    assert.deepEqual(await ports(typed("NodePort", { port: 80, nodePort: 30_056 })), [30_056], "nothing is kept");
  });

  void test("SVC-156: a load balancer that allocates no node ports", async () => {
    const off = { type: "LoadBalancer", allocateLoadBalancerNodePorts: false };
    const list = [
      { name: "a", port: 80, nodePort: 30_057 },
      { name: "b", port: 81 },
    ];
    assert.deepEqual(await ports({ ...off, ports: list }), [30_057, 0]);
    const { metadata } = await services.made({
      type: "LoadBalancer",
      ports: [{ name: "a", port: 80, nodePort: 30_058 }],
    });
    const kept = await services.patch(metadata.name, { spec: { allocateLoadBalancerNodePorts: false } });
    assert.equal(kept.spec.ports[0].nodePort, 30_058);
    const dropped = await services.replace(metadata.name, { ...off, ports: [{ name: "a", port: 80 }] });
    assertCauses(dropped, []);
    assert.equal(dropped.spec.ports[0].nodePort, undefined);
    assert.deepEqual(await ports(typed("NodePort", { port: 80, nodePort: 30_058 })), [30_058], "released");
    const on = await services.patch(metadata.name, { spec: { allocateLoadBalancerNodePorts: true } });
    assert.ok(on.spec.ports[0].nodePort >= 30_086);
  });

  void test("SVC-157: a node port that an update drops is free", async () => {
    const { metadata } = await services.made(
      typed("NodePort", { name: "a", port: 80, nodePort: 30_059 }, { name: "b", port: 81, nodePort: 30_060 }),
    );
    const said = await services.replace(metadata.name, typed("NodePort", { name: "a", port: 80, nodePort: 30_061 }));
    assertCauses(said, []);
    assert.deepEqual(
      await ports(
        typed("NodePort", { name: "a", port: 80, nodePort: 30_059 }, { name: "b", port: 81, nodePort: 30_060 }),
      ),
      [30_059, 30_060],
    );
    // While a refused update drops nothing.
    assertCauses(
      await services.replace(metadata.name, {
        ...typed("NodePort", { name: "a", port: 80, nodePort: 30_062 }),
        sessionAffinity: "x",
      }),
      ['NotSupported spec.sessionAffinity: Unsupported value: "x": supported values: "ClientIP", "None"'],
    );
    assertCauses(await services.create(typed("NodePort", { port: 80, nodePort: 30_061 })), [refused(0, 30_061, TAKEN)]);
  });

  void test("SVC-158: a Service that is no longer NodePort or LoadBalancer holds no node ports", async () => {
    for (const from of ["NodePort", "LoadBalancer"]) {
      for (const to of [{ type: "ClusterIP" }, { type: "ExternalName", externalName: "a.example" }]) {
        const list = typed(from, { name: "a", port: 80, nodePort: 30_063 });
        const { metadata } = await services.made(list);
        const said = await services.patch(metadata.name, { spec: to });
        assert.deepEqual([said.code, said.spec.ports[0].nodePort], [200, undefined]);
        const again = await services.made(list);
        await services.remove(again.metadata.name);
      }
    }
  });

  void test("SVC-159: a health check's port that cannot be had is an internal error", async () => {
    await services.made({ ...LOCAL, healthCheckNodePort: 30_064 });
    for (const [port, why] of [
      [30_064, TAKEN],
      [80, OUTSIDE],
      [70_000, OUTSIDE],
    ] as const) {
      const { code, reason, message } = await services.create({ ...LOCAL, healthCheckNodePort: port });
      assert.deepEqual([code, reason], [500, "InternalError"]);
      assert.equal(
        message,
        `Internal error occurred: failed to allocate requested HealthCheck NodePort ${port}: ${why}`,
      );
    }
  });

  void test("SVC-160: a health check's port comes and goes with its need", async () => {
    const { metadata, spec } = await services.made({ ...LOCAL, externalTrafficPolicy: "Cluster" });
    assert.equal(spec.healthCheckNodePort, undefined);
    const local = await services.patch(metadata.name, {
      spec: { externalTrafficPolicy: "Local", healthCheckNodePort: 30_065 },
    });
    assertHas(local.spec, { healthCheckNodePort: 30_065 });
    const cluster = await services.patch(metadata.name, { spec: { externalTrafficPolicy: "Cluster" } });
    assertHas(cluster.spec, { healthCheckNodePort: undefined });
    assert.deepEqual(await ports(typed("NodePort", { port: 80, nodePort: 30_065 })), [30_065]);
    const found = await services.patch(metadata.name, { spec: { externalTrafficPolicy: "Local" } });
    assert.ok(found.spec.healthCheckNodePort >= 30_086);
    const plain = await services.patch(metadata.name, { spec: { type: "NodePort" } });
    assertHas(plain.spec, { healthCheckNodePort: undefined, externalTrafficPolicy: "Local" });
  });

  void test("SVC-161: what a deleted Service held is free at once", async () => {
    const all = {
      ...LOCAL,
      clusterIP: "10.96.2.161",
      healthCheckNodePort: 30_066,
      ports: [{ name: "a", port: 80, nodePort: 30_067 }],
    };
    for (let turn = 0; turn < 3; turn++) {
      const { metadata } = await services.made(all);
      await services.remove(metadata.name);
      assert.deepEqual(await services.addresses(metadata.name), []);
    }
  });

  void test("SVC-089: a health check's port cannot be changed to what is no port", async () => {
    const { metadata } = await services.made(LOCAL);
    for (const port of [70_000, -1]) {
      assertCauses(await services.modify(metadata.name, { healthCheckNodePort: port }), [
        "Forbidden spec.healthCheckNodePort: Forbidden: field is immutable",
        `Invalid spec.healthCheckNodePort: Invalid value: ${port}: must be between 1 and 65535, inclusive`,
      ]);
    }
  });
});

void suite("31000 to 31015", () => {
  let subject: Subject;
  let services: Services;
  before(async () => {
    subject = await startSubject({ nodePortRange: { first: 31_000, last: 31_015 } });
    services = new Services(subject);
  });
  after(() => subject.close());

  void test("SVC-146, SVC-151: sixteen ports have no bands; then the range is full", async () => {
    const found: number[] = [];
    for (let index = 0; index < 16; index++) found.push((await services.made(NODE_PORT)).spec.ports[0].nodePort);
    assert.deepEqual(
      found.sort((a, b) => a - b),
      Array.from({ length: 16 }, (_, index) => 31_000 + index),
    );
    const over = await services.create(NODE_PORT);
    assert.deepEqual([over.code, over.reason], [500, "InternalError"]);
    assert.equal(over.message, "Internal error occurred: failed to allocate a nodePort: range is full");
    const check = await services.create({ ...LOCAL, allocateLoadBalancerNodePorts: false });
    assert.deepEqual([check.code, check.reason], [500, "InternalError"]);
    assert.equal(check.message, "Internal error occurred: failed to allocate a HealthCheck NodePort 0: range is full");
    const outside = await services.create({ ...NODE_PORT, ports: [{ port: 80, nodePort: 31_016 }] });
    assertCauses(outside, [refused(0, 31_016, OUTSIDE.replace("30000-32767", "31000-31015"))]);
  });
});

void suite("31000 to 31063", () => {
  let subject: Subject;
  let services: Services;
  before(async () => {
    subject = await startSubject({ nodePortRange: { first: 31_000, last: 31_063 } });
    services = new Services(subject);
  });
  after(() => subject.close());

  void test("SVC-146: of sixty-four ports the lower sixteen are found last", async () => {
    const take = async (count: number): Promise<number[]> => {
      const found: number[] = [];
      for (let index = 0; index < count; index++) found.push((await services.made(NODE_PORT)).spec.ports[0].nodePort);
      return found.sort((a, b) => a - b);
    };
    assert.deepEqual(
      await take(48),
      Array.from({ length: 48 }, (_, index) => 31_016 + index),
    );
    assert.deepEqual(
      await take(16),
      Array.from({ length: 16 }, (_, index) => 31_000 + index),
    );
  });
});
