import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import type { Node, Pod, Service } from "../../api/generated/types.ts";
import { silentLog } from "../../observe/log.ts";
import { handFed } from "../../../test/controllers/cached.ts";
import { node, pod, service } from "../../../test/controllers/examples.ts";
import { manualClock, until } from "../../../test/client/waiting.ts";
import type { ControllerEnvironment } from "../environment.ts";
import type { PerServiceOptions, ServiceWork } from "./per-service.ts";
import { workPerService } from "./per-service.ts";

/** A Service `web`, worked on by hand: `works` are the pieces of work begun, and each waits for `finish`. */
function scene(t: TestContext, options: Partial<Pick<PerServiceOptions, "batchPeriod" | "concurrency">> = {}) {
  const pods = handFed<Pod>({ node: ({ spec }) => [spec?.nodeName ?? ""] });
  const services = handFed<Service>();
  const nodes = handFed<Node>();
  const clock = manualClock();
  const works: (ServiceWork & { finish: (rest?: number) => void; fail: () => void })[] = [];
  services.put(service());
  const environment = { caches: { pods, services, nodes }, clock, random: () => 0 } as unknown as ControllerEnvironment;
  const perService = workPerService({
    environment,
    log: silentLog,
    concurrency: 5,
    batchPeriod: 0,
    longestRest: 1000,
    ...options,
    work: (work, signal) =>
      new Promise((resolve, reject) => {
        const fail = (): void => reject(new Error("no"));
        signal.addEventListener("abort", fail);
        works.push({ ...work, finish: (rest = 0) => resolve(rest), fail });
      }),
  });
  t.after(() => perService.stop());
  const begun = async (count: number): Promise<(typeof works)[number]> => {
    await until(`work number ${count}`, () => works.length >= count);
    assert.equal(works.length, count);
    return works.at(-1)!;
  };
  /** Turns of the event loop in which work would begin if it were going to. */
  const turns = async (): Promise<void> => {
    for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  };
  return { pods, services, nodes, clock, works, perService, begun, turns };
}
const named = ({ pods }: ServiceWork): string | undefined => pods && [...pods].sort().join();

test("every Service is worked on at the start, as a whole; later what pods bring about is, for these pods", async (t) => {
  const { pods, begun } = scene(t);
  const first = await begun(1);
  assert.deepEqual([first.key, named(first), first.triggerTime], ["shop/web", undefined, undefined]);
  first.finish();
  pods.put(pod("a"));
  pods.put(pod("b"));
  const second = await begun(2);
  assert.deepEqual([named(second), second.triggerTime], ["shop/a,shop/b", "2023-11-14T22:13:20.000Z"]);
});

test("what comes while a Service is worked on is one piece of work, after the rest that the first was worth", async (t) => {
  const { pods, clock, begun, turns } = scene(t);
  const first = await begun(1);
  for (const name of ["a", "b", "c"]) pods.put(pod(name));
  first.finish(600);
  await turns();
  await begun(1);
  clock.advance(499);
  await turns();
  await begun(1);
  clock.advance(1);
  assert.equal(named(await begun(2)), "shop/a,shop/b,shop/c");
});

test("a change that comes after a quiet time does not wait", async (t) => {
  const { pods, clock, begun, turns } = scene(t);
  (await begun(1)).finish(10_000);
  await turns();
  clock.advance(5_000);
  pods.put(pod("a"));
  await begun(2);
});

test("a Service's own change concerns all its pods, whatever pods were touched before or after", async (t) => {
  const { pods, services, begun } = scene(t);
  (await begun(1)).finish();
  pods.put(pod("a"));
  services.put(service({}, { labels: { team: "x" } }));
  pods.put(pod("b"));
  assert.equal(named(await begun(2)), undefined);
});

test("CTL-043: after a failure all is looked at, and the time of what brought it about is not lost", async (t) => {
  const { pods, clock, begun } = scene(t);
  (await begun(1)).finish();
  pods.put(pod("a"));
  const second = await begun(2);
  clock.advance(50);
  pods.put(pod("b"));
  second.fail();
  const third = await begun(3);
  assert.deepEqual([named(third), third.triggerTime], [undefined, second.triggerTime]);
});

test("CTL-053: a batch period puts off what pods bring about, but not what the Service does", async (t) => {
  const { pods, services, clock, begun, turns } = scene(t, { batchPeriod: 1000 });
  (await begun(1)).finish();
  pods.put(pod("a"));
  clock.advance(999);
  await turns();
  await begun(1);
  pods.put(pod("b"));
  clock.advance(1);
  const second = await begun(2);
  assert.equal(named(second), "shop/a,shop/b", "the first to come sets the time");
  second.finish();
  await turns();
  services.put(service({}, { labels: { team: "x" } }));
  await begun(3);
});

test("CTL-053: as many Services are worked on together as was said", async (t) => {
  const { services, begun, turns, works } = scene(t, { concurrency: 2 });
  for (const name of ["b", "c"]) services.put(service({}, { name, uid: name }));
  await begun(2);
  await turns();
  await begun(2);
  works[0]!.finish();
  await begun(3);
});

test("CTL-007, CTL-026: labels concern the Services of before and after, zones the Services of the node's pods", async (t) => {
  const { pods, services, nodes, begun, works } = scene(t);
  services.put(service({ selector: { app: "other" } }, { name: "other", uid: "service-2" }));
  await begun(2);
  for (const work of works) work.finish();
  pods.put(pod("a"));
  (await begun(3)).finish();
  const moved = pod("a");
  pods.put({ ...moved, metadata: { ...moved.metadata, labels: { app: "other" } } });
  await begun(5);
  assert.deepEqual(
    works
      .slice(3)
      .map(({ key }) => key)
      .sort(),
    ["shop/other", "shop/web"],
  );
  for (const work of works) work.finish();
  nodes.put(node("node-1"));
  (await begun(6)).finish();
  nodes.put(node("node-1", { other: "label" }));
  nodes.put(node("node-1", { "topology.kubernetes.io/zone": "a" }));
  const seventh = await begun(7);
  assert.deepEqual([seventh.key, named(seventh)], ["shop/other", "shop/a"]);
});

test("what others change is put right at once, but those who do it again and again wait", async (t) => {
  const { perService, clock, begun, turns, works } = scene(t);
  (await begun(1)).finish();
  for (let round = 2; round <= 3; round += 1) {
    await turns();
    perService.again("shop/web");
    (await begun(round)).finish();
  }
  await turns();
  perService.again("shop/web");
  await turns();
  assert.equal(works.length, 3);
  clock.advance(50);
  await begun(4);
});
