import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { forgetMade, NOTHING_MADE, readMade, writeMade } from "./made.ts";
import { isSiteLink, overlapWithRoutes, type Route } from "./network.ts";

const overlap = (...routes: Route[]) => overlapWithRoutes(["10.96.0.0/16", "fd00:10:96::/112"], routes);

test("a route that overlaps a range is named with its interface, whichever is the larger", () => {
  for (const dst of ["10.96.0.0/16", "10.0.0.0/8", "10.96.7.0/24", "10.96.0.1"]) {
    assert.match(
      overlap({ dst, dev: "eth1" }) ?? "",
      /^the range 10\.96\.0\.0\/16 overlaps .* of interface eth1$/,
      dst,
    );
  }
  assert.match(overlap({ dst: "fd00:10::/32", dev: "wg0" }) ?? "", /wg0/);
});

test("routes without an interface of their own count too", () => {
  assert.match(overlap({ dst: "10.96.0.0/16", type: "blackhole" }) ?? "", /\(blackhole\)/);
  assert.match(overlap({ dst: "10.96.0.0/16", nexthops: [{ dev: "eth0" }, { dev: "eth1" }] }) ?? "", /eth0/);
});

test("default routes, other ranges and our own links are no overlap", () => {
  assert.equal(
    overlap(
      { dst: "default", dev: "eth0" },
      { dst: "0.0.0.0/0", dev: "eth0" },
      { dst: "10.97.0.0/16", dev: "eth0" },
      { dst: "fd00:10:97::/64", dev: "eth0" },
      { dst: "10.96.0.0/16", dev: "fairlead0" },
      { dst: "10.96.0.9", dev: "fl0123abcd" },
      { dst: "10.96.255.255", dev: "eth0", type: "broadcast" },
    ),
    undefined,
  );
});

test("flannel's links are not ours", () => {
  assert.deepEqual(["fairlead0", "fl0123abcd", "flshared", "flannel.1", "fl0", "eth0"].map(isSiteLink), [
    true,
    true,
    true,
    false,
    false,
    false,
  ]);
});

test("the record of what was made: written whole, read back, forgotten, and named when it cannot be read", async () => {
  const directory = await mkdtemp(join(tmpdir(), "fairlead-made-"));
  const path = join(directory, "made.json");
  try {
    assert.equal(await readMade(path), undefined);
    const made = { ...NOTHING_MADE, links: ["fairlead0"], sysctls: { "net/ipv4/ip_forward": "0" } };
    await writeMade(path, made);
    assert.deepEqual(await readMade(path), made);
    await forgetMade(path);
    await forgetMade(path);
    assert.equal(await readMade(path), undefined);
    await writeFile(join(directory, "file"), "");
    await assert.rejects(readMade(join(directory, "file/made.json")), /reading the record of what was made, .*ENOTDIR/);
  } finally {
    await rm(directory, { recursive: true });
  }
});
