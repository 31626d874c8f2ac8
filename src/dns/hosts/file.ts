import { readFileSync, statSync } from "node:fs";
import { watchFile } from "../../host/watched-file.ts";
import type { HostsGround } from "./hosts.ts";

/** Hosts files of this machine. */
export const hostsFiles: HostsGround = {
  read(path, last) {
    try {
      const { mtimeMs, size, ino } = statSync(path);
      const stamp = `${mtimeMs} ${size} ${ino}`;
      return stamp === last?.stamp ? undefined : { text: readFileSync(path, "utf8"), stamp };
    } catch {
      return undefined;
    }
  },
  watch: watchFile,
};
