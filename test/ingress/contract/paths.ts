import assert from "node:assert/strict";
import { openRaw, type Place } from "../lab/clients.ts";
import type { EngineSubject } from "../lab/door.ts";
import { onStage } from "./stage.ts";

/** The table of the ledger: requests and which rules of path and type take them. */
const TABLE: readonly [statement: string, request: string, takers: readonly string[]][] = [
  ["CTL-142", "/foo", ["Exact /foo", "Prefix /foo", "Prefix /foo/", "Prefix /"]],
  ["CTL-143", "/foo/", ["Prefix /foo", "Prefix /foo/", "Prefix /"]],
  ["CTL-144", "/foo/bar", ["Prefix /foo", "Prefix /foo/", "Prefix /"]],
  ["CTL-145", "/foobar", ["Prefix /"]],
  ["CTL-146", "/FOO", ["Prefix /"]],
  ["CTL-147", "/aaa/bbb/ccc", ["Prefix /aaa/bbb", "Prefix /"]],
  ["CTL-148", "/aaa/bbbxyz", ["Prefix /"]],
];
const RULES = ["Exact /foo", "Prefix /foo", "Prefix /foo/", "Prefix /aaa/bbb", "Prefix /"];

/** The status line of a request whose target is sent as it is, and which pod answered, if one did. */
async function sent(
  place: Place,
  host: string,
  target: string,
): Promise<{ status: number; pod: string | undefined; seen: string | undefined }> {
  const connection = await openRaw(place);
  connection.write(`GET ${target} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
  const answer = await connection.over();
  connection.close();
  return {
    status: Number(/^HTTP\/1\.1 (\d+)/.exec(answer)?.[1]),
    pod: /^x-pod: (.*?)\r$/im.exec(answer)?.[1],
    seen: /"target":"((?:[^"\\]|\\.)*)"/.exec(answer)?.[1],
  };
}

/** Which path's rules decide, and that paths reach the pod as they were sent. */
export const pathExamples = (subject: EngineSubject): void =>
  onStage(subject, "paths", (add) => {
    const hostOf = (rule: string): string => `${RULES.indexOf(rule)}.table.test`;

    for (const [statement, request, takers] of TABLE) {
      add(
        `${statement} ${request} is taken by ${takers.join(", ")} and by no other of the table`,
        async ({ cluster, pods, follow, ask }) => {
          cluster.service("table", pods.slice(0, 1));
          cluster.ingress("table", {
            paths: RULES.map((rule) => {
              const [type, path] = rule.split(" ") as ["Exact" | "Prefix", string];
              return { host: hostOf(rule), path, type, service: "table" };
            }),
          });
          await follow();
          for (const rule of RULES) {
            const { status } = await ask({ host: hostOf(rule), path: request });
            assert.equal(status, takers.includes(rule) ? 200 : 404, rule);
          }
        },
      );
    }

    add("CTL-132 an exact path is equal, with its case and its last slash", async ({ site }) => {
      const { ask } = await site({ paths: [{ path: "/foo", type: "Exact" }] });
      assert.equal((await ask({ path: "/foo" })).status, 200);
      assert.equal((await ask({ path: "/foo?query=/bar" })).status, 200);
      for (const path of ["/foo/", "/Foo", "/foo/bar", "/fo", "/", "/foo//"]) {
        assert.equal((await ask({ path })).status, 404, path);
      }
    });

    add("CTL-133 a prefix is compared by elements, with its case, without the query", async ({ site }) => {
      const { ask } = await site({ paths: [{ path: "/foo" }, { path: "/aaa/bbb" }, { path: "/slash/" }] });
      for (const path of ["/foo", "/foo/", "/foo/bar", "/foo?x", "/foo/?x=/y", "/aaa/bbb", "/slash", "/slash/x"]) {
        assert.equal((await ask({ path })).status, 200, path);
      }
      for (const path of ["/foobar", "/FOO", "/aaa/bbbxyz", "/aaa", "/?/foo", "/x?y=/foo", "/slashed"]) {
        assert.equal((await ask({ path })).status, 404, path);
      }
    });

    add("CTL-134 ImplementationSpecific is taken as Prefix", async ({ site }) => {
      const { ask } = await site({ paths: [{ path: "/impl", type: "ImplementationSpecific" }] });
      for (const path of ["/impl", "/impl/", "/impl/x?y"]) assert.equal((await ask({ path })).status, 200, path);
    });

    add(
      "CTL-135 the longest path decides, and of two equal ones the exact; Ingresses of a host are merged",
      async ({ cluster, pods, follow, ask }) => {
        const [short, long, exact] = pods;
        cluster.service("short", [short!]);
        cluster.service("long", [long!]);
        cluster.service("exact", [exact!]);
        const host = "merged.test";
        cluster.ingress("merged-1", {
          paths: [
            { host, path: "/", service: "short" },
            { host, path: "/a/b", service: "long" },
          ],
        });
        cluster.ingress("merged-2", { paths: [{ host, path: "/a/b", type: "Exact", service: "exact" }] });
        cluster.ingress("merged-3", { paths: [{ host, path: "/a", service: "short" }] });
        await follow();
        for (const [path, pod] of [
          ["/", short],
          ["/a", short],
          ["/a/x", short],
          ["/a/b", exact],
          ["/a/b/", long],
          ["/a/b/c", long],
          ["/a/bc", short],
        ] as const) {
          assert.equal((await ask({ host, path })).pod, pod!.name, path);
        }
      },
    );

    add("CTL-135 of two Ingresses that claim one path the oldest has it", async ({ cluster, pods, follow, ask }) => {
      cluster.service("older", [pods[0]!]);
      cluster.service("younger", [pods[1]!]);
      cluster.ingress("zz-older", { created: 10_000, paths: [{ host: "claimed.test", path: "/x", service: "older" }] });
      cluster.ingress("aa-younger", {
        created: 20_000,
        paths: [{ host: "claimed.test", path: "/x", service: "younger" }],
      });
      await follow();
      for (let i = 0; i < 5; i++) assert.equal((await ask({ host: "claimed.test", path: "/x" })).pod, pods[0]!.name);
      cluster.remove("Ingress", "default/zz-older");
      await follow();
      assert.equal((await ask({ host: "claimed.test", path: "/x" })).pod, pods[1]!.name);
    });

    add(
      "regular expressions: the longest first, in any case, from the beginning of the path",
      async ({ cluster, pods, follow, ask }) => {
        cluster.service("numbers", [pods[0]!]);
        cluster.service("rest", [pods[1]!]);
        const host = "regex.test";
        cluster.ingress("regex", {
          nginx: { "use-regex": "true" },
          paths: [
            { host, path: "/items/[0-9]+", type: "ImplementationSpecific", service: "numbers" },
            { host, path: "/.*", type: "ImplementationSpecific", service: "rest" },
          ],
        });
        await follow();
        assert.equal((await ask({ host, path: "/items/12" })).pod, pods[0]!.name);
        assert.equal((await ask({ host, path: "/ITEMS/12/x" })).pod, pods[0]!.name);
        assert.equal((await ask({ host, path: "/items/x" })).pod, pods[1]!.name);
        assert.equal((await ask({ host, path: "/x/items/12" })).pod, pods[1]!.name);
      },
    );

    for (const target of [
      "/a%2Fb",
      "/a%2fb",
      "//a//b",
      "/a/./b",
      "/%41",
      "/a;b=c",
      "/a%20b+c",
      "/%E2%82%AC",
      "/a?x=%2F&y=/../z",
      "/a?",
      "/a?x=1&x=2&%00",
      "/~!$&'()*,=:@-._",
      "/a%0d%0ab",
    ]) {
      add(`the target ${target} reaches the pod byte for byte`, async ({ site, door }) => {
        const { host } = await site();
        const { seen, status } = await sent(door.plain, host, target);
        assert.equal(status, 200);
        assert.equal(seen, target);
      });
    }

    add(
      "a target in absolute form goes by its own host, and reaches the pod in origin form",
      async ({ site, door }) => {
        const { host } = await site();
        const { seen, status } = await sent(door.plain, host, `http://${host}/x?y`);
        assert.equal(status, 200);
        assert.equal(seen, "/x?y");
        // Two hosts in one request are one too many: by its own (RFC 9112 §3.2.2), or not at all.
        const two = await sent(door.plain, "elsewhere.test", `http://${host}/x`);
        assert.ok([200, 400].includes(two.status), `${two.status}`);
        assert.equal((await sent(door.plain, host, "http://elsewhere.test/x")).pod, undefined);
      },
    );

    add("an expression that some engines never come to the end of holds nobody up", async ({ site }) => {
      const { ask } = await site({
        paths: [
          { path: "/(a+)+$", type: "ImplementationSpecific" },
          { path: "/(a|a)*$", type: "ImplementationSpecific" },
          { path: "/(?!(b+)+$)b", type: "ImplementationSpecific" },
          { path: "/", type: "Prefix" },
        ],
        nginx: { "use-regex": "true" },
      });
      const began = performance.now();
      for (const letter of ["a", "b"]) {
        for (let i = 0; i < 5; i++) assert.equal((await ask({ path: `/${letter.repeat(4000)}!` })).status, 200);
      }
      const took = performance.now() - began;
      assert.ok(took < 3000, `ten requests took ${took} ms`);
    });
    for (const target of [
      "/%61dmin",
      "//admin",
      "/./admin",
      "/%61dm%69n/x",
      "/public/%2e/../admin",

      "/admin/.",
      "/x//..//admin",
      "\\admin",
    ]) {
      add(`${target} is no way past what protects /admin`, async ({ cluster, pods, follow, door }) => {
        cluster.service("spelled", pods.slice(0, 1));
        cluster.secret("spelled", { auth: "a:{SHA}qUqP5cyxm6YcTAhz05Hph5gvu9M=" });
        cluster.ingress("spelled-all", { paths: [{ host: "spelled.test", path: "/", service: "spelled" }] });
        cluster.ingress("spelled-admin", {
          paths: [{ host: "spelled.test", path: "/admin", service: "spelled" }],
          nginx: { "auth-type": "basic", "auth-secret": "spelled" },
        });
        await follow();
        assert.equal((await sent(door.plain, "spelled.test", "/public")).status, 200);
        const { status, seen, pod } = await sent(door.plain, "spelled.test", target);
        if (pod !== undefined) assert.doesNotMatch(resolved(seen ?? ""), /^\/admin/, `the pod got ${seen}`);
        else assert.ok([400, 401, 404].includes(status), `${status}`);
      });
    }

    /** Ways to write `/public/../admin` that some server or other takes for `/admin`. */
    const CLIMBS = [
      "/public/../admin",
      "/public/%2e%2e/admin",
      "/public/%2E./admin",
      "/public/.%2e/admin",
      "/public/x/../../admin",
      "/public/../admin/",
      "/public/./../admin",
      "/public//../../admin",
      "/public/..%2fadmin",
      "/public/%2e%2e%2fadmin",
      "/public/..;/admin",
      "/public/..\\admin",
      "/public/..%5cadmin",
      "/public/../../admin",
      "/../admin",
      "/public/..",
      "/public/%2e%2e",
    ];
    for (const target of CLIMBS) {
      add(`${target} reaches no pod past what protects /admin`, async ({ cluster, pods, follow, door }) => {
        // One Service behind both: a pod that resolves the path itself would answer for /admin.
        cluster.service("climbed", pods.slice(0, 1));
        cluster.secret("climbed", { auth: "a:{SHA}qUqP5cyxm6YcTAhz05Hph5gvu9M=" });
        cluster.ingress("climbed-public", { paths: [{ host: "climbed.test", path: "/public", service: "climbed" }] });
        cluster.ingress("climbed-admin", {
          paths: [{ host: "climbed.test", path: "/admin", service: "climbed" }],
          nginx: { "auth-type": "basic", "auth-secret": "climbed" },
        });
        await follow();
        assert.equal((await sent(door.plain, "climbed.test", "/admin")).status, 401);
        assert.equal((await sent(door.plain, "climbed.test", "/public/x")).status, 200);
        const { status, seen, pod } = await sent(door.plain, "climbed.test", target);
        if (pod !== undefined) assert.doesNotMatch(resolved(seen ?? ""), /^\/admin/, `the pod got ${seen}`);
        else assert.ok([400, 401, 404].includes(status), `${status}`);
      });
    }
  });

/** The path as a careless server makes it out: decoded, backslashes and `..;` taken as they are by some. */
function resolved(target: string): string {
  const path = decodeURIComponent(target.split("?")[0]!.replaceAll("\\\\", "\\"))
    .replaceAll("\\", "/")
    .replaceAll(/;[^/]*/g, "");
  const parts: string[] = [];
  for (const part of path.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "." && part !== "") parts.push(part);
  }
  return `/${parts.join("/")}`;
}
