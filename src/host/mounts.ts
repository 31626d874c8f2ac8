import { readFile } from "node:fs/promises";

/** A mount as this process sees it. */
export interface Mount {
  readonly point: string;
  /** File system type, e.g. `ext4`. */
  readonly type: string;
  /** `MAJOR:MINOR` of the file system, by which two mounts of one are known. */
  readonly device: string;
  /** What of the file system is mounted, as a path within it. */
  readonly root: string;
  /** Options of the file system itself. */
  readonly options: string;
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
      const dash = fields.indexOf("-");
      return {
        point: unescape(fields[4]!),
        type: fields[dash + 1]!,
        device: fields[2]!,
        root: unescape(fields[3]!),
        options: fields[dash + 3] ?? "",
      };
    });
}

/** All mounts of the mount namespace that a process is in; ours unless told. */
export const readMounts = async (pid: number | "self" = "self"): Promise<Mount[]> =>
  parseMountInfo(await readFile(`/proc/${pid}/mountinfo`, "utf8"));
