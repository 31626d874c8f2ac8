import { readdir, readlink } from "node:fs/promises";
import { homedir, userInfo } from "node:os";
import { join } from "node:path";

/** A home directory as pods see it: what may be seen, and nothing that was not there when the container started. */
export interface HomeView {
  readonly path: string;
  readonly entries: readonly ({ readonly name: string } | { readonly name: string; readonly symlink: string })[];
}

/** The home directories of who runs us. Those that are no place of one's own, such as `/`, are none. */
export const ownHomes = (): string[] =>
  [...new Set([homedir(), userInfo().homedir])].filter(
    (path) =>
      /^\/[^/]+\/?./.test(path) && !/^\/(proc|sys|dev|run|tmp|usr|etc|bin|sbin|lib\w*|nonexistent)(\/|$)/.test(path),
  );

/** The entries that do not begin with a dot; undefined where there is no such directory. */
export async function homeView(path: string): Promise<HomeView | undefined> {
  const entries = await readdir(path, { withFileTypes: true }).catch(() => undefined);
  if (entries === undefined) return undefined;
  const shown = entries.filter(({ name }) => !name.startsWith("."));
  return {
    path,
    entries: await Promise.all(
      shown
        .filter((entry) => entry.isDirectory() || entry.isFile() || entry.isSymbolicLink())
        .map(async (entry) =>
          entry.isSymbolicLink()
            ? { name: entry.name, symlink: await readlink(join(path, entry.name)) }
            : { name: entry.name },
        ),
    ),
  };
}
