import { readdirSync, existsSync, realpathSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { execFileSync } from "node:child_process";
import { ROOT } from "./lab.ts";

/** A kubectl and the version that really ran. */
export interface Kubectl {
  readonly path: string;
  readonly version: string;
  /** 32 of 1.32. */
  readonly minor: number;
}

function versionOf(path: string): Kubectl | undefined {
  try {
    const said = execFileSync(path, ["version", "--client", "-o", "json"], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    });
    const version = (JSON.parse(said) as { clientVersion: { gitVersion: string } }).clientVersion.gitVersion;
    return { path, version, minor: Number(/^v1\.(\d+)/.exec(version)?.[1]) };
  } catch {
    return undefined;
  }
}

/** PATH's kubectl; where it is a dispatcher over several versions that lie beside it, each of them instead. */
function inPath(): string[] {
  for (const folder of (process.env["PATH"] ?? "").split(delimiter)) {
    const path = join(folder, "kubectl");
    if (folder === "" || !existsSync(path)) continue;
    const beside = dirname(realpathSync(path));
    const versions = readdirSync(beside)
      .filter((name) => /^kubectl\.\d+\.\d+$/.test(name))
      .sort();
    return versions.length > 0 ? versions.map((name) => join(beside, name)) : [path];
  }
  return [];
}

/**
 * The kubectls to test with: those listed in KUBECTLS (paths, by colon), else what PATH has, and the one that `npm run setup`
 * unpacked from Debian.
 */
export function kubectls(): Kubectl[] {
  const listed = process.env["KUBECTLS"]?.split(delimiter).filter((path) => path !== "");
  const paths = [...(listed ?? inPath()), join(ROOT, "node_modules/.cache/kubernetes-client/usr/bin/kubectl")];
  return paths
    .filter((path) => existsSync(path))
    .map(versionOf)
    .filter((kubectl) => kubectl !== undefined);
}
