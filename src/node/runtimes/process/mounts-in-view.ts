import { stat } from "node:fs/promises";
import type { BindMount } from "../runtime.ts";
import type { Confinement } from "./confinement.ts";
import { mountTarget } from "./mount-targets.ts";
import type { HostView } from "./view.ts";

/** A container's mounts, with a place for each in its view of the host's files. Throws for one that would lead where none may be. */
export async function mountsIn(view: HostView, mounts: readonly BindMount[]): Promise<Confinement["mounts"]> {
  const placed: Confinement["mounts"][number][] = [];
  for (const mount of mounts) {
    // The network files' places are made in the view: what the host has there, a symlink perhaps, does not count.
    const target = /^\/etc\/[^/]+$/.test(mount.target) ? mount.target : await mountTarget(mount.target);
    const at = await stat(mount.source);
    const kind = at.isDirectory() ? "directory" : "file";
    await view.ensure(target, kind);
    const source = mount.within === undefined ? mount.source : await view.pin(mount.source, mount.within, kind);
    placed.push({ ...mount, source, target, isDevice: at.isCharacterDevice() || at.isBlockDevice() });
  }
  return placed;
}
