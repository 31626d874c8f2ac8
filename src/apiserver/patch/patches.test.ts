import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { times } from "../../../test/lab/counts.ts";
import { jsonPatch, readJsonPatch } from "./json.ts";
import { mergePatch } from "./merge.ts";
import { strategicMergePatch } from "./strategic.ts";

const runs = { numRuns: times(1000, 10_000) };

const key = fc.constantFrom("a", "b", "c", "d/e", "f~g", "");
const document = fc.letrec<{ value: unknown; object: Record<string, unknown> }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom<unknown>(0, 1, "x", "", true, false),
    fc.array(tie("value"), { maxLength: 3 }),
    tie("object"),
  ),
  object: fc.dictionary(key, tie("value"), { maxKeys: 4, noNullPrototype: true }),
}));
const patchDocument = fc.letrec<{ value: unknown; object: Record<string, unknown> }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom<unknown>(0, "x", true, null, null),
    fc.array(tie("value"), { maxLength: 2 }),
    tie("object"),
  ),
  object: fc.dictionary(key, tie("value"), { maxKeys: 4, noNullPrototype: true }),
}));

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** RFC 7396, section 2, word for word. */
function naiveMergePatch(target: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return patch;
  const result = isObject(target) ? target : {};
  for (const name of Object.keys(patch)) {
    if (patch[name] === null) delete result[name];
    else result[name] = naiveMergePatch(result[name], patch[name]);
  }
  return result;
}

void test("a merge patch does what RFC 7396 says, and changes nothing it is given", () => {
  fc.assert(
    fc.property(document.value, patchDocument.value, (target, patch) => {
      const [before, said] = [structuredClone(target), structuredClone(patch)];
      assert.deepEqual(mergePatch(target, patch), naiveMergePatch(structuredClone(target), patch));
      assert.deepEqual([target, patch], [before, said]);
    }),
    runs,
  );
});

interface Step {
  readonly op: string;
  readonly path: string;
  readonly from?: string;
  readonly value?: unknown;
}

const escaped = (name: string): string => name.replaceAll("~", "~0").replaceAll("/", "~1");
const tokensOf = (pointer: string): string[] =>
  pointer
    .split("/")
    .slice(1)
    .map((token) => token.replaceAll("~1", "/").replaceAll("~0", "~"));

/** Every pointer into a value, without the whole. */
function pointersOf(value: unknown, prefix = ""): string[] {
  if (Array.isArray(value)) {
    return value.flatMap((item: unknown, index) => [`${prefix}/${index}`, ...pointersOf(item, `${prefix}/${index}`)]);
  }
  if (!isObject(value)) return [];
  return Object.entries(value).flatMap(([name, item]) => {
    const at = `${prefix}/${escaped(name)}`;
    return [at, ...pointersOf(item, at)];
  });
}

/** One operation of RFC 6902, section 4, on a document of its own. Undefined where it does not fit. */
function naiveStep(root: Record<string, unknown>, { op, path, from, value }: Step): boolean {
  const holderOf = (pointer: string): [holder: unknown, last: string] => {
    const tokens = tokensOf(pointer);
    const last = tokens.pop() ?? "";
    let holder: unknown = root;
    for (const token of tokens) holder = (holder as Record<string, unknown> | undefined)?.[token];
    return [holder, last];
  };
  const get = (pointer: string): unknown => {
    const [holder, last] = holderOf(pointer);
    return (holder as Record<string, unknown>)[last];
  };
  const remove = (pointer: string): void => {
    const [holder, last] = holderOf(pointer);
    if (Array.isArray(holder)) holder.splice(Number(last), 1);
    else delete (holder as Record<string, unknown>)[last];
  };
  const add = (pointer: string, what: unknown): void => {
    const [holder, last] = holderOf(pointer);
    if (Array.isArray(holder)) holder.splice(last === "-" ? holder.length : Number(last), 0, what);
    else (holder as Record<string, unknown>)[last] = what;
  };
  switch (op) {
    case "add":
      add(path, structuredClone(value));
      return true;
    case "remove":
      remove(path);
      return true;
    case "replace":
      remove(path);
      add(path, structuredClone(value));
      return true;
    case "copy":
      add(path, structuredClone(get(from!)));
      return true;
    case "move": {
      const moved = get(from!);
      remove(from!);
      add(path, moved);
      return true;
    }
    default: {
      const sorted = (what: unknown): unknown =>
        Array.isArray(what)
          ? what.map(sorted)
          : isObject(what)
            ? Object.fromEntries(
                Object.keys(what)
                  .sort()
                  .map((name) => [name, sorted(what[name])]),
              )
            : what;
      return JSON.stringify(sorted(get(path))) === JSON.stringify(sorted(value));
    }
  }
}

void test("a JSON patch does what RFC 6902 says, step by step, and changes nothing it is given", () => {
  const choices = fc.array(fc.tuple(fc.nat(5), fc.nat(), fc.nat(), document.value), { minLength: 1, maxLength: 6 });
  fc.assert(
    fc.property(document.object, choices, (target, all) => {
      const naive = structuredClone(target);
      const steps: Step[] = [];
      let fits = true;
      for (const [which, first, second, value] of all) {
        const op = ["add", "remove", "replace", "copy", "move", "test"][which]!;
        const pointers = pointersOf(naive);
        if (pointers.length === 0) continue;
        const from = pointers[first % pointers.length]!;
        // A value is put where one is, or, for what only adds, beside it.
        const to = pointers[second % pointers.length]!;
        if (
          op === "move" &&
          (to === from || to.startsWith(`${from}/`) || from.startsWith(`${to}/`) || /\/\d+$/.test(from))
        )
          continue;
        const step: Step =
          op === "copy" || op === "move"
            ? { op, from, path: to }
            : op === "remove"
              ? { op, path: from }
              : { op, path: op === "add" && first % 3 === 0 ? to.replace(/\/\d+$/, "/-") : from, value };
        if (step.path.endsWith("/-") && !pointers.includes(step.path) && !Array.isArray(arrayAt(naive, step.path)))
          continue;
        steps.push(step);
        fits = naiveStep(naive, step);
        if (!fits) break;
      }
      const before = structuredClone(target);
      const patch = (): unknown => jsonPatch(target, readJsonPatch(steps));
      if (fits) assert.deepEqual(patch(), naive);
      else assert.throws(patch, { reason: "Invalid" });
      assert.deepEqual(target, before);
    }),
    runs,
  );
});

/** What holds the last token of a pointer. */
function arrayAt(root: unknown, pointer: string): unknown {
  let holder = root;
  for (const token of tokensOf(pointer).slice(0, -1)) holder = (holder as Record<string, unknown> | undefined)?.[token];
  return holder;
}

/* What kubectl's own apply would send, computed here by nothing but the rules of the fields that the objects below have. */

interface PodLike {
  metadata: { labels?: Record<string, string>; finalizers?: string[] };
  spec: {
    containers?: { name: string; image?: string; args?: string[]; env?: { name: string; value?: string }[] }[];
    volumes?: { name: string; emptyDir?: { medium?: string }; hostPath?: { path: string } }[];
    nodeSelector?: Record<string, string>;
  };
}

const name = fc.constantFrom("a", "b", "c", "d");
const text = fc.constantFrom("1", "2", "3");
const words = fc.dictionary(name, text, { noNullPrototype: true });
const listOf = <T extends { name: string }>(item: fc.Arbitrary<T>): fc.Arbitrary<T[]> =>
  fc.uniqueArray(item, { selector: (one) => one.name, maxLength: 4 });
const optional = <T extends object>(all: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> =>
  fc.record(all, { requiredKeys: [], noNullPrototype: true }) as fc.Arbitrary<T>;
const env = listOf(fc.record({ name, value: text }, { requiredKeys: ["name"], noNullPrototype: true }));
const containers = listOf(
  fc.record(
    { name, image: text, args: fc.array(text, { minLength: 1, maxLength: 2 }), env },
    { requiredKeys: ["name"], noNullPrototype: true },
  ),
);
const volumes = listOf(
  fc
    .tuple(name, text, fc.boolean())
    .map(([called, value, isPath]) =>
      isPath ? { name: called, hostPath: { path: value } } : { name: called, emptyDir: { medium: value } },
    ),
);
const podLike = fc.record(
  {
    metadata: optional<PodLike["metadata"]>({ labels: words, finalizers: fc.uniqueArray(text, { maxLength: 3 }) }),
    spec: optional<PodLike["spec"]>({ containers, volumes, nodeSelector: words }),
  },
  { noNullPrototype: true },
) as fc.Arbitrary<PodLike>;

type Fields = Record<string, unknown>;
const same = (one: unknown, other: unknown): boolean => JSON.stringify(one) === JSON.stringify(other);

function diffFields(
  old: Fields,
  next: Fields,
  diffs: Readonly<Record<string, (was: never, is: never, into: Fields, field: string) => void>> = {},
): Fields {
  const patch: Fields = {};
  for (const field of new Set([...Object.keys(old), ...Object.keys(next)])) {
    const [was, is] = [old[field], next[field]];
    if (is === undefined) patch[field] = null;
    else if (was === undefined) patch[field] = is;
    else if (!same(was, is)) {
      const diff = diffs[field];
      if (diff !== undefined) diff(was as never, is as never, patch, field);
      else if (isObject(was) && isObject(is)) patch[field] = diffFields(was, is);
      else patch[field] = is;
    }
  }
  return patch;
}

const diffNamed =
  (diffs: Parameters<typeof diffFields>[2] = {}, retains = false) =>
  (was: { name: string }[], is: { name: string }[], into: Fields, field: string): void => {
    const items: Fields[] = [];
    for (const item of is) {
      const old = was.find((other) => other.name === item.name);
      if (old === undefined) items.push({ ...item });
      else if (!same(old, item)) {
        const change = { ...diffFields({ ...old }, { ...item }, diffs), name: item.name };
        items.push(retains ? { ...change, $retainKeys: Object.keys(item) } : change);
      }
    }
    const gone = was.filter((old) => !is.some((item) => item.name === old.name));
    for (const old of gone) items.push({ name: old.name, $patch: "delete" });
    if (items.length > 0) into[field] = items;
    into[`$setElementOrder/${field}`] = is.map(({ name: called }) => ({ name: called }));
  };

const diffSet = (was: string[], is: string[], into: Fields, field: string): void => {
  const gone = was.filter((value) => !is.includes(value));
  const fresh = is.filter((value) => !was.includes(value));
  if (gone.length > 0) into[`$deleteFromPrimitiveList/${field}`] = gone;
  if (fresh.length > 0) into[field] = fresh;
  into[`$setElementOrder/${field}`] = is;
};

/** The patch that makes `next` of `old`. */
const kubectlPatch = (old: PodLike, next: PodLike): Fields => ({
  metadata: diffFields({ ...old.metadata }, { ...next.metadata }, { finalizers: diffSet }),
  spec: diffFields(
    { ...old.spec },
    { ...next.spec },
    {
      containers: diffNamed({ env: diffNamed() }),
      volumes: diffNamed({}, true),
    },
  ),
});

/** Without empty maps and lists, which Kubernetes does not keep. */
const full = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(full);
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .map(([field, inner]) => [field, full(inner)] as const)
      .filter(
        ([, inner]) =>
          inner !== undefined && inner !== null && (typeof inner !== "object" || Object.keys(inner).length > 0),
      ),
  );
};

void test("the strategic merge patch that kubectl would send makes of an object what was meant", () => {
  fc.assert(
    fc.property(podLike, podLike, (old, next) => {
      const [before, patch] = [structuredClone(old), kubectlPatch(old, next)];
      const said = structuredClone(patch);
      assert.deepEqual(full(strategicMergePatch(old, patch, "Pod")), full(next));
      assert.deepEqual([old, patch], [before, said]);
    }),
    runs,
  );
});

void test("what others added meanwhile stays beside what was meant", () => {
  const theirs = {
    containers: [{ name: "theirs", image: "x", env: [] }],
    labels: { theirs: "x" },
    finalizers: ["theirs"],
  };
  fc.assert(
    fc.property(podLike, podLike, fc.nat(), (old, next, place) => {
      const { containers: list = [] } = old.spec;
      const at = place % (list.length + 1);
      const current: PodLike = {
        metadata: {
          ...old.metadata,
          labels: { ...old.metadata.labels, ...theirs.labels },
          finalizers: [...theirs.finalizers, ...(old.metadata.finalizers ?? [])],
        },
        spec: { ...old.spec, containers: [...list.slice(0, at), ...theirs.containers, ...list.slice(at)] },
      };
      // Whoever takes a whole field away, or sets it anew, takes all of it: there is nothing to stay beside.
      fc.pre(old.metadata.labels !== undefined && next.metadata.labels !== undefined);
      fc.pre(old.metadata.finalizers !== undefined && next.metadata.finalizers !== undefined);
      fc.pre(old.spec.containers !== undefined && next.spec.containers !== undefined);
      const patched = strategicMergePatch(current, kubectlPatch(old, next), "Pod") as PodLike;
      const { theirs: label, ...labels } = patched.metadata.labels!;
      assert.equal(label, "x");
      assert.ok(patched.metadata.finalizers!.includes("theirs"));
      assert.deepEqual(
        patched.spec.containers!.filter(({ name: called }) => called === "theirs"),
        theirs.containers,
      );
      const mine = {
        metadata: {
          ...patched.metadata,
          labels,
          finalizers: patched.metadata.finalizers!.filter((value) => value !== "theirs"),
        },
        spec: {
          ...patched.spec,
          containers: patched.spec.containers!.filter(({ name: called }) => called !== "theirs"),
        },
      };
      assert.deepEqual(full(mine), full(next));
    }),
    runs,
  );
});
