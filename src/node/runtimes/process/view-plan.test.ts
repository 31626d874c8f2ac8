import assert from "node:assert/strict";
import { test } from "node:test";
import { fstab, viewStep } from "./view-plan.ts";

const MOUNTS = [
  { point: "/", type: "ext4" },
  { point: "/proc", type: "proc" },
  { point: "/home", type: "ext4" },
  { point: "/srv/data/disk", type: "xfs" },
  { point: "/var/lib/odd", type: "fuse.thing" },
  { point: "/sys", type: "sysfs" },
  { point: "/usr/share/pseudo", type: "debugfs" },
].filter(({ point }) => point !== "/");

for (const [path, step, why] of [
  ["/usr/lib", "overlay", "an ordinary directory"],
  ["/home", "overlay", "a file system of its own without mounts below"],
  ["/srv", "descend", "a mount lies deeper"],
  ["/srv/data", "descend", "a mount lies right below"],
  ["/srv/data/disk", "overlay", "the mount itself"],
  ["/usr", "descend", "even a pseudo file system below it stops an overlay in a user namespace"],
  ["/usr/share/pseudo", "leave out", "it holds no files"],
  ["/proc", "leave out", "every pod has its own"],
  ["/tmp", "leave out", "every pod has its own"],
  ["/var/lib/fairlead", "leave out", "hidden"],
  ["/var/lib/fairlead/node", "leave out", "below a hidden one"],
  ["/opt/a:b", "leave out", "a colon means something to overlayfs"],
] as const) {
  test(`viewStep: ${path} is ${step}: ${why}`, () => {
    assert.equal(viewStep(path, MOUNTS, ["/var/lib/fairlead"]), step);
  });
}

test("fstab: writes white space and backslashes in octal", () => {
  assert.equal(
    fstab([{ path: "/opt/my things", layer: "/s/layers/1", mountPoint: "/s/root/opt/my things" }]),
    "overlay /s/root/opt/my\\040things overlay ro,lowerdir=/s/layers/1:/opt/my\\040things 0 0\n",
  );
});
