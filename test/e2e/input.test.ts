import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { chmod, mkdtemp } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import type { Running } from "../../src/host/host.ts";
import { bringUp, FAIRLEAD } from "../lab/fairlead.ts";
import { createLab, type Lab, type LabHost } from "../lab/lab.ts";
import { settledTraces, traces } from "../lab/traces.ts";
import { until } from "../lab/until.ts";

interface Refusal {
  readonly name: string;
  readonly args: readonly string[];
  readonly code: 1 | 2;
  /** What the one sentence must have in it: the thing and the remedy. */
  readonly says: readonly RegExp[];
}

/** What is wrong is said in one sentence before anything is made. */
describe("bad input", () => {
  let lab: Lab;
  let host: LabHost;
  before(async () => {
    lab = await createLab();
    host = await lab.add("h1");
    // An address that the kernel still tries out changes by itself.
    await until("settled addresses", async () => !(await traces(host)).addresses.join().includes("tentative"));
  });
  after(() => lab.close());

  /** A name in a directory that anybody may write, and that is not there yet. */
  const fresh = async (): Promise<string> => {
    const parent = await mkdtemp(join(host.scratch, "data-"));
    await chmod(parent, 0o777);
    return join(parent, "d");
  };

  interface RefusedOptions {
    readonly before?: readonly string[];
    /** The data directory, which must not be there afterwards. */
    readonly data?: string;
  }

  /** Also compares the host before and after. */
  async function refused(...given: Parameters<typeof says>): Promise<void> {
    const was = await traces(host);
    await says(...given);
    assert.deepEqual(await traces(host), was);
  }

  async function says(
    args: readonly string[],
    code: number,
    words: readonly RegExp[],
    { before: user = [], data }: RefusedOptions = {},
  ): Promise<void> {
    const [command, ...rest] = [...user, "env", "HOME=/tmp", FAIRLEAD, ...args];
    const { code: ended, stdout, stderr } = await host.run(command!, rest);
    assert.equal(stderr.split("\n").length, 2, `one line on standard error:\n${stderr}`);
    for (const word of [/^fairlead: /, ...words]) assert.match(stderr, word);
    assert.equal(ended, code, stderr);
    assert.match(stdout, /^(fairlead: ending; removing what was made\n)?$/);
    if (data !== undefined) assert.ok(!existsSync(data), `${data} was made`);
  }

  const usage: readonly Refusal[] = [
    { name: "an unknown command", args: ["upp"], code: 2, says: [/"upp"/, /did you mean up\?/] },
    {
      name: "a command unlike any",
      args: ["frobnicate"],
      code: 2,
      says: [/"frobnicate"/, /up, shell, proxy, dns, ingress, status, down/],
    },
    { name: "a flag before the command", args: ["--data", "/x", "up"], code: 2, says: [/--data/, /after it/] },
    { name: "an unknown global flag", args: ["--verison"], code: 2, says: [/--verison; did you mean --version\?/] },
    { name: "an unknown flag", args: ["up", "--prviate"], code: 2, says: [/--prviate; did you mean --private\?/] },
    {
      name: "an unknown flag with a value",
      args: ["up", "--cluster-cdir=10.0.0.0/8"],
      code: 2,
      says: [/--cluster-cdir; did you mean --cluster-cidr\?/],
    },
    { name: "one dash for two", args: ["up", "-private"], code: 2, says: [/-private; did you mean --private\?/] },
    { name: "a flag of every object", args: ["up", "--constructor"], code: 2, says: [/unknown flag --constructor/] },
    { name: "a flag without its value", args: ["up", "--data"], code: 2, says: [/--data/] },
    { name: "a flag where a value belongs", args: ["up", "--data", "--private"], code: 2, says: [/--data/] },
    { name: "a value nobody asked for", args: ["up", "--private=maybe"], code: 2, says: [/--private/] },
    { name: "an empty data directory", args: ["up", "--data", ""], code: 2, says: [/--data/, /empty/] },
    { name: "a word", args: ["up", "web.yaml"], code: 2, says: [/"web\.yaml"/, /-f/] },
    { name: "a word after --", args: ["up", "--", "web.yaml"], code: 2, says: [/"web\.yaml"/, /-f/] },
    { name: "a word for down", args: ["down", "/srv/one"], code: 2, says: [/"\/srv\/one"/, /--data/] },
    { name: "a word for status", args: ["status", "web"], code: 2, says: [/"web"/, /--data/] },
    { name: "a command of shell without --", args: ["shell", "ls"], code: 2, says: [/shell -- ls/] },
    { name: "another output", args: ["up", "-o", "yaml"], code: 2, says: [/--output/, /text, json/] },
    { name: "another log level", args: ["up", "--log-level", "inof"], code: 2, says: [/did you mean info\?/] },
    { name: "no etcd address", args: ["up", "--store", "etcd://"], code: 2, says: [/--store/] },
    { name: "no mode", args: ["up", "--proxy-mode", "ebpf"], code: 2, says: [/--proxy-mode/, /nftables/] },
    { name: "no address", args: ["up", "--listen", "nowhere"], code: 2, says: [/--listen/, /127\.0\.0\.1:6443/] },
    { name: "port 0", args: ["up", "--listen", "127.0.0.1:0"], code: 2, says: [/--listen/, /1-65535/] },
    { name: "publish without private", args: ["up", "--publish"], code: 2, says: [/--publish/, /--private/] },
    {
      name: "no range",
      args: ["up", "--cluster-cidr", "10.0.0.0"],
      code: 2,
      says: [/--cluster-cidr/, /ADDRESS\/PREFIX/],
    },
    {
      name: "two ranges of one family",
      args: ["up", "--cluster-cidr", "10.0.0.0/16,10.1.0.0/16"],
      code: 2,
      says: [/--cluster-cidr/, /at most one IPv4 and one IPv6/],
    },
    {
      name: "a range of Services too small",
      args: ["up", "--service-cluster-ip-range", "10.96.0.0/30"],
      code: 2,
      says: [/--service-cluster-ip-range/, /10\.96\.0\.0\/30 is too small/, /\/28/],
    },
    {
      name: "a range of pods too small",
      args: ["up", "--cluster-cidr", "10.244.0.0/16,fd00::/126"],
      code: 2,
      says: [/--cluster-cidr/, /fd00::\/126 is too small/, /\/125/],
    },
    {
      name: "ranges that overlap each other",
      args: ["up", "--service-cluster-ip-range", "10.96.0.0/16", "--cluster-cidr", "10.0.0.0/8"],
      code: 2,
      says: [/10\.96\.0\.0\/16/, /10\.0\.0\.0\/8/, /overlap/, /must differ/],
    },
    {
      name: "node ports the wrong way round",
      args: ["up", "--service-node-port-range", "2-1"],
      code: 2,
      says: [/--service-node-port-range/, /FROM-TO/],
    },
    {
      name: "no domain",
      args: ["up", "--cluster-domain", "Cluster_Local"],
      code: 2,
      says: [/--cluster-domain/, /DNS name/],
    },
    {
      name: "a manifest that is not there",
      args: ["up", "-f", "/nowhere/web.yaml"],
      code: 1,
      says: [/\/nowhere\/web\.yaml/, /-f/],
    },
    { name: "a manifest without end", args: ["up", "-f", "/dev/zero"], code: 1, says: [/\/dev\/zero/, /bytes/] },
    { name: "a manifest that is a program", args: ["up", "-f", "/bin/sh"], code: 1, says: [/\/bin\/sh/, /UTF-8/] },
  ];
  test("what the command line cannot mean: its exit code, one sentence, and nothing is made", async (context) => {
    const was = await traces(host);
    for (const { name, args, code, says: words } of usage) {
      await context.test(`${name}: exit ${code}`, async () => {
        const data = await fresh();
        const named = args[0] === "up" && !args.includes("--data") ? ["up", "--data", data, ...args.slice(1)] : args;
        await says(named, code, words, { data });
      });
    }
    assert.deepEqual(await traces(host), was);
  });

  test("a directory without manifests: the directory is named", async () => {
    const [data, empty] = [await fresh(), await fresh()];
    mkdirSync(empty);
    writeFileSync(join(empty, "notes.txt"), "kind: Service");
    await refused(["up", "--data", data, "-f", empty], 1, [/no \.yaml, \.yml or \.json/], { data });
  });

  test("a port that is taken: the port and --listen are named", async () => {
    const data = await fresh();
    const script = `require("node:net").createServer().listen(7443, "127.0.0.1", () => console.log("listening"))`;
    const other = await host.open(process.execPath, ["-e", script]);
    try {
      await new Promise((resolve) => other.stdout.once("data", resolve));
      await refused(["up", "--data", data, "--listen", "127.0.0.1:7443"], 1, [/127\.0\.0\.1:7443/, /--listen/], {
        data,
      });
    } finally {
      other.kill("SIGKILL");
      await other.ended;
    }
  });

  test("an address this host has not", async () => {
    const data = await fresh();
    await refused(["up", "--data", data, "--listen", "192.0.2.1:6443"], 1, [/192\.0\.2\.1:6443/, /--listen/], { data });
  });

  test("a data directory that an ordinary user may not write", async () => {
    const locked = join(host.scratch, "locked");
    mkdirSync(locked, { mode: 0o755 });
    const user = host.ordinaryUser;
    const read = join(locked, "d");
    // In a user namespace the tester's own files are the ordinary user's too: the directory is then one of the kernel's.
    const data = user[0] === "setpriv" ? read : "/proc/sys/d";
    await refused(["up", "--data", data], 1, [/data directory/, new RegExp(data), /--data DIR/], {
      before: user,
      data,
    });
  });

  test("a data directory that is a file", async () => {
    const data = await fresh();
    writeFileSync(data, "");
    await refused(["up", "--data", data], 1, [/data directory/, /--data DIR/]);
    assert.equal(readdirSync(join(data, "..")).join(), "d");
  });

  test("a data directory on a file system that is only read", async () => {
    const parent = join(await fresh(), "ro");
    mkdirSync(parent, { recursive: true });
    const mount = `mount -t tmpfs -o ro tmpfs "$0" && exec "$@"`;
    const apart = ["unshare", "--mount", "--", "sh", "-c", mount, parent];
    await refused(["up", "--data", join(parent, "d")], 1, [/EROFS/, /--data DIR/], { before: apart });
  });

  for (const [what, route, named] of [
    ["an interface", ["10.96.128.0/17", "dev", "eth0"], /10\.96\.128\.0\/17 of interface eth0/],
    ["the range of flannel", ["10.244.0.0/24", "dev", "flannel.1"], /10\.244\.0\.0\/24 of interface flannel\.1/],
    ["nowhere", ["blackhole", "10.96.0.0/16"], /10\.96\.0\.0\/16 \(blackhole\)/],
    [
      "two ways",
      ["10.244.8.0/24", "nexthop", "via", "10.77.0.8", "nexthop", "via", "10.77.0.9"],
      /10\.244\.8\.0\/24 of interface eth0/,
    ],
    ["IPv6", ["fd00:10:96::/64", "dev", "eth0"], /fd00:10:96::\/64 of interface eth0/],
  ] as const) {
    test(`ranges that overlap a route to ${what}: the route and the flags are named`, async () => {
      const data = await fresh();
      if (what === "the range of flannel") {
        await host.check("ip", ["link", "add", "flannel.1", "type", "bridge"]);
        await host.check("ip", ["link", "set", "flannel.1", "up"]);
      }
      const family = route.some((word) => word.includes("::")) ? "-6" : "-4";
      await host.check("ip", [family, "route", "add", ...route]);
      try {
        await refused(["up", "--data", data], 1, [named, /--service-cluster-ip-range/, /--private/], { data });
      } finally {
        await host.check("ip", [family, "route", "del", ...route]);
        if (what === "the range of flannel") await host.check("ip", ["link", "del", "flannel.1"]);
      }
    });
  }

  test("a missing tool: the tool and its package are named", async () => {
    for (const [tool, packageName] of [
      ["nft", "nftables"],
      ["bwrap", "bubblewrap"],
      ["ip", "iproute2"],
    ] as const) {
      const data = await fresh();
      // Where the tool was there is something that no one can execute.
      const hidden = `for at in $(which -a "$0"); do mount --bind /dev/null "$at"; done; exec "$@"`;
      const before = ["unshare", "--mount", "--", "sh", "-c", hidden, tool];
      await refused(["up", "--data", data], 1, [new RegExp(`\\b${tool} not found`), new RegExp(packageName)], {
        before,
        data,
      });
    }
  });

  test("no user namespaces (user.max_user_namespaces is 0): the setting is named", async () => {
    const data = await fresh();
    // A limit of a user namespace of the test's own: the machine's stays as it is.
    const none = `echo 0 > /proc/sys/user/max_user_namespaces && exec "$@"`;
    const apart = ["unshare", "--user", "--map-user=1000", "--map-group=1000", "--keep-caps", "--"];
    await refused(["up", "--data", data], 1, [/user namespaces/, /user\.max_user_namespaces/, /run as root/], {
      before: [...apart, "sh", "-c", none, "sh"],
      data,
    });
  });

  test("status and shell where nothing runs, down where nothing is left", async () => {
    const data = await fresh();
    for (const args of [["status"], ["shell"]]) {
      await refused([...args, "--data", data], 1, [/no Fairlead runs/, /fairlead up/, /--data DIR/], { data });
    }
    const { code, stdout } = await host.run(FAIRLEAD, ["down", "--data", data]);
    assert.equal(code, 0);
    assert.match(stdout, /nothing runs/);
    assert.ok(!existsSync(data));
  });

  test("in use by another Fairlead: its process and how to end it are named, and it runs on", async () => {
    const before = await traces(host);
    const running = await bringUp(host);
    try {
      const was = await settledTraces(host);
      for (const [args, words] of [
        [
          ["--data", running.data],
          [/in use/, /process id \d+/, /fairlead down --data/],
        ],
        // Another data directory, but the same network.
        [
          ["--data", await fresh(), "--listen", "127.0.0.1:7443"],
          [/another Fairlead/, /fairlead0/, /--private/],
        ],
        [
          ["--data", await fresh(), "--private"],
          [/127\.0\.0\.1:6443/, /--listen/],
        ],
      ] as const) {
        await refused(["up", ...args], 1, words);
      }
      assert.deepEqual(await traces(host), was);
      assert.equal((await host.run(FAIRLEAD, ["status", "--data", running.data])).code, 0);
    } finally {
      assert.equal(await running.end(), 0);
    }
    assert.deepEqual(await traces(host), before);
  });

  test("two that start at once on one data directory: one gets it, the other says so", async () => {
    const data = await fresh();
    const was = await traces(host);
    const start = (port: number): Promise<Running> =>
      host.open("env", ["HOME=/tmp", FAIRLEAD, "up", "--private", "--data", data, "--listen", `127.0.0.1:${port}`]);
    const both = await Promise.all([start(7001), start(7002)]);
    const ends = both.map(async (one) => {
      let stderr = "";
      one.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
      one.stdout.resume();
      const code = await one.ended;
      return { one, code, stderr };
    });
    const loser = await Promise.race(ends);
    assert.equal(loser.code, 1, loser.stderr);
    assert.match(loser.stderr, /in use by the Fairlead with process id/);
    // The other is still starting: Ctrl-C ends it at once all the same.
    const began = performance.now();
    for (const one of both) if (one !== loser.one) one.kill("SIGINT");
    const winner = (await Promise.all(ends)).find((end) => end.one !== loser.one);
    assert.ok(winner);
    assert.equal(winner.code, 0, winner.stderr);
    assert.ok(performance.now() - began < 20_000, "it ends at once");
    assert.deepEqual(await traces(host), was);
  });
});
