import { readFile } from "node:fs/promises";

/** A mount as this process sees it. */
export interface Mount {
  readonly point: string;
  /** File system type, e.g. `ext4`. */
  readonly type: string;
}

const unescape = (text: string): string =>
  text.replaceAll(/\\([0-7]{3})/g, (_, octal: string) => String.fromCodePoint(Number.parseInt(octal, 8)));

/** Reads the text of `/proc/self/mountinfo` (proc(5)). */
function parseMountInfo(text: string): Mount[] {
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => {
      const fields = line.split(" ");
      return { point: unescape(fields[4]!), type: fields[fields.indexOf("-") + 1]! };
    });
}

/** All mounts of the mount namespace that a process is in; ours unless told. */
export const readMounts = async (pid: number | "self" = "self"): Promise<Mount[]> =>
  parseMountInfo(await readFile(`/proc/${pid}/mountinfo`, "utf8"));
