import assert from "node:assert/strict";
import { test } from "node:test";
import type { Mount } from "../../../host/mounts.ts";
import { originOf, pin } from "./pin.ts";

const at = (point: string, device: string, root = "/"): Mount => ({ point, device, root, type: "ext4", options: "" });
const MOUNTS = [
  at("/", "8:1"),
  at("/var", "8:2"),
  at("/var/lib/node", "8:3", "/data"),
  at("/var/lib/node", "8:4", "/over"),
];

test("originOf: the nearest mount above a path, the last at one point", () => {
  assert.deepEqual(originOf("/var/x", MOUNTS), { device: "8:2", path: "/x" });
  assert.deepEqual(originOf("/variety", MOUNTS), { device: "8:1", path: "/variety" });
  assert.deepEqual(originOf("/var/lib/node/v", MOUNTS), { device: "8:4", path: "/over/v" });
  assert.equal(originOf("/x", []), undefined);
});

for (const [mounted, isTaken] of [
  [at("/pins/1", "8:2", "/volume/part"), true],
  [at("/pins/1", "8:2", "/volume"), true],
  [at("/pins/1", "8:2", "/volumes-of-others"), false],
  [at("/pins/1", "8:1", "/etc"), false],
  [at("/pins/1", "8:5", "/volume/part"), false],
] as const) {
  test(`pin: ${mounted.root} of ${mounted.device} is ${isTaken ? "taken" : "refused"}`, async () => {
    const pinning = pin({
      source: "/var/volume/part",
      within: "/var/volume",
      place: "/pins/1",
      make: async () => {},
      mount: async () => ({ code: 0, stdout: "", stderr: "" }),
      mounts: async () => [...MOUNTS, mounted],
    });
    if (isTaken) assert.equal(await pinning, "/pins/1");
    else await assert.rejects(pinning, /leads out of its volume/);
  });
}
