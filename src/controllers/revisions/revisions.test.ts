import assert from "node:assert/strict";
import { test } from "node:test";
import type { ControllerRevision, PodTemplateSpec } from "../../api/generated/types.ts";
import { decideRevision, superfluousRevisions } from "./decide.ts";
import { newRevision, templateOf } from "./revision.ts";

const templateFor = (image: string): PodTemplateSpec => ({
  metadata: { labels: { app: "web" } },
  spec: { containers: [{ name: "c", image }] },
});

const revisionOf = (image: string, revision = 1, collisionCount = 0): ControllerRevision => ({
  ...newRevision({
    owner: { apiVersion: "apps/v1", kind: "StatefulSet", name: "web", uid: "s", controller: true },
    namespace: "n",
    annotations: { "kubernetes.io/change-cause": "because" },
    template: templateFor(image),
    hashLabel: "hash",
    collisionCount,
  }),
  revision,
});

test("a revision is named by what it holds, in whatever order, and by its collisions", () => {
  const one = revisionOf("one");
  assert.match(one.metadata.name ?? "", /^web-[bcdfghjklmnpqrstvwxz2456789]+$/);
  assert.deepEqual(one.metadata.labels, { app: "web", hash: one.metadata.name?.slice("web-".length) });
  assert.equal(revisionOf("one").metadata.name, one.metadata.name);
  assert.notEqual(revisionOf("two").metadata.name, one.metadata.name);
  assert.notEqual(revisionOf("one", 1, 1).metadata.name, one.metadata.name);
  assert.deepEqual(templateOf(one), templateFor("one"));
});

test("a new template is the next number, an old one is numbered anew, the newest stays", () => {
  const [first, second] = [revisionOf("one", 1), revisionOf("two", 2)];
  const said = (image: string, existing = [second, first]): unknown => {
    const { action, revision } = decideRevision(existing, revisionOf(image));
    return [action, revision.revision];
  };
  assert.deepEqual(said("one", []), ["create", 1]);
  assert.deepEqual(said("three"), ["create", 3]);
  assert.deepEqual(said("one"), ["renumber", 3]);
  assert.deepEqual(said("two"), ["none", 2]);
});

test("the history is cut to its limit from its oldest end, and what is in use stays", () => {
  const all = ["one", "two", "three", "four"].map((image, at) => revisionOf(image, at + 1));
  const cut = (limit: number, live?: ControllerRevision): number[] =>
    superfluousRevisions(all, (revision) => revision === live, limit).map(({ revision }) => revision);
  assert.deepEqual(cut(2), [1, 2]);
  assert.deepEqual(cut(2, all[0]), [2, 3]);
  assert.deepEqual(cut(9), []);
});
