import type { Mount } from "../../../host/mounts.ts";

/** Every pod has its own of these. */
const OWN = new Set(["/proc", "/sys", "/dev", "/run", "/tmp"]);
const NO_FILES =
  /^(proc|sysfs|devtmpfs|devpts|cgroup2?|securityfs|debugfs|tracefs|pstore|bpf|mqueue|hugetlbfs|autofs|nsfs|binfmt_misc|configfs|fusectl|rpc_pipefs|overlay)$/;
/** Commas, colons and backslashes mean something in overlayfs options; a directory with one is not shown. */
const PLAIN_PATH = /^\/[\w./+@%=~ -]*$/;

export type ViewStep =
  /** Shown through an overlay of its own. */
  | "overlay"
  /** Has mounts below it: made empty, and its entries are looked at one by one. */
  | "descend"
  | "leave out";

/**
 * How a directory of the host is shown. One with mounts below it is gone round: an overlay does not show them, and in a user
 * namespace the kernel refuses an overlay that would uncover what they cover. `mounts` are those of directories. Pure.
 */
export function viewStep(
  path: string,
  mounts: readonly Pick<Mount, "point" | "type">[],
  hidden: readonly string[],
): ViewStep {
  if (OWN.has(path) || !PLAIN_PATH.test(path)) return "leave out";
  if (hidden.some((each) => path === each || path.startsWith(`${each}/`))) return "leave out";
  if (mounts.some(({ point, type }) => point === path && NO_FILES.test(type))) return "leave out";
  return mounts.some(({ point }) => point.startsWith(`${path}/`)) ? "descend" : "overlay";
}

/** A field of fstab(5), where white space and backslashes are written in octal. */
const field = (text: string): string =>
  text.replaceAll(/[\s\\]/g, (sign) => `\\${sign.codePointAt(0)!.toString(8).padStart(3, "0")}`);

export interface Overlay {
  /** The host's directory. */
  readonly path: string;
  /** The upper layer: what is shown beside and over it. */
  readonly layer: string;
  readonly mountPoint: string;
}

/** The options of one overlay, for `mount -o`. */
export const overlayOptions = ({ path, layer }: Overlay): string => `ro,lowerdir=${layer}:${path}`;

/** All overlays as a file for `mount --all --fstab`: one process mounts them all. */
export const fstab = (overlays: readonly Overlay[]): string =>
  overlays
    .map((overlay) => `overlay ${field(overlay.mountPoint)} overlay ${field(overlayOptions(overlay))} 0 0\n`)
    .join("");
