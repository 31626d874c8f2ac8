import assert from "node:assert/strict";
import { test } from "node:test";
import { pods } from "../../src/api/resources.ts";
import { begin, conditionsOf, end, indexOf, nameOf, over, podsOf, read, unended, waitForPods } from "./job-trial.ts";
import { eventually } from "./world.ts";

test("with backoffLimitPerIndex a failing index fails alone, and the Job when all others are done", async (t) => {
  const { client, clock } = await begin(t, {
    completionMode: "Indexed",
    completions: 2,
    parallelism: 2,
    backoffLimitPerIndex: 1,
  });
  for (const pod of await waitForPods(client, 2)) await end(client, nameOf(pod), indexOf(pod) === "0" ? 0 : 3);
  await eventually(
    "index 0 done",
    () => read(client),
    ({ status }) => status?.completedIndexes === "0",
  );
  clock.jump(11_000);
  const [again] = await waitForPods(client, 1);
  assert.equal(indexOf(again!), "1");
  assert.equal(again?.metadata.annotations?.["batch.kubernetes.io/job-index-failure-count"], "1");
  await end(client, nameOf(again), 3);
  const failed = await over(client);
  assert.equal(failed.status?.failedIndexes, "1");
  assert.equal(conditionsOf(failed)["Failed"], "True FailedIndexes");
});

test("a failure policy fails the Job for one exit code and overlooks another", async (t) => {
  const { client, clock } = await begin(t, {
    backoffLimit: 0,
    podFailurePolicy: {
      rules: [
        { action: "Ignore", onExitCodes: { operator: "In", values: [7] } },
        { action: "FailJob", onExitCodes: { operator: "In", values: [42] } },
      ],
    },
  });
  const [first] = await waitForPods(client, 1);
  await end(client, nameOf(first!), 7);
  await eventually(
    "it to be let go",
    () => podsOf(client),
    ([pod]) => pod?.metadata.finalizers === undefined,
  );
  clock.jump(11_000);
  const [second] = await waitForPods(client, 1);
  await end(client, nameOf(second!), 42);
  const failed = await over(client);
  assert.equal(conditionsOf(failed)["Failed"], "True PodFailurePolicy");
  assert.equal(failed.status?.failed, 1);
  assert.match(
    failed.status?.conditions?.[0]?.message ?? "",
    /^Container c for pod default\/sum-\w{5} failed with exit code 42 matching FailJob rule at index 1$/,
  );
});

test("a success policy makes the Job complete when its leader has succeeded, and ends the others", async (t) => {
  const { client } = await begin(t, {
    completionMode: "Indexed",
    completions: 3,
    parallelism: 3,
    successPolicy: { rules: [{ succeededIndexes: "0" }] },
  });
  const leader = (await waitForPods(client, 3)).find((pod) => indexOf(pod) === "0");
  await end(client, nameOf(leader!), 0);
  await eventually(
    "the others to be told",
    () => unended(client),
    (found) => found.length === 0,
  );
  for (const pod of await podsOf(client)) {
    if (pod.status?.phase !== "Succeeded") {
      await client.delete(pods, { namespace: "default", name: nameOf(pod) }, { gracePeriodSeconds: 0 });
    }
  }
  const done = await over(client);
  assert.equal(conditionsOf(done)["Complete"], "True SuccessPolicy");
  assert.equal(done.status?.succeeded, 1);
  assert.equal(done.status?.failed, undefined);
});
