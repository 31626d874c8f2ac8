import { deepEqual, equal } from "node:assert/strict";
import { test } from "node:test";
import type { EndpointSlice } from "../../api/generated/types.ts";
import { keyOf } from "../../api/object.ts";
import { at, ends, planOf, slice, tracker, web } from "../../../test/proxy/plan-examples.ts";
import type { ServicePlan } from "./plan.ts";

// What belongs together, and what is a change.

const cluster = (plan: ServicePlan | undefined): string => ends(plan?.ports[0]?.cluster);

test("a slice of an earlier Service of the same name leads nowhere", () => {
  const owned = (uid: string): Partial<EndpointSlice> => ({
    metadata: {
      name: `web-${uid}`,
      namespace: "default",
      labels: { "kubernetes.io/service-name": "web" },
      ownerReferences: [{ apiVersion: "v1", kind: "Service", name: "web", uid, controller: true }],
    },
  });
  const service = web();
  const found = planOf({ ...service, metadata: { ...service.metadata, uid: "new" } }, [
    slice([at(1)], "", owned("old")),
    slice([at(2)], "", owned("new")),
    slice([at(3)], "by-hand"),
  ]);
  equal(cluster(found), "2 3");
});

test("PRX-045, CTL-096: a Service nobody made endpoints for refuses, until somebody does", () => {
  const one = tracker();
  one.setService("default/web", web());
  equal(cluster(one.replan().get("default/web")), "reject");
  one.setSlice("default/web-1", slice([at(1)]));
  equal(cluster(one.replan().get("default/web")), "1");
});

test("CTL-045, CTL-094, CTL-097: slices are used together whoever made them, when they say the Service and its port", () => {
  const made = (by: string | undefined, service = "web"): Partial<EndpointSlice> => ({
    metadata: {
      name: `${service}-of-${by}`,
      namespace: "default",
      labels: {
        "kubernetes.io/service-name": service,
        ...(by === undefined ? {} : { "endpointslice.kubernetes.io/managed-by": by }),
      },
      ownerReferences:
        by === "endpointslicemirroring-controller.k8s.io"
          ? [{ apiVersion: "v1", kind: "Endpoints", name: "web", uid: "endpoints-1", controller: true }]
          : undefined,
    },
  });
  const all = [
    slice([at(1)], "", made("endpointslice-controller.k8s.io")),
    slice([at(2)], "", made("endpointslicemirroring-controller.k8s.io")),
    slice([at(3)], "", made("people.example.com")),
    slice([at(4)], "", made(undefined)),
    slice([at(5)], "", made("people.example.com", "other")),
    slice([at(6)], "unlabelled", { metadata: { name: "unlabelled", namespace: "default" } }),
    slice([at(7)], "misnamed", { ports: [{ name: "https", port: 8080, protocol: "TCP" }] }),
  ];
  equal(cluster(planOf(web(), all)), "1 2 3 4");
  const unnamed = slice([at(8)], "unnamed", { ports: [{ name: "", port: 9, protocol: "TCP" }] });
  equal(cluster(planOf(web({ ports: [{ port: 80 }] }), [...all, unnamed])), "8");
});

test("PRX-014: a slice may come before its Service, and go after it", () => {
  const one = tracker();
  one.setSlice("default/web-1", slice([at(1)]));
  deepEqual([...one.replan()], []);
  one.setService("default/web", web());
  equal(cluster(one.replan().get("default/web")), "1");
  one.setService("default/web", undefined);
  deepEqual([...one.replan()], [["default/web", undefined]]);
  one.setSlice("default/web-1", undefined);
  deepEqual([...one.replan()], []);
});

test("PRX-016: only what alters the plan of a Service is a change", () => {
  const one = tracker();
  one.setService("default/web", web());
  one.setSlice("default/web-1", slice([at(1)]));
  one.replan();
  const unchanged = (what: string): void => deepEqual([...one.replan().keys()], [], what);
  one.setService("default/web", web({}, { annotations: { note: "x" } }));
  unchanged("an annotation of the Service");
  const metadata = { ...slice([]).metadata, annotations: { note: "x" }, resourceVersion: "9" };
  one.setSlice("default/web-1", slice([{ ...at(1), zone: "a", hostname: "x" }], "web-1", { metadata }));
  unchanged("what of a slice no proxy reads");
  one.setSlice("default/web-2", slice([at(1)], "web-2"));
  unchanged("an endpoint that is there");
  one.setSlice("default/web-2", slice([at(2)], "web-2", { metadata: { ...metadata, name: "web-2", labels: {} } }));
  unchanged("nobody's slice");
  one.setSlice("default/web-1", slice([at(2)]));
  equal(cluster(one.replan().get("default/web")), "2");
});

test("a slice that is given to another Service leaves the one and comes to the other", () => {
  const one = tracker();
  const other = web({ clusterIP: "10.96.0.2", clusterIPs: ["10.96.0.2"] }, { name: "other" });
  for (const service of [web(), other]) one.setService(keyOf(service), service);
  one.setSlice("default/web-1", slice([at(1)]));
  one.replan();
  const labels = { "kubernetes.io/service-name": "other" };
  one.setSlice("default/web-1", slice([at(1)], "web-1", { metadata: { ...slice([]).metadata, labels } }));
  const changed = one.replan();
  deepEqual([cluster(changed.get("default/web")), cluster(changed.get("default/other"))], ["reject", "1"]);
});
