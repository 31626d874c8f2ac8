import { ok } from "node:assert/strict";
import { test } from "node:test";
import type { KubeObject } from "../../api/object.ts";
import { ingress, options, pod, rule, service, slice } from "../../../test/ingress/plan-examples.ts";
import type { Word } from "./changes.ts";
import { createPlanner, type WatchedView } from "./planner.ts";
import type { EndpointSlice, Ingress, Service } from "../../api/generated/types.ts";

const COUNT = 5_000;

/** A view that finds by key, as caches do. */
function many(of: (at: number) => Ingress) {
  const ingresses = new Map<string, Ingress>();
  const services = new Map<string, Service>();
  const slices = new Map<string, EndpointSlice[]>();
  for (let at = 0; at < COUNT; at += 1) {
    ingresses.set(`default/i${at}`, of(at));
    services.set(`default/s${at}`, service(`s${at}`));
    slices.set(`default/s${at}`, [slice([pod(1), pod(2), pod(3)], { name: `s${at}-1`, of: `s${at}` })]);
  }
  const classes: KubeObject[] = [
    {
      apiVersion: "networking.k8s.io/v1",
      kind: "IngressClass",
      metadata: { name: "fairlead" },
      spec: { controller: "fairlead.dev/ingress" },
    } as KubeObject,
  ];
  const view: WatchedView = {
    ingresses: () => ingresses.values(),
    ingress: (key) => ingresses.get(key),
    classes: () => classes as [],
    service: (key) => services.get(key),
    slices: (key) => slices.get(key) ?? [],
    secret: () => undefined,
    configMap: () => undefined,
  };
  return { ingresses, services, slices, view };
}

const median = (figures: readonly number[]): number =>
  [...figures].sort((one, other) => one - other)[figures.length >> 1]!;

const EXAMPLES = {
  "each with a host": (at: number) => ingress({ rules: [rule(`h${at}.example`, `/ s${at}:80`)] }, { name: `i${at}` }),
  "all of one host": (at: number) =>
    ingress({ rules: [rule("a.example", `/p${at} s${at}:80`)] }, { name: `i${at}`, at }),
};

for (const [words, of] of Object.entries(EXAMPLES)) {
  test(`of ${COUNT} Ingresses, ${words}, one change costs a few milliseconds`, (t) => {
    const { ingresses, services, slices, view } = many(of);
    const planner = createPlanner(options());
    const began = performance.now();
    planner.plan(view, "everything");
    const whole = performance.now() - began;

    const changes: Record<string, (at: number) => Word> = {
      slice(at) {
        slices.set(`default/s${at}`, [slice([pod(1), pod(2)], { name: `s${at}-1`, of: `s${at}` })]);
        return `slices default/s${at}`;
      },
      service(at) {
        services.set(`default/s${at}`, service(`s${at}`, { ports: [{ name: "http", port: 81 }] }));
        return `service default/s${at}`;
      },
      ingress(at) {
        const { spec, ...rest } = ingresses.get(`default/i${at}`)!;
        const rules = spec?.rules?.map((one) => ({
          ...one,
          http: {
            paths: [
              ...one.http!.paths,
              ...rule("", `/new s${at}:80`).http.paths.map((path) => ({ ...path, path: `/new${at}` })),
            ],
          },
        }));
        ingresses.set(`default/i${at}`, { ...rest, spec: { ...spec, rules } });
        return `ingress default/i${at}`;
      },
      gone(at) {
        ingresses.delete(`default/i${at}`);
        return `ingress default/i${at}`;
      },
    };
    const medians: string[] = [];
    for (const [kind, change] of Object.entries(changes)) {
      const figures: number[] = [];
      for (let at = 0; at < 100; at += 1) {
        const word = change(at * 7);
        const before = performance.now();
        planner.plan(view, [word]);
        figures.push(performance.now() - before);
      }
      medians.push(`${kind} ${median(figures).toFixed(2)}`);
      // The bound is loose, as others may be at work; the figure is what counts.
      ok(median(figures) < 50, `${kind}: ${median(figures)} ms`);
    }
    t.diagnostic(`everything ${whole.toFixed(0)} ms; medians of 100 changes, ms: ${medians.join(", ")}`);
  });
}
