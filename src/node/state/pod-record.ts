import { mkdir, readFile, readdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { ContainerStateTerminated } from "../../api/generated/types.ts";
import type { StartedContainer } from "../runtimes/runtime.ts";
import type { Sandbox } from "../sandbox/sandbox.ts";

/** What is remembered of a container between two runs of ours. */
export interface ContainerRecord {
  /** Number of this start, from 0; its log is `<number>.log`. */
  attempt: number;
  restartCount: number;
  /** Ends in a row without a long run between: the back-off grows with it. */
  failures: number;
  startedAt?: string;
  started?: StartedContainer;
  /** How the present start ended. */
  ended?: ContainerStateTerminated;
  /** How the one before ended. */
  last?: ContainerStateTerminated;
}

/** What is remembered of a pod. */
export interface PodRecord {
  readonly version: 1;
  readonly uid: string;
  readonly namespace: string;
  readonly name: string;
  /** The name of the runtime that has its containers. */
  readonly runtime: string;
  readonly sandbox: Sandbox;
  readonly startTime: string;
  /** The network was made whole: what a try cut short left behind is not taken for one. */
  networked?: boolean;
  readonly containers: Record<string, ContainerRecord>;
}

/** The records of all pods, one file each. */
export interface PodRecords {
  load(): Promise<PodRecord[]>;
  /** Written aside and renamed: after any death the file is whole, old or new. Saves of one pod must not overlap. */
  save(record: PodRecord): Promise<void>;
  remove(uid: string): Promise<void>;
}

/** Records of releases that had one runtime and one way to a network do not name them. */
function upToDate(record: PodRecord): PodRecord {
  const sandbox = { network: "own", ...(record.sandbox as Partial<Sandbox>) } as Sandbox;
  return { ...record, runtime: (record as Partial<PodRecord>).runtime ?? "process", sandbox };
}

export function podRecords(directory: string): PodRecords {
  const fileOf = (uid: string): string => join(directory, `${uid}.json`);
  return {
    async load() {
      await mkdir(directory, { recursive: true, mode: 0o700 });
      const names = (await readdir(directory)).filter((name) => name.endsWith(".json"));
      const records = await Promise.all(names.map((name) => readFile(join(directory, name), "utf8")));
      return records.map((text) => upToDate(JSON.parse(text) as PodRecord)).filter((record) => record.version === 1);
    },
    async save(record) {
      const aside = `${fileOf(record.uid)}.new`;
      await writeFile(aside, JSON.stringify(record), { mode: 0o600 });
      await rename(aside, fileOf(record.uid));
    },
    remove: (uid) => rm(fileOf(uid), { force: true }),
  };
}
