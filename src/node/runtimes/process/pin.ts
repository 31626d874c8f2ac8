import { join, relative } from "node:path";
import type { RunResult } from "../../../host/host.ts";
import type { Mount } from "../../../host/mounts.ts";

export interface PinOptions {
  readonly source: string;
  readonly within: string;
  /** Where nobody but us can write, in the mount namespace that is mounted in. */
  readonly place: string;
  /** Makes that place, empty. */
  readonly make: () => Promise<void>;
  readonly mount: (...args: string[]) => Promise<RunResult>;
  /** The mounts of that namespace. */
  readonly mounts: () => Promise<readonly Mount[]>;
}

/** What of which file system is at a path: `undefined` where nothing is mounted above it. Pure. */
export function originOf(path: string, mounts: readonly Mount[]): { device: string; path: string } | undefined {
  const isAbove = ({ point }: Mount): boolean => point === "/" || path === point || path.startsWith(`${point}/`);
  // Of several at one point the last covers the others; of several above, the nearest counts.
  const above = mounts
    .filter(isAbove)
    .reduce<Mount | undefined>(
      (best, each) => (best === undefined || each.point.length >= best.point.length ? each : best),
      undefined,
    );
  return above && { device: above.device, path: join(above.root, relative(above.point, path)) };
}

/**
 * Mounts a file or directory that lies where pods write, and looks afterwards what was mounted: a path can be swapped for a
 * link between any look and the mount, but what is mounted stays what it is (CVE-2021-25741 was such a race).
 */
export async function pin(options: PinOptions): Promise<string> {
  const { source, within, place } = options;
  await options.make();
  const { code, stderr } = await options.mount("--bind", source, place);
  if (code !== 0) throw new Error(`mounting a subPath: ${stderr.trim().split("\n")[0]}`);
  const mounts = await options.mounts();
  const [mounted, expected] = [originOf(place, mounts), originOf(within, mounts)];
  const isWithin =
    mounted !== undefined &&
    expected !== undefined &&
    mounted.device === expected.device &&
    (mounted.path === expected.path || mounted.path.startsWith(`${expected.path}/`));
  if (isWithin) return place;
  throw new Error(`mounting a subPath: ${source} leads out of its volume, to ${mounted?.path ?? "nothing"}`);
}
