import { deepEqual, equal, match, ok } from "node:assert/strict";
import { test } from "node:test";
import type { Host, RunResult } from "../../../host/host.ts";
import { supported } from "./supported.ts";

/** A machine that has nothing but what the answers say. */
const machine = (has: boolean, answer: (command: string, args: readonly string[]) => Partial<RunResult>) => {
  const inputs: string[] = [];
  const host = {
    which: async () => (has ? "/usr/sbin/nft" : undefined),
    run: async (command: string, args: readonly string[], options?: { input?: string }) => {
      if (options?.input !== undefined) inputs.push(options.input);
      return { code: 0, stdout: "", stderr: "", ...answer(command, args) };
    },
  } as unknown as Host;
  return { host, inputs };
};

const missing = async (host: Host): Promise<string> => {
  const support = await supported(host, ["IPv4", "IPv6"]);
  ok(!support.supported);
  return support.missing;
};

test("PRX-158, PRX-169: what is missing is named: the tool, the right, or a version that is too old", async () => {
  match(await missing(machine(false, () => ({})).host), /nft is not installed: install the package nftables/);
  const forbidden = machine(true, () => ({
    code: 1,
    stderr: "Error: Could not process rule: Operation not permitted",
  }));
  match(await missing(forbidden.host), /not permitted here: it needs root/);
  const old = machine(true, (command, args) => {
    if (command === "uname") return { stdout: "4.19.0-27-amd64\n" };
    if (args[0] === "--version") return { stdout: "nftables v0.9.0 (Fearless Fosdick)\n" };
    return { code: 1, stderr: "/dev/stdin:3:9-14: Error: syntax error, unexpected typeof\nadd map ip fairlead fe" };
  });
  equal(
    await missing(old.host),
    "nft 0.9.0 or the kernel 4.19.0-27-amd64 does not take the rules (nft 1.0.6 and kernel 5.13 do): /dev/stdin:3:9-14: Error: syntax error, unexpected typeof | add map ip fairlead fe",
  );
});

test("all that the rules need is asked for, and nothing is changed", async () => {
  const calls: string[][] = [];
  const { host, inputs } = machine(true, (command, args) => {
    calls.push([command, ...args]);
    return {};
  });
  deepEqual(await supported(host, ["IPv6"]), { supported: true });
  deepEqual(calls, [["nft", "-c", "-f", "-"]]);
  for (const word of [
    "jhash ip6 saddr",
    "numgen inc",
    "numgen random",
    "fib daddr type local",
    "flags interval",
    "@aff",
  ]) {
    ok(inputs[0]!.includes(word), word);
  }
});
