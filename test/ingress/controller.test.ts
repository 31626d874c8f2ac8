import { deepEqual, equal, match, notEqual, ok } from "node:assert/strict";
import { test } from "node:test";
import { isDeepStrictEqual } from "node:util";
import { ApiError } from "../../src/api/status.ts";
import type { Client } from "../../src/client/client.ts";
import { tokenOf } from "../../src/ingress/affinity/token.ts";
import { createPlanner } from "../../src/ingress/plan/planner.ts";
import { matchHost, matchRoute } from "../../src/ingress/plan/match.ts";
import type { EndpointPlan } from "../../src/ingress/plan/plan.ts";
import { until } from "../lab/until.ts";
import { controllerWorld, cookieSecret, type Started } from "./controller-world.ts";
import { ingress, ingressClass, pod, rule, secret, service, slice, tlsSecret } from "./plan-examples.ts";

const web = ingress({ rules: [rule("a.example", "/")] });

/** Endpoints of the backend that a request goes to; undefined without a route. */
const served = ({ engine }: Started, host: string, path = "/"): string | undefined => {
  const { plan } = engine;
  const found = plan === undefined ? undefined : matchHost(plan, host);
  const route = found === undefined ? undefined : matchRoute(found, path);
  if (route === undefined) return undefined;
  const backend = route.backend === undefined ? undefined : plan?.backends.get(route.backend);
  return backend === undefined ? "503" : `${backend.service} ${backend.endpoints.map(({ key }) => key).join()}`;
};
/** The answer, once it is as wanted. */
const eventually = async <T>(what: string, ask: () => Promise<T> | T, holds: (answer: T) => boolean): Promise<T> => {
  const found = await until(what, async () => {
    const answer = await ask();
    return holds(answer) ? { answer } : undefined;
  });
  return found.answer;
};
const becomes = (what: string, ask: () => unknown, wanted: unknown): Promise<unknown> =>
  eventually(`${what} to be ${JSON.stringify(wanted)}`, ask, (is) => isDeepStrictEqual(is, wanted));

test("CTL-153: Ingresses, Services, slices, Secrets and classes that change are carried without a restart", async (t) => {
  const world = await controllerWorld(t);
  await world.put(service(), slice([pod(1)]), web);
  const started = await world.start();
  equal(served(started, "a.example"), "web pod-1");

  await world.put(slice([pod(1), pod(2)]));
  await becomes("slices", () => served(started, "a.example"), "web pod-1,pod-2");
  await world.put(ingress({ rules: [rule("b.example", "/x")] }));
  await becomes("the Ingress", () => [served(started, "a.example"), served(started, "b.example", "/x")], [
    undefined,
    "web pod-1,pod-2",
  ]);
  await world.remove(service());
  await becomes("the Service", () => served(started, "b.example", "/x"), "503");
  await world.put(service());
  await becomes("the Service", () => served(started, "b.example", "/x"), "web pod-1,pod-2");

  await world.put(ingress({ rules: [rule("b.example", "/x")], tls: [{ hosts: ["b.example"], secretName: "b-tls" }] }));
  await eventually(
    "the fault",
    () => world.told("web"),
    (all) => all.some((one) => one.startsWith("CertificateNotFound")),
  );
  await world.put(await tlsSecret("b-tls", "b.example"));
  const chain = (): string | undefined => started.engine.plan?.certificates.get("b.example")?.chain;
  const first = await eventually("the certificate", chain, (is) => is !== undefined);
  await world.put(await tlsSecret("b-tls", "b.example"));
  await eventually("another certificate", chain, (is) => is !== undefined && is !== first);

  await world.put(ingress({ ingressClassName: "second", rules: [rule("b.example", "/x")] }));
  await becomes("the unknown class", () => started.engine.plan?.hosts.size, 0);
  await world.put(ingressClass("second"));
  await becomes("the class", () => served(started, "b.example", "/x"), "web pod-1,pod-2");
  await world.remove(web);
  await becomes("the deletion", () => started.engine.plan?.hosts.size, 0);
});

test("CTL-140: where no certificate is given there is one that was made here, the same in every plan", async (t) => {
  const world = await controllerWorld(t);
  const { engine } = await world.start();
  const made = engine.plan?.certificates.get("");
  equal(made?.secret, "");
  match(made?.chain ?? "", /^-----BEGIN CERTIFICATE-----/);
  await world.put(service(), web);
  await becomes("the host", () => engine.plan?.hosts.size, 1);
  equal(engine.plan?.certificates.get(""), made);
});

test("CTL-152: the address where we are exposed is written to what is ours, and taken away when it is ours no more", async (t) => {
  const world = await controllerWorld(t);
  const foreign = ingress({ ingressClassName: "nginx", rules: [rule("b.example", "/")] }, { name: "foreign" });
  await world.put(service(), web, foreign, ingressClass("nginx", "k8s.io/ingress-nginx"));
  const theirs = await world.ingress("foreign");
  const { resourceVersion } = await world.client
    .updateStatus(
      { group: "networking.k8s.io", version: "v1", plural: "ingresses", kind: "Ingress", namespaced: true },
      { ...theirs, status: { loadBalancer: { ingress: [{ ip: "192.0.2.10" }] } } },
    )
    .then(({ metadata }) => metadata);
  await world.start();
  const addresses = async (name = "web") => (await world.ingress(name)).status?.loadBalancer?.ingress;
  await becomes("the address", () => addresses(), [{ ip: "192.0.2.10" }]);

  await world.put(ingress({ ingressClassName: "nginx", rules: [rule("a.example", "/")] }));
  await eventually(
    "no address",
    () => addresses(),
    (is) => is === undefined || is.length === 0,
  );
  await world.put(web);
  await becomes("the address", () => addresses(), [{ ip: "192.0.2.10" }]);
  equal((await world.ingress("foreign")).metadata.resourceVersion, resourceVersion, "what is not ours is left alone");
});

test("CTL-152: what was written in an earlier life is taken away too", async (t) => {
  const world = await controllerWorld(t);
  await world.put(service(), web, ingressClass("nginx", "k8s.io/ingress-nginx"));
  const first = await world.start({ identity: "same" });
  const addresses = async () => (await world.ingress("web")).status?.loadBalancer?.ingress ?? [];
  await becomes("the address", addresses, [{ ip: "192.0.2.10" }]);
  await first.controller.stop();
  await world.put(ingress({ ingressClassName: "nginx", rules: [rule("a.example", "/")] }));
  deepEqual(await addresses(), [{ ip: "192.0.2.10" }]);
  await world.start({ identity: "same" });
  await becomes("no address", addresses, []);
});

test("CTL-152: the addresses of the Service that exposes us are followed", async (t) => {
  const world = await controllerWorld(t);
  const door = service(
    "door",
    { clusterIP: "10.96.0.9", clusterIPs: ["10.96.0.9"], type: "LoadBalancer" },
    "kube-system",
  );
  await world.put(service(), web, door);
  await world.start({ exposure: { service: "kube-system/door" }, namespace: "default" });
  const resource = { group: "", version: "v1", plural: "services", kind: "Service", namespaced: true };
  const at = { namespace: "kube-system", name: "door" };
  const addresses = async () => (await world.ingress("web")).status?.loadBalancer?.ingress;
  await becomes("its inner address", addresses, [{ ip: "10.96.0.9" }]);
  const status = { loadBalancer: { ingress: [{ hostname: "door.example" }] } };
  await world.client.patch(resource, at, "merge", { status }, { subresource: "status" });
  await becomes("its outer name", addresses, [{ hostname: "door.example" }]);
});

test("CTL-150: an Ingress of an unknown class gets no status", async (t) => {
  const world = await controllerWorld(t);
  await world.put(
    service(),
    web,
    ingress({ ingressClassName: "unknown", rules: [rule("b.example", "/")] }, { name: "unknown" }),
  );
  await world.start();
  await eventually(
    "ours",
    () => world.ingress("web"),
    ({ status }) => status?.loadBalancer?.ingress !== undefined,
  );
  equal((await world.ingress("unknown")).status?.loadBalancer?.ingress, undefined);
});

test("faults are told as events that name the field, once, and two that claim one path hear who has it", async (t) => {
  const world = await controllerWorld(t);
  await world.put(service(), web, ingress({ rules: [rule("a.example", "/", "/x missing:80")] }, { name: "zz" }));
  const started = await world.start();
  const expected = [
    /^BackendNotFound spec\.rules\[0\]\.http\.paths\[1\]\.backend\.service\.name: there is no Service default\/missing; its requests are answered 503 until there is one$/,
    /^PathConflict spec\.rules\[0\]\.http\.paths\[0\]\.path: Ingress default\/web, which is .*, has path \/ \(prefix\) of host a\.example already; this one gets no requests$/,
  ];
  const areTold = (all: readonly string[]): boolean =>
    all.length === expected.length && all.every((one, at) => expected[at]!.test(one));
  await eventually("the events", () => world.told("zz"), areTold);
  await world.put(slice([pod(1)]));
  await becomes("another plan", () => served(started, "a.example"), "web pod-1");
  await world.put(service("missing"));
  await becomes("the Service", () => served(started, "a.example", "/x"), "missing ");
  ok(areTold(await world.told("zz")));
  deepEqual(await world.told("web"), []);
});

test("of two replicas one writes status and events, and when it ends the other does, with the same cookies", async (t) => {
  const world = await controllerWorld(t);
  await world.put(service(), slice([pod(1)]), web);
  const first = await world.start({ identity: "first" });
  const holder = async () => (await world.lease()).spec?.holderIdentity;
  await becomes("the holder", () => holder().catch(() => undefined), "first");
  const second = await world.start({ identity: "second", exposure: { addresses: ["192.0.2.20"] } });
  await becomes("the address", async () => (await world.ingress("web")).status?.loadBalancer?.ingress, [
    { ip: "192.0.2.10" },
  ]);
  const tokens = ({ engine }: Started): readonly string[] | undefined =>
    [...(engine.plan?.backends.values() ?? [])].flatMap(({ endpoints }): readonly EndpointPlan[] => endpoints)[0]
      ?.tokens;
  const key = Buffer.from((await cookieSecret(world.client)).data?.["key"] ?? "", "base64");
  deepEqual(tokens(first), [tokenOf(key, "pod-1")]);
  deepEqual(tokens(second), tokens(first));

  await world.put(ingress({ rules: [rule("b.example", "/ missing:80")] }, { name: "bad" }));
  await eventually(
    "the event",
    () => world.told("bad"),
    (all) => all.length === 1,
  );
  await first.controller.stop();
  await becomes("the holder", holder, "second");
  await becomes("the address", async () => (await world.ingress("web")).status?.loadBalancer?.ingress, [
    { ip: "192.0.2.20" },
  ]);
  await world.put(ingress({ rules: [rule("c.example", "/ missing:80")] }, { name: "worse" }));
  await eventually(
    "the event",
    () => world.told("worse"),
    (all) => all.length === 1,
  );
});

test("one plan is carried at a time, what changes meanwhile is the next one, and a plan that fails is tried again", async (t) => {
  const world = await controllerWorld(t);
  await world.put(service(), web);
  const applied: number[] = [];
  const started = await world.start({ onApplied: (seconds) => applied.push(seconds) });
  const { engine } = started;
  const before = engine.plans.length;
  const gate = Promise.withResolvers<void>();
  engine.until = gate.promise;
  await world.put(slice([pod(1)]));
  await eventually(
    "the engine to be at it",
    () => engine.underWay,
    (count) => count === 1,
  );
  for (let number = 2; number < 9; number += 1) await world.put(slice([pod(number)]));
  await world.put(ingress({ rules: [rule("b.example", "/")] }, { name: "b" }));
  gate.resolve();
  await becomes("the last", () => [served(started, "a.example"), served(started, "b.example")], [
    "web pod-8",
    "web pod-8",
  ]);
  equal(engine.most, 1);
  ok(engine.plans.length <= before + 3, `${engine.plans.length - before} plans for what came at once`);
  equal(applied.length, engine.plans.length);
  ok(applied.every((seconds) => seconds >= 0 && seconds < 60));

  engine.refuses = 2;
  await world.put(slice([pod(9)]));
  await becomes("the plan after failures", () => served(started, "a.example"), "web pod-9");
  equal(started.complaints.filter((one) => one.includes("carrying a plan failed")).length, 2);
});

test("while the API server is away the last plan stays, and what changed meanwhile comes after", async (t) => {
  const world = await controllerWorld(t);
  await world.put(service(), slice([pod(1)]), web);
  const started = await world.start();
  await world.stopServer();
  await eventually(
    "it to be noticed",
    () => started.complaints.length,
    (count) => count > 0,
  );
  equal(served(started, "a.example"), "web pod-1");
  await world.startServer();
  await world.put(slice([pod(2)]));
  await becomes("what changed", () => served(started, "a.example"), "web pod-2");
});

const auth = (name: string) => ({
  "nginx.ingress.kubernetes.io/auth-type": "basic",
  "nginx.ingress.kubernetes.io/auth-secret": name,
});
const users = (name: string, user: string) => secret(name, { auth: `${user}:{PLAIN}word\n` }, "Opaque");
const usersOf = ({ engine }: Started): string[] | undefined => {
  const settings = engine.plan?.hosts.get("a.example")?.routes[0]?.settings;
  return settings?.refused === undefined ? [...(settings?.basicAuth?.users.keys() ?? [])] : ["refused"];
};

test("a Secret is read when somebody refers to it, however late, and followed from then on", async (t) => {
  const world = await controllerWorld(t);
  await world.put(service(), web, users("early", "anna"), users("late", "berta"));
  const started = await world.start();
  await world.put({ ...web, metadata: { ...web.metadata, annotations: auth("early") } });
  await becomes("the first Secret's", () => usersOf(started), ["anna"]);
  await world.put({ ...web, metadata: { ...web.metadata, annotations: auth("late") } });
  await becomes("the other Secret's", () => usersOf(started), ["berta"]);
  await world.put(users("late", "clara"));
  await becomes("its change", () => usersOf(started), ["clara"]);
  await world.remove(users("late", "clara"));
  await becomes("its end", () => usersOf(started), ["refused"]);
  equal(
    started.engine.plans.some((plan) => plan.hosts.get("a.example")?.routes[0]?.settings.refused !== undefined),
    true,
  );
  await world.put(users("late", "dora"));
  await becomes("another of its name", () => usersOf(started), ["dora"]);
  const refused = started.engine.plans.filter((plan) => plan.hosts.get("a.example")?.routes[0]?.settings.refused);
  equal(refused.length, 1, "only while it was not there");
});

test("a ConfigMap is read when somebody refers to it", async (t) => {
  const world = await controllerWorld(t);
  const map = (value: string) => ({
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { namespace: "default", name: "headers" },
    data: { "X-One": value },
  });
  const annotations = {
    "nginx.ingress.kubernetes.io/auth-proxy-set-headers": "headers",
    "nginx.ingress.kubernetes.io/auth-url": "http://auth.example/",
  };
  await world.put(service(), map("1"), web);
  const started = await world.start();
  await world.put({ ...web, metadata: { ...web.metadata, annotations } });
  const headers = () => started.engine.plan?.hosts.get("a.example")?.routes[0]?.settings.externalAuth?.requestHeaders;
  await becomes("the header", headers, [{ name: "X-One", value: "1" }]);
  await world.put(map("2"));
  await becomes("its change", headers, [{ name: "X-One", value: "2" }]);
});

/** A client that may not read a resource. */
const forbidding =
  (...plurals: readonly string[]) =>
  (client: Client): Client => {
    const judge = (plural: string): void => {
      if (!plurals.includes(plural)) return;
      throw new ApiError("Forbidden", `${plural} is forbidden`);
    };
    return {
      ...client,
      get heardAt() {
        return client.heardAt ?? 0;
      },
      list: async (resource, ...rest) => (judge(resource.plural), client.list(resource, ...rest)),
      get: async (resource, ...rest) => (judge(resource.plural), client.get(resource, ...rest)),
    };
  };

test("where Secrets, ConfigMaps and the Lease may not be read, that is said, and all else is served", async (t) => {
  const world = await controllerWorld(t);
  const certified = ingress({ rules: [rule("a.example", "/")], tls: [{ hosts: ["a.example"], secretName: "a-tls" }] });
  const secured = ingress({ rules: [rule("b.example", "/")] }, { name: "b", annotations: auth("users") });
  await world.put(
    service(),
    slice([pod(1)]),
    await tlsSecret("a-tls", "a.example"),
    users("users", "anna"),
    certified,
    secured,
  );
  const started = await world.start({}, forbidding("secrets", "leases"));
  equal(served(started, "a.example"), "web pod-1");
  notEqual(started.engine.plan?.hosts.get("b.example")?.routes[0]?.settings.refused, undefined);
  equal(started.engine.plan?.certificates.has("a.example"), false);
  await eventually(
    "the Lease",
    () => started.complaints,
    (all) => all.some((one) => one.startsWith("the Lease may not be had")),
  );
  equal(started.complaints.filter((one) => one.startsWith("secrets may not be read; every host has")).length, 1);
});

test("an Ingress that cannot be read holds nobody else up, and hears of it", async (t) => {
  const world = await controllerWorld(t);
  await world.put(service(), slice([pod(1)]), web, ingress({ rules: [rule("odd.example", "/")] }, { name: "odd" }));
  const started = await world.start({
    planner: (given) =>
      createPlanner({
        ...given,
        annotations(one, view) {
          if (one.metadata.name === "odd") throw new TypeError("nobody foresaw this");
          return given.annotations(one, view);
        },
      }),
  });
  equal(served(started, "a.example"), "web pod-1");
  equal(served(started, "odd.example"), undefined);
  await world.put(ingress({ rules: [rule("b.example", "/")] }, { name: "b" }));
  await becomes("another Ingress", () => served(started, "b.example"), "web pod-1");
  await eventually(
    "the event",
    () => world.told("odd"),
    (all) => all.some((one) => one.startsWith("InternalError spec: ")),
  );
  ok(
    started.complaints.some(
      (one) => one.startsWith("planning failed for one object") && one.includes("Ingress default/odd"),
    ),
  );
});

test("a planner that fails is made anew, and what changed meanwhile is carried", async (t) => {
  const world = await controllerWorld(t);
  await world.put(service(), slice([pod(1)]), web);
  let made = 0;
  let isBroken = false;
  const started = await world.start({
    planner(given) {
      made += 1;
      const planner = createPlanner(given);
      return {
        plan(view, changed) {
          const planned = planner.plan(view, changed);
          if (!isBroken) return planned;
          isBroken = false;
          throw new Error("half of a change");
        },
      };
    },
  });
  const before = made;
  isBroken = true;
  await world.put(slice([pod(2)]));
  await becomes("the change", () => served(started, "a.example"), "web pod-2");
  equal(made, before + 1);
  equal(started.complaints.filter((one) => one.includes("carrying a plan failed")).length, 1);
});
