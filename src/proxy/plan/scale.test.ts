import { equal, ok } from "node:assert/strict";
import { test } from "node:test";
import type { Endpoint, EndpointSlice, Service } from "../../api/generated/types.ts";
import { slice, tracker, web } from "../../../test/proxy/plan-examples.ts";
import type { Tracker } from "./tracker.ts";

// Costs follow the change. Measured against each other in one process, the least of several tries each, never against the clock.

const endpoints = (from: number, count: number, unready = -1): Endpoint[] =>
  Array.from({ length: count }, (_, index) => ({
    addresses: [`10.${100 + ((from + index) >> 16)}.${((from + index) >> 8) & 255}.${(from + index) & 255}`],
    conditions: { ready: index !== unready },
    nodeName: `n${index % 7}`,
  }));
const sliceOf = (service: string, part: number, count: number, unready?: number): EndpointSlice =>
  slice(endpoints(part * count, count, unready), `${service}-${part}`, {
    metadata: { name: `${service}-${part}`, namespace: "default", labels: { "kubernetes.io/service-name": service } },
  });

function full(services: number): Tracker {
  const one = tracker();
  for (let number = 0; number < services; number += 1) {
    const ip = `10.${number >> 16}.${(number >> 8) & 255}.${number & 255}`;
    one.setService(`default/s${number}`, web({ clusterIP: ip, clusterIPs: [ip] }, { name: `s${number}` }));
    one.setSlice(`default/s${number}-0`, sliceOf(`s${number}`, 0, 10));
  }
  equal(one.replan().size, services);
  return one;
}

/** Milliseconds of the quickest of many. */
function quickest(times: number, act: (time: number) => void): number {
  let least = Number.POSITIVE_INFINITY;
  for (let time = 0; time < times; time += 1) {
    const before = performance.now();
    act(time);
    least = Math.min(least, performance.now() - before);
  }
  return least;
}

test("a change of one Service costs the same beside 45,000 others as beside 100", (t) => {
  const cost = (one: Tracker, services: number): number =>
    quickest(500, (time) => {
      const service = `s${(time * 7919) % services}`;
      one.setSlice(`default/${service}-0`, sliceOf(service, 0, 10, Math.floor(time / services) % 10));
      equal(one.replan().size, 1);
    });
  const [few, many] = [cost(full(100), 100), cost(full(45_000), 45_000)];
  t.diagnostic(`${(few * 1000).toFixed(0)} µs beside 100 Services, ${(many * 1000).toFixed(0)} µs beside 45,000`);
  ok(many < few * 10 + 0.2, `${few} ms and ${many} ms`);
});

test("five thousand endpoints in one Service are planned in proportion, when they come and when one changes", (t) => {
  const cost = (count: number): { all: number; change: number } => {
    const parts = count / 100;
    const slices = Array.from({ length: parts }, (_, part) => sliceOf("web", part, 100));
    let one = tracker();
    const all = quickest(10, () => {
      one = tracker();
      one.setService("default/web", web());
      for (const each of slices) one.setSlice(`default/${each.metadata.name}`, each);
      one.replan();
    });
    const change = quickest(30, (time) => {
      one.setSlice("default/web-1", sliceOf("web", 1, 100, time));
      equal(one.replan().size, 1);
    });
    return { all, change };
  };
  cost(500);
  const [small, large] = [cost(500), cost(5_000)];
  t.diagnostic(`500 endpoints: ${JSON.stringify(small)} ms; 5,000: ${JSON.stringify(large)} ms`);
  // Ten times as many; a hundred times as long would be the square.
  ok(large.all < small.all * 40, `${small.all} ms and ${large.all} ms`);
  ok(large.change < small.change * 40, `${small.change} ms and ${large.change} ms`);
});

test("a Service at an address that ten thousand others share comes and goes as at one of a hundred", (t) => {
  const sharing = (number: number): Service => {
    const ip = `10.${number >> 16}.${(number >> 8) & 255}.${number & 255}`;
    const ports = [{ name: "http", port: 1 + number, protocol: "TCP" }];
    return web({ clusterIP: ip, clusterIPs: [ip], externalIPs: ["203.0.113.1"], ports }, { name: `s${number}` });
  };
  const cost = (services: number): number => {
    const one = tracker();
    for (let number = 0; number < services; number += 1) one.setService(`default/s${number}`, sharing(number));
    one.replan();
    return quickest(300, () => {
      one.setService(`default/s${services}`, sharing(services));
      equal(one.replan().size, 1);
      one.setService(`default/s${services}`, undefined);
      equal(one.replan().size, 1);
    });
  };
  const [few, many] = [cost(100), cost(10_000)];
  t.diagnostic(`${(few * 1000).toFixed(0)} µs beside 100, ${(many * 1000).toFixed(0)} µs beside 10,000`);
  ok(many < few * 10 + 0.2, `${few} ms and ${many} ms`);
});
