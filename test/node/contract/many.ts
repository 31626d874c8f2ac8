import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { childrenOf, nameOf } from "../../../src/host/process-identity.ts";
import { inTurn } from "../../../src/node/pods/in-turn.ts";
import { until } from "../../lab/until.ts";
import { answerOf, host, refusalOf, scene, type Made, type RuntimeSubject } from "./subject.ts";

const textOf = (pid: string, file: string): string => {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "utf8");
  } catch {
    return "";
  }
};

/**
 * Everything that may be left: links, namespaces, routes, neighbours, processes of ours. Before there is a scratch
 * folder no process can be ours, whatever words a stranger's command line happens to contain.
 */
async function traces(scratch: string | undefined): Promise<Record<string, string>> {
  const asked = {
    links: ["ip", "-o", "link"],
    namespaces: ["ip", "netns", "list"],
    routes: ["ip", "route", "show", "table", "all"],
    routes6: ["ip", "-6", "route", "show", "table", "all"],
    neighbours: ["ip", "neigh", "show", "nud", "permanent"],
    tables: ["nft", "list", "tables"],
  };
  const found: Record<string, string> = {};
  for (const [what, [command, ...args]] of Object.entries(asked)) {
    found[what] = (await host.check(command!, args)).stdout.replaceAll(/^\d+: /gm, "");
  }
  const children = await Promise.all((await childrenOf(process.pid)).map(nameOf));
  found["children"] = children.filter((name) => name !== undefined).join(" ");
  found["processes"] = readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && name !== String(process.pid))
    .filter((pid) => scratch !== undefined && `${textOf(pid, "cmdline")}${textOf(pid, "mountinfo")}`.includes(scratch))
    .map((pid) => textOf(pid, "cmdline"))
    .join("\n");
  return found;
}

/** As many at once as the node lets be set up and started. */
const AT_ONCE = 24;

export const manyExamples = (subject: RuntimeSubject): void => {
  const { many } = subject.abilities;
  void test(
    `${subject.name}: ${many} pods at once run and answer; ended, nothing is left of them`,
    { timeout: 170_000 },
    async (context) => {
      const before = await traces(undefined);
      const at = await scene(subject);
      const all: Made[] = [];
      let ended = false;
      try {
        const began = performance.now();
        const turn = inTurn(AT_ONCE);
        // Of most only the start is asked for: a thousand programs that answer would be a test of the machine.
        const idle = subject.abilities.programs
          ? { name: "main", command: ["sleep", "1000000"] }
          : subject.server(8080);
        const one = (index: number) => turn(() => at.run(index % 20 === 0 ? subject.server(8080) : idle));
        all.push(...(await Promise.all(Array.from({ length: many }, (_, index) => one(index)))));
        await until(
          "all to run",
          async () => {
            const sights = await Promise.all(all.map(({ started }) => at.runtime.status(started)));
            return sights.every(({ state }) => state === "running");
          },
          { seconds: 120 },
        );
        context.diagnostic(`${many} pods run after ${((performance.now() - began) / 1000).toFixed(2)} s`);
        assert.equal(new Set(all.flatMap(({ addresses }) => addresses)).size, many * 2, "no address twice");
        for (const { addresses, start } of all.filter((_, index) => index % 20 === 0)) {
          for (const address of addresses) assert.equal(await answerOf(address, 8080), start.hostname);
        }
        await at.end();
        ended = true;
        assert.notEqual(await refusalOf(all[0]!.addresses[0]!, 8080), undefined);
      } finally {
        if (!ended) await at.end();
      }
      const left = async (): Promise<Record<string, string>> => traces(at.scratch);
      await until("nothing to be left", async () => JSON.stringify(await left()) === JSON.stringify(before)).catch(
        async () => assert.deepEqual(await left(), before),
      );
    },
  );
};
