import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";

const ROOT = join(import.meta.dirname, "../..");

/** Which packages a process has loaded after importing a module of ours. */
function packagesOf(module: string): string[] {
  const script = `
    await import(${JSON.stringify(join(ROOT, module))});
    const { createRequire } = await import("node:module");
    const loaded = Object.keys(createRequire("${ROOT}/").cache);
    console.log(JSON.stringify(loaded.flatMap((path) => /node_modules\\/((?:@[^/]+\\/)?[^/]+)/.exec(path)?.[1] ?? [])));
    process.exit();
  `;
  const { stdout, stderr } = spawnSync(process.execPath, ["--input-type=module", "-e", script], { encoding: "utf8" });
  assert.notEqual(stdout, "", stderr);
  return [...new Set(JSON.parse(stdout) as string[])];
}

test("a server on SQLite loads nothing of what speaks to etcd", () => {
  const ofEtcd = /^(@grpc|@protobufjs|@js-sdsl|protobufjs|long|yargs)/;
  assert.deepEqual(
    packagesOf("src/cli/server/server.ts").filter((name) => ofEtcd.test(name)),
    [],
  );
  assert.ok(packagesOf("src/store/etcd/etcd.ts").some((name) => ofEtcd.test(name)));
});
