import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import * as fc from "fast-check";
import type { DnsConfiguration, ServerBlock } from "../configuration.ts";
import { usualBlock, usualCache, usualForward, usualKubernetes } from "../usual.ts";
import { parseCorefile, type Corefile, type CorefileGround } from "./corefile.ts";
import { CorefileError } from "./fault.ts";

const FIXTURES = ["stock", "stub-domains", "per-node", "custom", "everything"];
const fixture = (name: string): string => readFileSync(join(import.meta.dirname, `fixtures/${name}.corefile`), "utf8");

const missing = (path: string): Error =>
  Object.assign(new Error(`ENOENT: no such file or directory, open '${path}'`), { code: "ENOENT" });

const FILES: Readonly<Record<string, string>> = {
  "/etc/resolv.conf":
    "# of the machine\nsearch example.org\nnameserver 192.0.2.1\nnameserver 2001:db8::1%eth0\noptions edns0\n",
  "/empty": "search example.org\n",
  "/conf/custom/acme.override": "rewritten {\n}\n",
  "/conf/custom/hosts.server": "acme.local:53 {\n  errors\n  forward . 192.0.2.9\n}\n",
};

const ground: CorefileGround = {
  environment: { ZONE: "corp.example", PORT: "1053" },
  readFile: (path) => {
    const text = FILES[path];
    if (text === undefined) throw missing(path);
    return text;
  },
  filesLike: (pattern) => {
    const [before, after] = pattern.replace(/^custom/, "/conf/custom").split("*");
    return Object.keys(FILES).filter((path) =>
      after === undefined ? path === before : path.startsWith(before!) && path.endsWith(after),
    );
  },
  addressesOf: (name) => (name === "lo" ? ["127.0.0.1", "::1"] : undefined),
};

const parse = (text: string): Corefile => parseCorefile(text, "Corefile", ground);
const only = (text: string): ServerBlock => {
  const { servers } = parse(text).configuration;
  assert.equal(servers.length, 1);
  return servers[0]!;
};
/** All that is said to be wrong. */
const faults = (text: string): string => {
  try {
    parse(text);
  } catch (error) {
    assert.ok(error instanceof CorefileError, String(error));
    return error.message;
  }
  throw new Error(`nothing is wrong with ${text}`);
};

const NAMESERVERS = [
  { address: "192.0.2.1", port: 53 },
  { address: "2001:db8::1", port: 53 },
];

describe("Corefile", () => {
  test("DNS-129: the stock one of a cluster is exactly this configuration", () => {
    const expected: DnsConfiguration = {
      servers: [
        {
          ...usualBlock,
          zones: [""],
          port: 53,
          errors: true,
          kubernetes: {
            ...usualKubernetes("cluster.local"),
            zones: ["cluster.local", "in-addr.arpa", "ip6.arpa"],
            pods: "insecure",
            fallthrough: ["in-addr.arpa", "ip6.arpa"],
            ttl: 30,
          },
          forward: [{ ...usualForward(NAMESERVERS), maxConcurrent: 1000 }],
          cache: {
            ...usualCache,
            success: { ...usualCache.success, ttl: 30 },
            denial: { ...usualCache.denial, ttl: 30 },
          },
          loop: true,
          loadbalance: true,
        },
      ],
      health: { host: "", port: 8080, lameduck: 5_000 },
      ready: { host: "", port: 8181 },
      prometheus: { host: "", port: 9153 },
      reload: { interval: 30_000, jitter: 15_000 },
    };
    assert.deepEqual(parse(fixture("stock")), { configuration: expected, warnings: [] });
  });

  test("DNS-130: stub domains are blocks of their own", () => {
    const { servers } = parse(fixture("stub-domains")).configuration;
    assert.deepEqual(
      servers.map(({ zones, port, forward }) => [zones, port, forward[0]?.to]),
      [
        [[""], 53, NAMESERVERS],
        [["acme.local"], 53, [{ address: "1.2.3.4", port: 53 }]],
        [
          ["corp.example", "2.1.10.in-addr.arpa"],
          53,
          [
            { address: "10.1.2.53", port: 5353 },
            { address: "fd00::53", port: 53 },
          ],
        ],
      ],
    );
  });

  test("a cache on each node: addresses, TCP, times, metrics elsewhere", () => {
    const { configuration, warnings } = parse(fixture("per-node"));
    const [cluster, rest] = configuration.servers;
    assert.deepEqual(cluster!.bind, ["169.254.20.10", "10.96.0.10"]);
    assert.deepEqual(cluster!.cache!.denial, { capacity: 9984, ttl: 5, minTtl: 5 });
    assert.equal(cluster!.forward[0]!.forceTcp, true);
    assert.deepEqual(rest!.cache!.zones, undefined);
    assert.deepEqual(configuration.health, { host: "169.254.20.10", port: 8080, lameduck: 0 });
    assert.deepEqual(configuration.prometheus, { host: "", port: 9253 });
    assert.deepEqual(warnings, []);
  });

  test("snippets, imports, variables, quotes and comments", () => {
    const { configuration } = parse(fixture("custom"));
    assert.deepEqual(
      configuration.servers.map(({ zones, port, errors, log, forward }) => [
        zones,
        port,
        errors,
        log.length,
        forward[0]!.to[0]!.address,
      ]),
      [
        [["corp.example"], 1053, true, 1, "192.0.2.5"],
        [["b.example"], 53, true, 1, "192.0.2.6"],
        [["acme.local"], 53, true, 0, "192.0.2.9"],
      ],
    );
    assert.equal(configuration.servers[0]!.log[0]!.format, '{remote} says "{name}" # not a comment');
  });

  test("DNS-125, DNS-126, DNS-127, DNS-128: every option of kubernetes is read, but multicluster, which is refused", () => {
    const { configuration, access, warnings } = parse(fixture("everything"));
    const { kubernetes } = configuration.servers[0]!;
    assert.deepEqual(kubernetes, {
      ...usualKubernetes("cluster.local"),
      zones: ["cluster.local", "0.96.10.in-addr.arpa"],
      ttl: 0,
      pods: "verified",
      endpointPodNames: true,
      noEndpoints: false,
      ignoreEmptyServices: true,
      zonal: true,
      fallthrough: [""],
      namespaces: ["default", "shop"],
      labels: "app in (web,db),!old",
      startupTimeout: 1_500,
    });
    assert.deepEqual(access, {
      endpoint: "https://10.0.0.1:6443",
      tls: { cert: "/pki/dns.crt", key: "/pki/dns.key", ca: "/pki/ca.crt" },
      kubeconfig: { file: "/etc/dns.kubeconfig", context: "east" },
    });
    assert.deepEqual(
      [
        "apiserver_qps",
        "apiserver_burst",
        "apiserver_max_inflight",
        "max_age",
        "serve_stale",
        "consolidate",
        "runtime_metrics",
      ].filter((name) => !warnings.some((warning) => warning.includes(name))),
      [],
      warnings.join("\n"),
    );
    assert.equal(
      only(".:53 {\n kubernetes cluster.local {\n noendpoints\n namespace_labels team=a\n }\n}").kubernetes!
        .noEndpoints,
      true,
    );
  });

  test("what else there is of forward, cache, hosts and log", () => {
    const { servers } = parse(fixture("everything")).configuration;
    const block = servers[0]!;
    assert.deepEqual(block.forward, [
      {
        ...usualForward(
          [
            { address: "9.9.9.9", port: 853, tls: { serverName: "dns.quad9.net" } },
            { address: "2001:db8::9", port: 8853, tls: { serverName: "dns.quad9.net" } },
          ],
          "example.org",
        ),
        except: ["a.example.org", "b.example.org"],
        policy: "sequential",
        forceTcp: true,
        preferUdp: true,
        maxFails: 0,
        healthCheck: { interval: 200, domain: "up.example.org", recursion: false },
        expire: 60_000,
        maxConcurrent: 7,
        failover: [2, 5],
        failFast: true,
      },
      {
        ...usualForward([
          { address: "9.9.9.9", port: 853, tls: { serverName: "dns.quad9.net" } },
          { address: "2620:fe::fe", port: 853, tls: {} },
        ]),
      },
    ]);
    assert.deepEqual(block.cache, {
      ...usualCache,
      zones: ["example.org", "10.in-addr.arpa"],
      success: { capacity: 1000, ttl: 60, minTtl: 1 },
      denial: { capacity: 500, ttl: 10, minTtl: 5 },
      servfail: 10,
      prefetch: { amount: 3, duration: 120_000, percentage: 20 },
      serveStale: { duration: 86_400_000, verify: true },
      disable: { success: ["a.example.org"], denial: [""] },
      keepTtl: true,
    });
    assert.deepEqual(block.hosts, {
      file: "/etc/resolv.conf",
      inline: ["10.0.0.7 db.acme.local db", "fd00::7 db.acme.local"],
      zones: ["acme.local"],
      ttl: 60,
      noReverse: true,
      reload: 0,
      fallthrough: ["acme.local"],
    });
    assert.deepEqual(
      block.log.map(({ names, classes }) => [names, classes]),
      [
        [["example.org"], ["denial", "error"]],
        [[""], ["all"]],
      ],
    );
    assert.match(block.log[1]!.format, /^\{remote\}:\{port\} - \{>id\} "/);
    assert.deepEqual(block.bind, ["127.0.0.1"]);
  });

  const KEYS: [key: string, zones: string[], port: number][] = [
    [".", [""], 53],
    [".:53", [""], 53],
    [":5353", [""], 5353],
    ["dns://.", [""], 53],
    ["dns://Acme.Local.:1053", ["acme.local"], 1053],
    ["10.0.0.0/24", ["0.0.10.in-addr.arpa"], 53],
    ["10.0.0.0/8:54", ["10.in-addr.arpa"], 54],
    ["10.96.0.0/15", ["96.10.in-addr.arpa", "97.10.in-addr.arpa"], 53],
    ["0.0.0.0/0", ["in-addr.arpa"], 53],
    ["2001:db8::/32", ["8.b.d.0.1.0.0.2.ip6.arpa"], 53],
    ["fd00::/10", ["0.d.f.ip6.arpa", "1.d.f.ip6.arpa", "2.d.f.ip6.arpa", "3.d.f.ip6.arpa"], 53],
  ];
  for (const [key, zones, port] of KEYS) {
    test(`DNS-124: the key ${key} is ${zones.map((zone) => zone || "the root").join(" and ")}, port ${port}`, () => {
      const block = only(`${key} {\n errors\n}`);
      assert.deepEqual([block.zones, block.port], [zones, port]);
    });
  }

  test("several keys, with commas or without, and one port or more", () => {
    const { servers } = parse("a.example, b.example:53,\nc.example:54 {\n errors\n}").configuration;
    assert.deepEqual(
      servers.map(({ zones, port, errors }) => ({ zones, port, errors })),
      [
        { zones: ["a.example", "b.example"], port: 53, errors: true },
        { zones: ["c.example"], port: 54, errors: true },
      ],
    );
    assert.deepEqual(only("a.example b.example\nerrors").zones, ["a.example", "b.example"]);
  });

  const WRONG: [what: string, text: string, ...said: RegExp[]][] = [
    [
      "an unknown directive",
      ".:53 {\n errors\n autopath @kubernetes\n}",
      /^Corefile:3: unknown directive "autopath"; there are bind, cache, /,
    ],
    [
      "everything at once",
      ".:53 {\n nonsense\n cache x/y\n ready 1\n}",
      /Corefile:2: .*\nCorefile:3: .*\nCorefile:4: /,
    ],
    ["a directive twice", ".:53 {\n cache\n cache\n}", /^Corefile:3: cache: line 2 says it already/],
    ["a block without an end", ".:53 {\n errors\n", /^Corefile:1: a \{ begins here, and no \} ends it/],
    ["a } too many", ".:53 {\n errors\n}\n}", /^Corefile:4: a \} stands here/],
    ["a quote without an end", '.:53 {\n log . "{remote}\n}', /^Corefile:2: a " begins here/],
    ["nothing", "# nothing\n", /^Corefile:1: there is no server block/],
    [
      "a zone twice",
      "a.example {\n errors\n}\na.example {\n errors\n}",
      /^Corefile:4: a\.example:53 is answered by the block of line 1 already/,
    ],
    ["another protocol", "tls://.:853 {\n errors\n}", /^Corefile:1: "tls:\/\/\.:853": tls:\/\/ is not served/],
    ["a port too large", ".:70000 {\n errors\n}", /70000 is not a port/],
    ["no zone", "a..b {\n errors\n}", /^Corefile:1: "a\.\.b" is not a zone/],
    [
      "an import of nothing",
      ".:53 {\n import nowhere\n}",
      /^Corefile:2: import: "nowhere" is neither a file nor a snippet/,
    ],
    [
      "a snippet in itself",
      "(a) {\n import a\n}\n.:53 {\n import a\n}",
      /import: more than 1000 imports; does "a" import itself/,
    ],
    [
      "an unknown directive of a file",
      ".:53 {\n import custom/*.override\n}",
      /^\/conf\/custom\/acme\.override:1: unknown directive "rewritten"/,
    ],
    [
      "pods of another kind",
      ".:53 {\n kubernetes cluster.local {\n pods some\n }\n}",
      /^Corefile:3: pods: "some" is not one of disabled, insecure, verified/,
    ],
    [
      "a ttl too large",
      ".:53 {\n kubernetes cluster.local {\n ttl 3601\n }\n}",
      /"3601" is not a TTL, a whole number from 0 to 3600/,
    ],
    [
      "namespaces twice over",
      ".:53 {\n kubernetes cluster.local {\n namespaces a\n namespace_labels b\n }\n}",
      /namespaces and namespace_labels exclude each other/,
    ],
    [
      "zonal without endpoints",
      ".:53 {\n kubernetes cluster.local {\n zonal\n noendpoints\n }\n}",
      /zonal needs endpoints/,
    ],
    [
      "DNS-125: multicluster",
      ".:53 {\n kubernetes cluster.local {\n multicluster clusterset.local\n }\n}",
      /^Corefile:3: multicluster: /,
    ],
    ["reverse zones alone", ".:53 {\n kubernetes 10.0.0.0/8\n}", /are reverse zones/],
    [
      "an option that is none",
      ".:53 {\n kubernetes cluster.local {\n upstream\n }\n}",
      /^Corefile:3: kubernetes: there is no option "upstream"; there are endpoint, /,
    ],
    ["a bad selector", ".:53 {\n kubernetes cluster.local {\n labels a in\n }\n}", /is not a label selector/],
    [
      "https upstream",
      ".:53 {\n forward . https://dns.example\n}",
      /https:\/\/ is not spoken here; there are dns:\/\/ and tls:\/\//,
    ],
    [
      "a name for a resolver",
      ".:53 {\n forward . dns.example\n}",
      /^Corefile:2: forward: "dns\.example" is neither an address/,
    ],
    ["a file without nameservers", ".:53 {\n forward . /empty\n}", /"\/empty" names no nameserver/],
    ["forward to nobody", ".:53 {\n forward .\n}", /it should be: forward ZONE RESOLVER/],
    ["next", ".:53 {\n forward . 192.0.2.1 {\n next NXDOMAIN\n }\n}", /^Corefile:3: forward: next is not known here/],
    [
      "a code that is none",
      ".:53 {\n forward . 192.0.2.1 {\n failover NOERROR\n }\n}",
      /"NOERROR" is not one of FORMERR, SERVFAIL/,
    ],
    [
      "a policy that is none",
      ".:53 {\n forward . 192.0.2.1 {\n policy first\n }\n}",
      /"first" is not one of random, round_robin, sequential/,
    ],
    ["no duration", ".:53 {\n reload soon\n}", /"soon" is not a duration/],
    ["reload too often", ".:53 {\n reload 1s\n}", /"1s" is not a duration of 2s or more/],
    ["servfail too long", ".:53 {\n cache {\n servfail 6m\n }\n}", /"6m" is not a duration of 300s or less/],
    ["an interface that is not there", ".:53 {\n bind eth9\n}", /"eth9" is neither an address nor an interface/],
    ["weights", ".:53 {\n loadbalance weighted /file\n}", /weighted is not known here/],
    ["loop with words", ".:53 {\n loop x\n}", /^Corefile:2: loop: "x" follows; it should be: loop alone/],
    [
      "two addresses for health",
      ".:53 {\n health :1\n}\na.example {\n health :2\n}",
      /^Corefile:5: health: another block has another address/,
    ],
    [
      "hosts with a word",
      ".:53 {\n hosts {\n nothere a\n }\n}",
      /^Corefile:3: hosts: "nothere" is neither an address with names/,
    ],
    ["metrics over TLS", ".:53 {\n prometheus {\n tls /f\n }\n}", /metrics are told over plain HTTP/],
  ];
  for (const [what, text, ...said] of WRONG) {
    test(`refused with its line: ${what}`, () => {
      const message = faults(text);
      for (const each of said) assert.match(message, each);
    });
  }

  test("an unset variable is empty, and said", () => {
    const { warnings } = parse(
      ".:53 {\n hosts {$NONE} {\n 10.0.0.1 a\n }\n errors {$NONE}\n}".replace(" errors {$NONE}\n", ""),
    );
    assert.match(warnings.join("\n"), /Corefile:2: the environment has no variable "NONE"/);
  });

  test("whatever is done to a Corefile, it is read or refused in its own words", () => {
    const all = FIXTURES.map(fixture);
    const pieces = [
      "{",
      "}",
      '"',
      "\\",
      "#",
      "\n",
      " ",
      "import",
      "(",
      ")",
      ",",
      "{$",
      "{%",
      "/",
      ":",
      "%",
      "\u0000",
      "\ufeff",
      "[",
      "]",
      "0",
      "-1",
      "9".repeat(400),
      "é",
      "x".repeat(300),
    ];
    fc.assert(
      fc.property(
        fc.constantFrom(...all),
        fc.array(
          fc.tuple(fc.nat(3000), fc.nat(40), fc.constantFrom(...pieces, ...all.map((text) => text.slice(0, 200)))),
          { maxLength: 6 },
        ),
        (text, changes) => {
          let changed = text;
          for (const [at, length, piece] of changes) {
            const from = at % (changed.length + 1);
            changed = changed.slice(0, from) + piece + changed.slice(from + length);
          }
          try {
            const { configuration } = parse(changed);
            assert.ok(configuration.servers.length > 0);
          } catch (error) {
            if (!(error instanceof CorefileError)) throw error;
            for (const { line, sentence } of error.faults) assert.ok(line >= 1 && sentence.length > 10);
          }
        },
      ),
      { numRuns: 2000 },
    );
  });
});
