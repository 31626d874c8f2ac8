import { readFile } from "node:fs/promises";

/** Whether our user namespace has this user: one that an ordinary user made has only that user, as root (user_namespaces(7)). */
export const mapsUser = async (uid: number): Promise<boolean> =>
  (await readFile("/proc/self/uid_map", "utf8"))
    .trim()
    .split("\n")
    .map((line) => line.trim().split(/\s+/).map(Number))
    .some(([first, , count]) => uid >= first! && uid < first! + count!);
