import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { CHECKOUT, ROOT, type LabHost } from "../lab.ts";

/** The program `resolve.c` on a lab host, also for its pods, once for each C library. */
export interface Resolvers {
  readonly glibc: string;
  readonly musl: string;
}

const SOURCE = `${CHECKOUT}/test/lab/resolvers/resolve.c`;
/** Seen by the pods of a Fairlead that is started later, as /tmp is not. */
const BUILT = "/mnt/resolvers";

/** musl's files for the linker: installed, or unpacked by `npm run setup`. */
const UNPACKED = join(ROOT, "node_modules/.cache/musl-dev");
const muslUnder = (root: string): { readonly lib: string; readonly include: string } | undefined => {
  if (!existsSync(join(root, "usr/lib"))) return undefined;
  const name = readdirSync(join(root, "usr/lib")).find((each) => each.endsWith("-linux-musl"));
  if (name === undefined || !existsSync(join(root, "usr/lib", name, "libc.a"))) return undefined;
  return { lib: join(root, "usr/lib", name), include: join(root, "usr/include", name) };
};

const inPath = (program: string): boolean =>
  (process.env["PATH"] ?? "").split(":").some((directory) => existsSync(join(directory, program)));

/** What is missing to build the programs; false when nothing is. */
export const resolversMissing: string | false = !inPath("gcc")
  ? "there is no gcc to build a program with each C library"
  : muslUnder("/") === undefined && muslUnder(UNPACKED) === undefined
    ? "there is no musl to link with: `npm run setup` unpacks Debian's musl-dev"
    : false;

/** Builds the program on this host with both libraries, before Fairlead is started there; throws what the compiler complains of. */
export async function buildResolvers(host: LabHost): Promise<Resolvers> {
  const { lib, include } = (muslUnder("/") ?? muslUnder(UNPACKED))!;
  const [glibc, musl] = [join(BUILT, "glibc"), join(BUILT, "musl")];
  await host.check("mkdir", ["-p", BUILT]);
  const warnings = ["-O1", "-Wall", "-Werror"];
  const start = [join(lib, "crt1.o"), join(lib, "crti.o")];
  const library = ["-Wl,--start-group", join(lib, "libc.a"), "-lgcc", "-Wl,--end-group", join(lib, "crtn.o")];
  const withMusl = ["-nostdinc", "-isystem", include, "-static", "-nostdlib", ...start, SOURCE, ...library];
  await Promise.all([
    host.check("gcc", [...warnings, "-o", glibc, SOURCE, "-lresolv"]),
    host.check("gcc", [...warnings, ...withMusl, "-o", musl]),
  ]);
  return { glibc, musl };
}
