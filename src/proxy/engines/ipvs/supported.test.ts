import { deepEqual, match, ok } from "node:assert/strict";
import { test } from "node:test";
import type { Host, RunResult } from "../../../host/host.ts";
import { Iptables } from "./iptables.ts";
import { supported } from "./supported.ts";

const unused = (): never => {
  throw new Error("nobody asks for this");
};

/** A machine without `missing`, on which tools fail as told, by `tool first-argument`. */
function machine(
  missing: readonly string[],
  failures: Readonly<Record<string, string>>,
): { host: Host; ran: string[] } {
  const ran: string[] = [];
  const host: Host = {
    run: (command, args): Promise<RunResult> => {
      ran.push([command, ...args].join(" "));
      const complaint = failures[`${command} ${args[0]}`] ?? failures[command];
      return Promise.resolve({ code: complaint === undefined ? 0 : 1, stdout: "", stderr: complaint ?? "" });
    },
    which: (tool) => Promise.resolve(missing.includes(tool) ? undefined : `/usr/sbin/${tool}`),
    check: unused,
    open: unused,
    startDetached: unused,
  };
  return { host, ran };
}

async function ask(
  missing: readonly string[],
  failures: Record<string, string> = {},
  scheduler = "rr",
): Promise<string> {
  const { host } = machine(missing, failures);
  const answer = await supported(host, new Iptables(host), ["IPv4", "IPv6"], scheduler);
  return answer.supported ? "yes" : answer.missing;
}

test("PRX-158: each tool and each part of the kernel that is missing is named, with how to get it", async () => {
  deepEqual(await ask([]), "yes");
  for (const tool of ["ipvsadm", "ipset", "iptables"]) {
    match(await ask([tool]), new RegExp(`the tool ${tool} is not installed: install the package ${tool}`));
  }
  match(await ask([], { "ipvsadm -A": "Can't initialize ipvs: Protocol not available" }), /load the module ip_vs/);
  match(await ask([], { "ipvsadm -A": "Memory allocation problem: Operation not permitted" }), /needs root/);
  match(await ask([], { iptables: "no", "iptables-legacy": "no" }), /neither iptables nor iptables-legacy/);
  match(await ask([], { ip6tables: "no" }), /neither ip6tables nor ip6tables-legacy/);
  match(await ask([], { ipset: "ipset v7.17: Kernel support is missing" }), /ip_set_hash_ipport.*Kernel support/);
});

test("PRX-184: a scheduler is tried with a virtual server at 198.51.100.0:20000, which is removed", async () => {
  const { host, ran } = machine([], {});
  deepEqual(await supported(host, new Iptables(host), ["IPv4"], "sed"), { supported: true });
  deepEqual(ran.slice(0, 2), ["ipvsadm -A -t 198.51.100.0:20000 -s sed", "ipvsadm -D -t 198.51.100.0:20000"]);
  const missing = await ask([], { "ipvsadm -A": "Scheduler or persistence engine not found" }, "lblc");
  ok(missing.includes("no IPVS scheduler lblc: load its module (modprobe ip_vs_lblc)"), missing);
});

test("where the usual iptables does not work the old one is taken, for both families", async () => {
  const { host, ran } = machine([], { iptables: "Operation not supported" });
  deepEqual(await supported(host, new Iptables(host), ["IPv4", "IPv6"], "rr"), { supported: true });
  ok(ran.some((line) => line.startsWith("ip6tables-legacy")));
  ok(!ran.some((line) => line.startsWith("ip6tables ")));
});
