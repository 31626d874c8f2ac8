import assert from "node:assert/strict";
import { test } from "node:test";
import * as packets from "dns-packet";
import { parseQuery } from "../wire/query.ts";
import { failureOf } from "./response.ts";
import { createRouter } from "./router.ts";

void test("DNS-130: the longest `from` that ends the name is asked; what is left out goes elsewhere or is refused", async () => {
  let way = "";
  const route = (from: string, except: readonly string[] = []) => ({
    forward: { from, except },
    resolver: {
      resolve: async (packet: Buffer) => {
        way = from === "" ? "." : from;
        return failureOf(packet, parseQuery(packet)!, 0);
      },
      stop() {},
    },
  });
  const ask = async (routes: Parameters<typeof createRouter>[0], name: string): Promise<string> => {
    way = "";
    const packet = packets.encode({ type: "query", questions: [{ name, type: "A" }] });
    const { rcode } = await createRouter(routes).resolve(packet, parseQuery(packet)!, "udp");
    return rcode === 5 ? "refused" : way;
  };
  const some = [route(""), route("acme.local"), route("b.acme.local", ["x.b.acme.local", "b.acme.local"])];
  const table: readonly (readonly [string, string])[] = [
    ["example.com", "."],
    ["acme.local", "acme.local"],
    ["A.ACME.local", "acme.local"],
    ["notacme.local", "."],
    // Within a label the byte that is the length of the next one elsewhere.
    ["x\u0004acme.local", "."],
    ["b.acme.local", "b.acme.local"],
    ["c.b.acme.local", "b.acme.local"],
    ["d.x.b.acme.local", "acme.local"],
  ];
  for (const [name, expected] of table) assert.equal(await ask(some, name), expected, name);
  assert.equal(await ask([route("acme.local")], "example.com"), "refused");
  assert.equal(await ask([route("", ["local"])], "x.local"), "refused");
});
