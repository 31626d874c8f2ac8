import assert from "node:assert/strict";
import { test } from "node:test";
import { freshViews } from "./fresh-view.ts";
import type { HostView } from "./view.ts";

function builder() {
  const closed: number[] = [];
  let count = 0;
  const build = async (): Promise<HostView> => {
    const number = ++count;
    return {
      namespace: String(number),
      entries: () => [],
      shown: (path) => path,
      ensure: async () => {},
      pin: async (source) => source,
      close: async () => void closed.push(number),
    };
  };
  return { build, closed };
}

test("freshViews: starts close together share a view, a later one gets a new one", async () => {
  let time = 0;
  const { build, closed } = builder();
  const views = freshViews(build, () => time, 1000);
  const [one, two] = await Promise.all([views.take(), views.take()]);
  assert.equal(one.view, two.view);
  time = 1001;
  const three = await views.take();
  assert.notEqual(three.view, one.view);
  assert.deepEqual(closed, [], "the old one is still being started from");
  one.done();
  one.done();
  assert.deepEqual(closed, []);
  two.done();
  await new Promise(setImmediate);
  assert.deepEqual(closed, [1]);
  three.done();
  await views.close();
  assert.deepEqual(closed, [1, 2]);
});

test("freshViews: a build that failed is tried again by the next start", async () => {
  let fails = true;
  const { build } = builder();
  const views = freshViews(
    () => (fails ? Promise.reject(new Error("no overlay")) : build()),
    () => 0,
    1000,
  );
  await assert.rejects(views.take(), /no overlay/);
  fails = false;
  assert.equal((await views.take()).view.namespace, "1");
});
