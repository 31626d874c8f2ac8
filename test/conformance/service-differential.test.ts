import assert from "node:assert/strict";
import { suite, test } from "node:test";
import * as fc from "fast-check";
import { createAuthority } from "../apiserver/certificates.ts";
import { times } from "../lab/counts.ts";
import { Client } from "./differential/client.ts";
import { step } from "./differential/grammar.ts";
import { startFairlead } from "./fairlead.ts";
import { startKubernetes } from "./kubernetes.ts";

const NAMES = ["a", "b", "c"];
const SEQUENCES = times(60, 1500);
const skip =
  process.env["KUBE_APISERVER"] === undefined ? "KUBE_APISERVER names no kube-apiserver to compare with" : false;

const clusters: [title: string, serviceRanges: string[]][] = [
  ["two families", ["10.96.0.0/16", "fd00:10:96::/112"]],
  ["one family", ["10.96.0.0/16"]],
  ["IPv6 first", ["fd00:10:96::/112", "10.96.0.0/16"]],
];

void suite("Fairlead and kube-apiserver are asked the same", { skip }, () => {
  for (const [title, serviceRanges] of clusters) {
    void test(
      `whatever is done to Services of a cluster with ${title}, both answer alike`,
      { timeout: 900_000 },
      async (t) => {
        const authority = await createAuthority();
        const [server, admin] = await Promise.all([authority.server(), authority.client("O=system:masters, CN=admin")]);
        const given = { ca: authority.cert, server, admin, serviceRanges };
        const [theirs, ours] = await Promise.all([startKubernetes(given), startFairlead(given)]);
        const [upstream, fairlead] = [theirs, ours].map(({ port }) => new Client(port, authority.cert, admin));
        let steps = 0;
        let done = 0;
        const sequence = fc.asyncProperty(fc.array(step, { minLength: 6, maxLength: 16 }), async (all) => {
          try {
            for (const one of all) {
              const [wanted, found] = await Promise.all([upstream!.step(one), fairlead!.step(one)]);
              assert.deepEqual(found, wanted, JSON.stringify(one));
              steps += 1;
              if (wanted.code < 300) done += 1;
            }
            const { held, said } = await fairlead!.addresses();
            assert.deepEqual(held, said, "the addresses that are held are those of the Services");
          } finally {
            await Promise.all([upstream!.clear(NAMES), fairlead!.clear(NAMES)]);
          }
        });
        try {
          await fc.assert(sequence, { numRuns: SEQUENCES });
        } finally {
          upstream!.close();
          fairlead!.close();
          await Promise.all([theirs.close(), ours.close()]);
        }
        t.diagnostic(`${steps} steps were answered alike, ${done} of them done and the others refused`);
        assert.ok(done * 10 > steps, "too few of them could be done: the test tests too little");
      },
    );
  }
});
