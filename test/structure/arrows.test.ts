import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";

/** The rooms in the order of the house, and what each may import (docs/architecture.md). */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  api: [],
  net: [],
  observe: [],
  store: ["observe", "api", "net"],
  apiserver: ["store", "observe", "api", "net"],
  client: ["observe", "api", "net"],
  host: ["observe", "net"],
  controllers: ["client", "host", "observe", "api", "net"],
  node: ["client", "host", "observe", "api", "net"],
  proxy: ["client", "host", "observe", "api", "net"],
  dns: ["client", "host", "observe", "api", "net"],
};
const ROOMS = [...Object.keys(MAY_IMPORT), "cli"];
const ROOT = join(import.meta.dirname, "../..");

let scratch: string;
/** A small tree with the layout of ours, and our rules. */
before(() => {
  scratch = mkdtempSync(join(tmpdir(), "fairlead-arrows-"));
  cpSync(join(ROOT, ".oxlintrc.json"), join(scratch, ".oxlintrc.json"));
  symlinkSync(join(ROOT, "node_modules"), join(scratch, "node_modules"));
  for (const room of ROOMS) write(`src/${room}/thing.ts`, `export const thing = "${room}";\n`);
});
after(() => rmSync(scratch, { recursive: true, force: true }));

function write(path: string, text: string): void {
  mkdirSync(dirname(join(scratch, path)), { recursive: true });
  writeFileSync(join(scratch, path), text);
}

interface Diagnostic {
  readonly code: string;
  readonly filename: string;
}

/** What our rules say of the scratch tree, as `FILE RULE`. */
function faults(): string[] {
  const { stdout, stderr } = spawnSync(join(ROOT, "node_modules/.bin/oxlint"), ["-f", "json", "src"], {
    cwd: scratch,
    encoding: "utf8",
  });
  assert.equal(stderr, "");
  const { diagnostics } = JSON.parse(stdout) as { diagnostics: Diagnostic[] };
  return diagnostics.map(({ filename, code }) => `${filename} ${code}`).sort();
}

const RULE = "eslint(no-restricted-imports)";

test("every arrow that docs/architecture.md does not have is refused, from a room's folder and from one below", () => {
  const forbidden: string[] = [];
  for (const [room, allowed] of Object.entries(MAY_IMPORT)) {
    for (const other of ROOMS) {
      if (other === room) continue;
      for (const [path, up] of [
        [`src/${room}/to-${other}.ts`, ".."],
        [`src/${room}/deep/to-${other}.ts`, "../.."],
      ] as const) {
        write(path, `export { thing } from "${up}/${other}/thing.ts";\n`);
        if (!allowed.includes(other)) forbidden.push(`${path} ${RULE}`);
      }
    }
  }
  assert.ok(forbidden.length > 100, `${forbidden.length} cases`);
  assert.deepEqual(
    faults().filter((fault) => fault.includes("/to-")),
    forbidden.sort(),
  );
});

test("only src/host starts processes", () => {
  const expected: string[] = [];
  for (const room of ROOMS) {
    for (const [name, from] of [
      ["spawns", "node:child_process"],
      ["spawns-too", "child_process"],
      ["calls", "node:ffi"],
    ] as const) {
      write(`src/${room}/${name}.ts`, `export { default } from "${from}";\n`);
      if (room !== "host") expected.push(`src/${room}/${name}.ts ${RULE}`);
    }
  }
  assert.deepEqual(
    faults().filter((fault) => /\/(spawns|spawns-too|calls)\.ts /.test(fault)),
    expected.sort(),
  );
});

test("tests may cross rooms", () => {
  write("src/api/some.test.ts", `export { thing } from "../cli/thing.ts";\n`);
  assert.deepEqual(
    faults().filter((fault) => fault.includes("some.test.ts")),
    [],
  );
});

test("our own tree keeps to the arrows", () => {
  const { status, stdout } = spawnSync(join(ROOT, "node_modules/.bin/oxlint"), ["src"], {
    cwd: ROOT,
    encoding: "utf8",
  });
  assert.equal(status, 0, stdout);
  assert.match(stdout, /on \d{3,} files/);
});
