import assert from "node:assert/strict";
import { test } from "node:test";
import { certificateFor } from "./certificate-for.ts";

const certificate = (secret: string) => ({ secret, chain: "", key: "" });

test("CTL-140: a name's own certificate comes before its wildcard's, for one label alone, and the one for no name is the last", () => {
  const names = ["", "a.example", "*.example", "*.b.example"];
  const certificates = new Map(names.map((name) => [name, certificate(name)]));
  for (const [asked, found] of [
    ["a.example", "a.example"],
    ["b.example", "*.example"],
    ["c.b.example", "*.b.example"],
    ["d.c.b.example", ""],
    ["example", ""],
    ["*.example", "*.example"],
    ["", ""],
    [undefined, ""],
  ] as const)
    assert.equal(certificateFor(certificates, asked)?.name, found, String(asked));
  assert.equal(certificateFor(new Map([["a.example", certificate("")]]), "b.example"), undefined);
});
