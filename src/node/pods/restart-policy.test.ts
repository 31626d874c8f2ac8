import assert from "node:assert/strict";
import { test } from "node:test";
import type { Container, Pod } from "../../api/generated/types.ts";
import { containersOf } from "./kinds.ts";
import { restarts } from "./restart-policy.ts";

const pod = (restartPolicy: string | undefined): Pod => ({ spec: { restartPolicy } }) as never;
const of = (more: Partial<Container> = {}): Container => ({ name: "c", ...more });

void test("a container starts again by its pod's policy", () => {
  const again = (policy: string | undefined): boolean[] =>
    [0, 1].map((exitCode) => restarts(pod(policy), of(), "main", exitCode));
  assert.deepEqual(again(undefined), [true, true]);
  assert.deepEqual(again("Always"), [true, true]);
  assert.deepEqual(again("OnFailure"), [false, true]);
  assert.deepEqual(again("Never"), [false, false]);
});

void test("an init container that succeeded is done, one that failed starts again unless the pod never does", () => {
  assert.deepEqual(
    ["Always", "OnFailure", "Never"].map((policy) => [0, 1].map((code) => restarts(pod(policy), of(), "init", code))),
    [
      [false, true],
      [false, true],
      [false, false],
    ],
  );
});

void test("a container's own policy counts for more than its pod's, and its rules for more than both", () => {
  assert.equal(restarts(pod("Never"), of({ restartPolicy: "Always" }), "sidecar", 0), true);
  assert.equal(restarts(pod("Always"), of({ restartPolicy: "Never" }), "main", 1), false);
  const rule = (operator: string, values: number[]): Container =>
    of({ restartPolicy: "Never", restartPolicyRules: [{ action: "Restart", exitCodes: { operator, values } }] });
  assert.deepEqual(
    [42, 1].map((code) => restarts(pod("Never"), rule("In", [42]), "main", code)),
    [true, false],
  );
  assert.deepEqual(
    [42, 1].map((code) => restarts(pod("Never"), rule("NotIn", [42]), "main", code)),
    [false, true],
  );
  const { restartPolicy: _none, ...without } = rule("In", [42]);
  assert.equal(restarts(pod("Never"), without, "main", 42), false, "rules need a policy of the container's own");
});

void test("kinds: the order of the spec, sidecars told from init containers", () => {
  const spec = {
    initContainers: [{ name: "a" }, { name: "b", restartPolicy: "Always" }, { name: "c", restartPolicy: "Never" }],
    containers: [{ name: "d" }],
  };
  assert.deepEqual(
    containersOf({ spec } as never).map(({ container, kind }) => [container.name, kind]),
    [
      ["a", "init"],
      ["b", "sidecar"],
      ["c", "init"],
      ["d", "main"],
    ],
  );
});
