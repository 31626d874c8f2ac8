import { deepEqual, equal, match, notEqual } from "node:assert/strict";
import { test } from "node:test";
import type { KubeObject } from "../../api/object.ts";
import {
  Cluster,
  ingress,
  ingressClass,
  options,
  planned,
  pod,
  rule,
  service,
  slice,
} from "../../../test/ingress/plan-examples.ts";
import { matchHost, matchRoute } from "./match.ts";
import type { IngressPlan, RoutePlan } from "./plan.ts";
import { createPlanner, type Planned } from "./planner.ts";

const routeOf = (plan: IngressPlan, host: string, path = "/"): RoutePlan | undefined => {
  const found = matchHost(plan, host);
  return found === undefined ? undefined : matchRoute(found, path);
};

/** The Service that a request goes to; undefined where there is no route, `503` where it has no backend. */
const served = ({ plan }: Planned, host: string, path = "/"): string | undefined => {
  const route = routeOf(plan, host, path);
  if (route === undefined) return undefined;
  return route.backend === undefined ? "503" : plan.backends.get(route.backend)?.service;
};

const faultsOf = ({ faults }: Planned, key = "default/web"): string[] =>
  (faults.get(key) ?? []).map(({ field, reason }) => `${reason} ${field}`);
const messageOf = ({ faults }: Planned, key = "default/web"): string => faults.get(key)?.[0]?.message ?? "";

const one = (paths: readonly string[], ...rest: readonly KubeObject[]): Planned =>
  planned([...rest, ingress({ rules: [rule("a.example", ...paths)] })]);

test("CTL-149: an Ingress is ours by its class' controller, or by the old annotation that names such a class", () => {
  const rules = [rule("a.example", "/")];
  const legacy = (value: string) => ({ annotations: { "kubernetes.io/ingress.class": value } });
  const all = [
    ingressClass("nginx", "k8s.io/ingress-nginx"),
    ingressClass("mine"),
    ingress({ rules, ingressClassName: "mine" }, { name: "field" }),
    ingress({ rules, ingressClassName: "nginx" }, { name: "foreign" }),
    ingress({ rules, ingressClassName: undefined }, { name: "legacy", ...legacy("mine") }),
    ingress({ rules, ingressClassName: undefined }, { name: "legacy-foreign", ...legacy("nginx") }),
    ingress({ rules, ingressClassName: "nginx" }, { name: "both", ...legacy("mine") }),
  ];
  deepEqual([...planned(all).ours.keys()].sort(), ["default/both", "default/field", "default/legacy"]);
});

test("CTL-150: an Ingress of an unknown class is nobody's", () => {
  const { ours, plan, faults } = planned([ingress({ ingressClassName: "unknown", rules: [rule("a.example", "/")] })]);
  equal(ours.size + plan.hosts.size + faults.size, 0);
});

test("CTL-151: an Ingress without a class is ours when that is told, or when the default class is ours", () => {
  const without = ingress({ ingressClassName: undefined, rules: [rule("a.example", "/")] });
  const isOurs = (objects: readonly KubeObject[], withoutClass = false): boolean =>
    planned([...objects, without], { withoutClass }).ours.size === 1;
  equal(isOurs([]), false);
  equal(isOurs([], true), true);
  equal(isOurs([ingressClass("mine", undefined, true)]), true);
  equal(isOurs([ingressClass("nginx", "k8s.io/ingress-nginx", true)]), false);
  const newer = ingressClass("zz", "k8s.io/ingress-nginx", true);
  newer.metadata.creationTimestamp = "2026-01-01T00:00:00Z";
  equal(isOurs([ingressClass("mine", undefined, true), newer]), false, "the newest default counts");
});

test("the old annotation means us by our name though there is no such class, unless the class is somebody else's", () => {
  const annotated = ingress({ ingressClassName: undefined, rules: [rule("a.example", "/")] });
  annotated.metadata.annotations = { "kubernetes.io/ingress.class": "door" };
  const isOurs = (objects: readonly KubeObject[], named?: string): boolean =>
    planned([...objects, annotated], { ingressClass: named }).ours.size === 1;
  equal(isOurs([], "door"), true);
  equal(isOurs([], "other"), false);
  equal(isOurs([ingressClass("door", "k8s.io/ingress-nginx")], "door"), false);
  equal(isOurs([ingressClass("door")]), true);
});

test("CTL-135: Ingresses of one host are merged", () => {
  const all = planned([
    service(),
    service("api"),
    ingress({ rules: [rule("a.example", "/")] }),
    ingress({ rules: [rule("A.example", "/api api:80")] }, { name: "api" }),
  ]);
  equal(served(all, "a.example", "/x"), "web");
  equal(served(all, "a.example", "/api/x"), "api");
  equal(all.faults.size, 0);
});

test("CTL-136: what no rule matches goes to the default backend of the Ingress, of its hosts and of hosts that nobody has", () => {
  const { defaultBackend } = { defaultBackend: { service: { name: "rest", port: { number: 80 } } } };
  const all = planned([
    service(),
    service("rest"),
    ingress({ defaultBackend, rules: [rule("a.example", "/foo")] }),
    ingress({ rules: [rule("b.example", "/foo")] }, { name: "other" }),
  ]);
  equal(served(all, "a.example", "/foo"), "web");
  equal(served(all, "a.example", "/bar"), "rest");
  equal(served(all, "nobody.example"), "rest");
  equal(served(all, "b.example", "/bar"), undefined, "a host of others is not its");
  const alone = planned([service("rest"), ingress({ defaultBackend })]);
  equal(served(alone, "any.example", "/any"), "rest");
});

test("CTL-136: an Ingress with a default backend alone has hosts that nobody has before one with rules", () => {
  const rest = (name: string) => ({ service: { name, port: { number: 80 } } });
  const all = planned([
    service(),
    service("old"),
    service("new"),
    ingress({ defaultBackend: rest("old"), rules: [rule("a.example", "/foo")] }, { name: "old" }),
    ingress({ defaultBackend: rest("new") }, { name: "new", at: 10 }),
    ingress({ defaultBackend: rest("web") }, { name: "third", at: 20 }),
  ]);
  equal(served(all, "nobody.example"), "new");
  equal(served(all, "a.example", "/bar"), "old");
  deepEqual(faultsOf(all, "default/old"), []);
  deepEqual(faultsOf(all, "default/third"), ["DefaultBackendConflict spec.defaultBackend"]);
  match(messageOf(all, "default/third"), /Ingress default\/new, which is older/);
});

test("CTL-136: the controller's own default backend is last, for hosts that somebody has too", () => {
  const objects = [service(), service("own"), ingress({ rules: [rule("a.example", "/foo")] })];
  const all = planned(objects, { defaultBackend: "default/own" });
  equal(served(all, "a.example", "/foo"), "web");
  equal(served(all, "a.example", "/bar"), "own");
  equal(served(all, "nobody.example"), "own");
  equal(served(planned(objects), "nobody.example"), undefined, "404 without one");
  const missing = planned(objects, { defaultBackend: "default/missing" });
  equal(served(missing, "nobody.example"), "503");
  match(missing.remarks.join(), /there is no Service default\/missing/);
});

test("CTL-137: a rule without paths sends all of its host to the default backend", () => {
  const defaultBackend = { service: { name: "rest", port: { number: 80 } } };
  const rules = [{ host: "a.example" }];
  equal(served(planned([service("rest"), ingress({ defaultBackend, rules })]), "a.example", "/any"), "rest");
  const bare = planned([service(), ingress({ rules }), ingress({ rules: [rule("", "/")] }, { name: "any" })]);
  equal(served(bare, "a.example"), undefined, "without one nobody else has it either");
  equal(served(bare, "b.example"), "web");
});

test("CTL-138: a port is found by number or name of the Service's, never by its target", () => {
  const web = service();
  equal(served(one(["/ web:80"], web), "a.example"), "web");
  equal(served(one(["/ web:http"], web), "a.example"), "web");
  for (const port of ["8080", "https"]) {
    const all = one([`/ web:${port}`], web);
    equal(served(all, "a.example"), "503");
    const kind = port === "https" ? "name" : "number";
    deepEqual(faultsOf(all), [`BackendPortNotFound spec.rules[0].http.paths[0].backend.service.port.${kind}`]);
    match(messageOf(all), new RegExp(`has no TCP port "${port}", only http \\(80\\); its requests are answered 503`));
  }
});

test("CTL-138: a Service that is another name has that name as its endpoint, unless it means this machine", () => {
  const external = (externalName: string, ports?: object[]) =>
    service("web", {
      type: "ExternalName",
      externalName,
      clusterIP: undefined,
      clusterIPs: undefined,
      ports: ports as [],
    });
  const all = one(["/ web:8443"], external("db.example."));
  deepEqual([...all.plan.backends.values()][0]?.endpoints, [
    {
      key: "db.example:8443",
      address: "db.example",
      port: 8443,
      tokens: ["token of db.example:8443"],
      state: "serving",
      weight: 100,
    },
  ]);
  const named = one(["/ web:http"], external("db.example", [{ name: "http", port: 81 }]));
  equal([...named.plan.backends.values()][0]?.endpoints[0]?.port, 81);
  deepEqual(faultsOf(one(["/ web:http"], external("db.example"))), [
    "BackendPortNotFound spec.rules[0].http.paths[0].backend.service.port.name",
  ]);
  for (const near of [
    "localhost",
    "LOCALHOST.",
    "a.localhost",
    "127.0.0.1",
    "127.1.2.3",
    "0.0.0.0",
    "169.254.169.254",
  ]) {
    const refused = one(["/ web:80"], external(near));
    equal(served(refused, "a.example"), "503", near);
    deepEqual(faultsOf(refused), ["BackendRefused spec.rules[0].http.paths[0].backend.service.name"]);
  }
});

test("CTL-138: a backend that is no Service is a fault", () => {
  const rules = [
    {
      host: "a.example",
      http: { paths: [{ path: "/", pathType: "Prefix", backend: { resource: { kind: "Bucket", name: "b" } } }] },
    },
  ];
  const all = planned([ingress({ rules })]);
  deepEqual(faultsOf(all), ["BackendNotSupported spec.rules[0].http.paths[0].backend.resource"]);
  match(messageOf(all), /the backend is a Bucket b; only Services can be served/);
  equal(served(all, "a.example"), "503");
});

test("CTL-139: without a Service there is no backend and a fault, without endpoints an empty backend and none", () => {
  const missing = one(["/x missing:80", "/ web:80"], service());
  equal(served(missing, "a.example", "/x"), "503");
  equal(served(missing, "a.example"), "web", "other paths are served");
  deepEqual(faultsOf(missing), ["BackendNotFound spec.rules[0].http.paths[0].backend.service.name"]);
  equal(messageOf(missing), "there is no Service default/missing; its requests are answered 503 until there is one");
  deepEqual(
    [...missing.plan.backends.values()].map(({ endpoints }) => endpoints.length),
    [0],
  );
});

test("two Ingresses that claim one path: the oldest has it, of one second the first by name, and the others hear whose it is", () => {
  const rules = (name: string) => [rule("a.example", `/foo ${name}:80`, `Exact /foo ${name}:80`)];
  const all = planned([
    service("one"),
    service("two"),
    service("three"),
    ingress({ rules: rules("three") }, { name: "a-three", at: 9 }),
    ingress({ rules: rules("two") }, { name: "two", at: 5 }),
    ingress({ rules: [rule("a.example", "ImplementationSpecific /foo/ one:80")] }, { name: "one", at: 5 }),
  ]);
  equal(served(all, "a.example", "/foo/x"), "one");
  equal(served(all, "a.example", "/foo"), "two");
  deepEqual(faultsOf(all, "default/one"), []);
  deepEqual(faultsOf(all, "default/two"), ["PathConflict spec.rules[0].http.paths[0].path"]);
  equal(
    messageOf(all, "default/two"),
    "Ingress default/one, which is as old and first by its name, has path /foo (prefix) of host a.example already; this one gets no requests",
  );
  equal(faultsOf(all, "default/a-three").length, 2);
  match(messageOf(all, "default/a-three"), /^Ingress default\/one, which is older, has path/);
  const own = one(["/foo", "/foo/"], service());
  match(messageOf(own), /^spec.rules\[0\].http.paths\[0\] of this Ingress has path \/foo/);
});

test("CTL-154: affinity is of the paths of its Ingress alone", () => {
  const says = {
    affinity: {
      name: "INGRESSCOOKIE",
      mode: "balanced" as const,
      canaryBehavior: "sticky" as const,
      path: undefined,
      domain: undefined,
      sameSite: undefined,
      conditionalSameSiteNone: false,
      maxAge: undefined,
      expires: undefined,
      secure: undefined,
      changeOnFailure: false,
    },
  };
  const { plan } = planned([
    service(),
    ingress({ rules: [rule("a.example", "/shop", "/")] }, { says }),
    ingress({ rules: [rule("a.example", "/other")] }, { name: "other" }),
  ]);
  equal(routeOf(plan, "a.example", "/shop/1")?.affinity?.path, "/shop", "CTL-158: of the path that the rule says");
  equal(routeOf(plan, "a.example", "/")?.affinity?.path, "/");
  equal(routeOf(plan, "a.example", "/other")?.affinity, undefined);
});

test("CTL-157, CTL-158: what annotations say of a session's cookie is in the plan", () => {
  const annotations = {
    "nginx.ingress.kubernetes.io/affinity": "cookie",
    "nginx.ingress.kubernetes.io/session-cookie-path": "/all",
  };
  const { plan } = planned([service(), ingress({ rules: [rule("a.example", "/shop")] }, { annotations })]);
  const affinity = routeOf(plan, "a.example", "/shop")?.affinity;
  equal(affinity?.name, "INGRESSCOOKIE");
  equal(affinity?.path, "/all");
});

test("CTL-167: endpoints are the pods of the slices, whatever the Service's own affinity", () => {
  const web = service("web", { sessionAffinity: "ClientIP" });
  const { plan } = one(["/"], web, slice([pod(1), pod(2)]));
  deepEqual(
    [...plan.backends.values()],
    [
      {
        id: "default/web:80",
        namespace: "default",
        service: "web",
        port: "80",
        settings: { protocol: "HTTP", tls: undefined, balance: { algorithm: "round-robin" } },
        endpoints: [1, 2].map((number) => ({
          key: `pod-${number}`,
          address: `10.244.0.${number}`,
          port: 8080,
          tokens: [`token of pod-${number}`],
          state: "serving",
          weight: 100,
        })),
      },
    ],
  );
});

test("CTL-168: an alias has the routes of the host that it is an alias of, and so has a rule without host its sessions", () => {
  const annotations = {
    "nginx.ingress.kubernetes.io/affinity": "cookie",
    "nginx.ingress.kubernetes.io/server-alias": "B.example, *.c.example",
  };
  const { plan } = planned([
    service(),
    ingress({ rules: [rule("a.example", "/shop")] }, { annotations }),
    ingress({ rules: [rule("a.example", "/other")] }, { name: "other" }),
    ingress(
      { rules: [rule("", "/")] },
      { name: "any", annotations: { "nginx.ingress.kubernetes.io/affinity": "cookie" } },
    ),
  ]);
  for (const host of ["b.example", "x.c.example"]) {
    equal(routeOf(plan, host, "/shop"), routeOf(plan, "a.example", "/shop"));
    equal(routeOf(plan, host, "/other"), routeOf(plan, "a.example", "/other"));
  }
  notEqual(routeOf(plan, "b.example", "/shop")?.affinity, undefined);
  notEqual(routeOf(plan, "any.example")?.affinity, undefined);
});

test("an alias that is a host of its own, or another's alias already, is not served as one", () => {
  const annotations = { "nginx.ingress.kubernetes.io/server-alias": "b.example,c.example" };
  const all = planned([
    service(),
    service("own"),
    ingress({ rules: [rule("a.example", "/")] }, { annotations }),
    ingress({ rules: [rule("b.example", "/ own:80")] }, { name: "own", at: 9 }),
    ingress({ rules: [rule("d.example", "/ own:80")] }, { name: "later", at: 9, annotations }),
  ]);
  equal(served(all, "b.example"), "own");
  equal(served(all, "c.example"), "web");
  const field = "AliasConflict metadata.annotations[nginx.ingress.kubernetes.io/server-alias]";
  deepEqual(faultsOf(all), [field]);
  deepEqual(faultsOf(all, "default/later"), [field, field]);
});

test("the host with or without www. is sent to the one that there is", () => {
  const annotations = { "nginx.ingress.kubernetes.io/from-to-www-redirect": "true" };
  const { plan, faults } = planned([
    service(),
    ingress({ rules: [rule("a.example", "/"), rule("www.b.example", "/"), rule("c.example", "/")] }, { annotations }),
    ingress({ rules: [rule("www.c.example", "/")] }, { name: "other" }),
  ]);
  const redirect = (host: string) => routeOf(plan, host, "/any")?.settings.redirect;
  deepEqual(redirect("www.a.example"), { to: { host: "a.example" }, status: 308 });
  deepEqual(redirect("b.example"), { to: { host: "www.b.example" }, status: 308 });
  equal(redirect("a.example"), undefined);
  equal(redirect("www.c.example"), undefined);
  equal(faults.size, 0);
});

test("a canary gets a share of the route with its host and path, and none where there is no such route", () => {
  const canary = (weight: string) => ({
    "nginx.ingress.kubernetes.io/canary": "true",
    "nginx.ingress.kubernetes.io/canary-weight": weight,
  });
  const all = planned([
    service(),
    service("next"),
    ingress({ rules: [rule("a.example", "/", "/foo")] }),
    ingress(
      { rules: [rule("a.example", "/ next:80", "/bar next:80"), rule("b.example", "/ next:80")] },
      { name: "next", annotations: canary("20") },
    ),
  ]);
  deepEqual(routeOf(all.plan, "a.example", "/")?.canaries, [
    {
      ingress: { namespace: "default", name: "next" },
      backend: "default/next:80",
      header: undefined,
      cookie: undefined,
      weight: 20,
      total: 100,
    },
  ]);
  deepEqual(routeOf(all.plan, "a.example", "/foo")?.canaries, []);
  equal(all.plan.hosts.has("b.example"), false);
  deepEqual(faultsOf(all, "default/next"), [
    "CanaryWithoutMain spec.rules[0].http.paths[1].path",
    "CanaryWithoutMain spec.rules[1].http.paths[0].path",
  ]);
});

test("paths are expressions where the Ingress says so; one that is none is left out", () => {
  const annotations = { "nginx.ingress.kubernetes.io/use-regex": "true" };
  const all = planned([
    service(),
    ingress(
      {
        rules: [rule("a.example", "ImplementationSpecific /api/v[12]", "ImplementationSpecific /(", "Exact /x+", "/")],
      },
      { annotations },
    ),
  ]);
  equal(routeOf(all.plan, "a.example", "/API/v2/x")?.path, "/api/v[12]");
  equal(routeOf(all.plan, "a.example", "/api/v3")?.path, "/");
  equal(routeOf(all.plan, "a.example", "/xx")?.path, "/");
  equal(routeOf(all.plan, "a.example", "/x+")?.path, "/x+");
  deepEqual(faultsOf(all), ["PathRefused spec.rules[0].http.paths[1].path"]);
});

test("requests go to the Service's address where that is asked for, and it has one", () => {
  const annotations = { "nginx.ingress.kubernetes.io/service-upstream": "true" };
  const at = (spec: object) =>
    planned([service("web", spec), slice([pod(1)]), ingress({ rules: [rule("a.example", "/")] }, { annotations })]).plan
      .backends;
  deepEqual(
    [...at({}).values()][0]?.endpoints.map(({ key }) => key),
    ["10.96.0.1:80"],
  );
  deepEqual(
    [...at({ clusterIP: "None", clusterIPs: ["None"] }).values()][0]?.endpoints.map(({ key }) => key),
    ["pod-1"],
  );
});

test("a default backend of an Ingress' own answers where its backend has nobody", () => {
  const annotations = { "nginx.ingress.kubernetes.io/default-backend": "spare" };
  const objects = [
    service(),
    service("spare"),
    ingress({ rules: [rule("a.example", "/", "/x missing:80")] }, { annotations }),
  ];
  equal(served(planned(objects), "a.example"), "spare");
  equal(served(planned(objects), "a.example", "/x"), "spare");
  equal(served(planned([...objects, slice([pod(1)])]), "a.example"), "web");
});

test("error pages come from the Ingress' own default backend, else from the controller's", () => {
  const annotations = { "nginx.ingress.kubernetes.io/custom-http-errors": "503" };
  const rules = [rule("a.example", "/")];
  const pages = (all: Planned) => routeOf(all.plan, "a.example")?.settings.errorPages?.backend;
  const both = [service(), service("spare"), service("own")];
  const withOwn = { ...annotations, "nginx.ingress.kubernetes.io/default-backend": "spare" };
  const spare = planned([...both, ingress({ rules }, { annotations: withOwn })], { defaultBackend: "default/own" });
  equal(pages(spare), "default/spare:http");
  const own = planned([...both, ingress({ rules }, { annotations })], { defaultBackend: "default/own" });
  equal(pages(own), "default/own:http");
  equal(own.plan.backends.has("default/own:http"), true);
});

test("CTL-153: what a change touches is new, and everything else is the very same", () => {
  const cluster = new Cluster(
    service(),
    service("other"),
    slice([pod(1)]),
    ingress({ rules: [rule("a.example", "/", "/x other:80")] }),
    ingress({ rules: [rule("b.example", "/ other:80")] }, { name: "other" }),
  );
  const planner = createPlanner(options());
  const first = planner.plan(cluster, "everything");
  equal(planner.plan(cluster, []).plan, first.plan);
  equal(planner.plan(cluster, "everything").plan, first.plan);

  cluster.put(slice([pod(1), pod(2)]));
  const grown = planner.plan(cluster, ["slices default/web"]);
  equal(grown.plan.hosts, first.plan.hosts);
  equal(grown.plan.certificates, first.plan.certificates);
  notEqual(grown.plan.backends.get("default/web:80"), first.plan.backends.get("default/web:80"));
  equal(
    grown.plan.backends.get("default/web:80")?.endpoints[0],
    first.plan.backends.get("default/web:80")?.endpoints[0],
  );
  equal(grown.plan.backends.get("default/other:80"), first.plan.backends.get("default/other:80"));

  cluster.put(ingress({ rules: [rule("a.example", "/y", "/", "/x other:80")] }));
  const added = planner.plan(cluster, ["ingress default/web"]);
  equal(added.plan.backends, grown.plan.backends);
  equal(added.plan.hosts.get("b.example"), first.plan.hosts.get("b.example"));
  equal(routeOf(added.plan, "a.example", "/x"), routeOf(first.plan, "a.example", "/x"));
  equal(served(added, "a.example", "/y"), "web");

  cluster.remove("Service", "default/other");
  const lost = planner.plan(cluster, ["service default/other"]);
  equal(served(lost, "b.example"), "503");
  equal(lost.plan.backends.has("default/other:80"), false);
  deepEqual(faultsOf(lost, "default/other"), ["BackendNotFound spec.rules[0].http.paths[0].backend.service.name"]);

  cluster.put(ingressClass("fairlead", "somebody.else"));
  const none = planner.plan(cluster, ["class fairlead"]);
  equal(none.ours.size + none.plan.hosts.size + none.plan.backends.size + none.faults.size, 0);
});

test("a canary belongs to the route with its host and the text of its path, whichever of both says that it is an expression", () => {
  const canary = { "nginx.ingress.kubernetes.io/canary": "true", "nginx.ingress.kubernetes.io/canary-weight": "20" };
  const regex = { "nginx.ingress.kubernetes.io/use-regex": "true" };
  for (const [main, next] of [
    [regex, canary],
    [{}, { ...canary, ...regex }],
    [regex, { ...canary, ...regex }],
  ] as const) {
    const all = planned([
      service(),
      service("next"),
      ingress({ rules: [rule("a.example", "/foo/", "/bar", "Exact /exact")] }, { annotations: main }),
      ingress(
        { rules: [rule("a.example", "/foo/ next:80", "/bar next:80", "/exact next:80")] },
        { name: "next", annotations: next },
      ),
    ]);
    equal(routeOf(all.plan, "a.example", "/foo/")?.canaries.length, 1);
    equal(routeOf(all.plan, "a.example", "/bar")?.canaries.length, 1);
    equal(routeOf(all.plan, "a.example", "/exact")?.canaries.length, 0);
    deepEqual(faultsOf(all, "default/next"), ["CanaryWithoutMain spec.rules[0].http.paths[2].path"]);
  }
});

test("a canary whose protection cannot be done gets no requests, and says so; its main Ingress has them all", () => {
  const all = planned([
    service(),
    service("next"),
    ingress({ rules: [rule("a.example", "/")] }),
    ingress(
      { rules: [rule("a.example", "/ next:80")] },
      {
        name: "next",
        annotations: {
          "nginx.ingress.kubernetes.io/canary": "true",
          "nginx.ingress.kubernetes.io/canary-weight": "20",
          "nginx.ingress.kubernetes.io/backend-protocol": "HTTPS",
          "nginx.ingress.kubernetes.io/proxy-ssl-secret": "absent",
        },
      },
    ),
  ]);
  equal(served(all, "a.example"), "web");
  deepEqual(routeOf(all.plan, "a.example")?.canaries, []);
  match(messageOf(all, "default/next"), /there is no Secret default\/absent; this canary gets no requests$/);
});

test("an Ingress that the planner cannot read keeps what it said before, or is left out, and the others go on", () => {
  const odd = (name: string) => ingress({ rules: [rule(`${name}.example`, "/")] }, { name });
  const grief = new Set<string>();
  const failed: string[] = [];
  const usual = options();
  const planner = createPlanner({
    ...usual,
    annotations(one, view) {
      if (grief.has(one.metadata.name ?? "")) throw new TypeError("nobody foresaw this");
      return usual.annotations(one, view);
    },
    failed: (what, error) => failed.push(`${what}: ${String(error)}`),
  });
  const cluster = new Cluster(service(), slice([pod(1)]), odd("first"), odd("second"));
  grief.add("second");
  let all = planner.plan(cluster, "everything");
  equal(served(all, "first.example"), "web");
  equal(served(all, "second.example"), undefined);
  deepEqual(faultsOf(all, "default/second"), ["InternalError spec"]);
  match(messageOf(all, "default/second"), /nobody foresaw this; it is left out$/);
  deepEqual(failed, ["Ingress default/second: TypeError: nobody foresaw this"]);

  grief.clear();
  all = planner.plan(cluster, ["ingress default/second"]);
  equal(served(all, "second.example"), "web");
  equal(all.faults.size, 0);

  grief.add("first");
  cluster.put(ingress({ rules: [rule("other.example", "/")] }, { name: "first" }), odd("third"));
  for (let round = 0; round < 2; round += 1) {
    all = planner.plan(cluster, ["ingress default/first", "ingress default/third"]);
    equal(served(all, "first.example"), "web");
    equal(served(all, "other.example"), undefined);
    equal(served(all, "third.example"), "web");
    deepEqual(faultsOf(all, "default/first"), ["InternalError spec"]);
    match(messageOf(all, "default/first"), /what it said before stays$/);
  }
  grief.clear();
  all = planner.plan(cluster, ["service default/web"]);
  equal(served(all, "other.example"), "web", "what it was made of before changed, so it is read again");
  equal(all.faults.size, 0);
});

test("a backend that the planner cannot work out keeps what it was, and the others go on", () => {
  let isBroken = false;
  const planner = createPlanner({
    ...options(),
    tokensOf(key) {
      if (isBroken && key === "pod-2") throw new TypeError("nobody foresaw this");
      return [key];
    },
    failed: (what) => failed.push(what),
  });
  const failed: string[] = [];
  const cluster = new Cluster(service(), service("api"), slice([pod(1)]), ingress({ rules: [rule("a.example", "/")] }));
  planner.plan(cluster, "everything");
  isBroken = true;
  cluster.put(slice([pod(2)]), ingress({ rules: [rule("b.example", "/ api:80")] }, { name: "b" }));
  const all = planner.plan(cluster, ["slices default/web", "ingress default/b"]);
  deepEqual(
    all.plan.backends.get("default/web:80")?.endpoints.map(({ key }) => key),
    ["pod-1"],
  );
  equal(served(all, "b.example"), "api");
  deepEqual(failed, ["backend default/web:80"]);
});
