import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { kubectls } from "../lab/kubectls.ts";
import { startSubject, type Subject } from "./subject.ts";

/** The first kubectl whose server-side apply takes over what its own apply set. */
const MIGRATES_SINCE = 26;

let subject: Subject;
let folder: string;
before(async () => {
  subject = await startSubject();
  folder = mkdtempSync(join(tmpdir(), "fairlead-apply-"));
  const base64 = (text: string): string => Buffer.from(text).toString("base64");
  const named = <T extends object>(of: T): T & { name: string } => ({ name: "test", ...of });
  const config = {
    apiVersion: "v1",
    kind: "Config",
    "current-context": "test",
    contexts: [named({ context: { cluster: "test", user: "test" } })],
    clusters: [
      named({
        cluster: { server: `https://127.0.0.1:${subject.port}`, "certificate-authority-data": base64(subject.ca) },
      }),
    ],
    users: [
      named({
        user: { "client-certificate-data": base64(subject.admin.cert), "client-key-data": base64(subject.admin.key) },
      }),
    ],
  };
  writeFileSync(join(folder, "kubeconfig"), JSON.stringify(config), { mode: 0o600 });
});
after(async () => {
  await subject.close();
  rmSync(folder, { recursive: true });
});

const found = kubectls().filter(({ minor }) => minor >= MIGRATES_SINCE);

interface Entry {
  manager: string;
  operation: string;
}

for (const { path, version } of found) {
  const name = `web-${version.replaceAll(/[^0-9a-z]/g, "-")}-${found.findIndex((kubectl) => kubectl.path === path)}`;
  const run = (...args: string[]): Promise<{ code: number; text: string }> =>
    new Promise((resolve) => {
      const env = { ...process.env, KUBECONFIG: join(folder, "kubeconfig"), HOME: folder };
      execFile(path, args, { env, timeout: 60_000 }, (error, stdout, stderr) => {
        resolve({ code: error === null ? 0 : typeof error.code === "number" ? error.code : 1, text: stdout + stderr });
      });
    });
  const works = async (...args: string[]): Promise<string> => {
    const { code, text } = await run(...args);
    assert.equal(code, 0, `${args.join(" ")}: ${text}`);
    return text;
  };
  const write = (spec: object, labels: Record<string, string> = {}): string => {
    const file = join(folder, `${name}.json`);
    writeFileSync(file, JSON.stringify({ apiVersion: "v1", kind: "Service", metadata: { name, labels }, spec }));
    return file;
  };
  const read = async (): Promise<Record<string, Record<string, unknown>>> =>
    (await subject.ask("GET", `/api/v1/namespaces/default/services/${name}`)).body;
  const managers = async (): Promise<string[]> =>
    ((await read())["metadata"]!["managedFields"] as Entry[]).map(
      ({ manager, operation }) => `${manager} ${operation}`,
    );

  void test(`kubectl ${version}: apply, then apply --server-side, which takes over without a conflict, and back`, async () => {
    const ports = [
      { name: "http", port: 80 },
      { name: "more", port: 81 },
    ];
    await works("apply", "-f", write({ ports, selector: { app: "x" } }, { a: "b" }));
    assert.deepEqual(await managers(), ["kubectl-client-side-apply Update"]);

    // One port named no more, another selector, another label: all that was its own.
    const file = write({ ports: ports.slice(0, 1), selector: { app: "y" } }, { c: "d" });
    assert.match(await works("apply", "--server-side", "-f", file), /serverside-applied/);
    const taken = await read();
    assert.deepEqual((taken["spec"]!["ports"] as unknown[]).length, 1);
    assert.deepEqual([taken["spec"]!["selector"], taken["metadata"]!["labels"]], [{ app: "y" }, { c: "d" }]);
    // The second keeps the annotation that its own apply would go by.
    assert.deepEqual((await managers()).toSorted(), ["kubectl Apply", "kubectl-last-applied Apply"]);
    const applied = (taken["metadata"]!["annotations"] as Record<string, string>)[
      "kubectl.kubernetes.io/last-applied-configuration"
    ];
    assert.deepEqual(JSON.parse(applied!).spec.selector, { app: "y" });

    // The same once more writes nothing.
    await works("apply", "--server-side", "-f", file);
    assert.equal((await read())["metadata"]!["resourceVersion"], taken["metadata"]!["resourceVersion"]);

    // What somebody else set conflicts, with the field in the message, until forced.
    await works("label", "service", name, "c=other", "--overwrite");
    const conflict = await run("apply", "--server-side", "-f", file);
    assert.equal(conflict.code, 1, conflict.text);
    assert.match(
      conflict.text,
      /Apply failed with 1 conflict: conflict with "kubectl-label" using v1: \.metadata\.labels\.c/,
    );
    await works("apply", "--server-side", "--force-conflicts", "-f", file);
    assert.deepEqual((await read())["metadata"]!["labels"], { c: "d" });

    // Dry runs and diffs ask the same of the server, and change nothing.
    const other = write({ ports: ports.slice(0, 1), selector: { app: "z" } }, { c: "d" });
    await works("apply", "--server-side", "--dry-run=server", "-f", other);
    const diff = await run("diff", "--server-side", "-f", other);
    assert.equal(diff.code, 1, diff.text);
    assert.match(diff.text, /\+ +app: z/);
    assert.deepEqual((await read())["spec"]!["selector"], { app: "y" });

    // Back to its own apply, and what it shows of managers.
    assert.match(await works("apply", "-f", other), /configured/);
    assert.deepEqual((await read())["spec"]!["selector"], { app: "z" });
    assert.doesNotMatch(await works("get", "service", name, "-o", "yaml"), /managedFields/);
    assert.match(await works("get", "service", name, "-o", "yaml", "--show-managed-fields"), /managedFields/);
  });
}

void test("kubectl is there to be tried", { skip: found.length > 0 ? false : "no kubectl in PATH or KUBECTLS" }, () => {
  assert.ok(found.length > 0);
});
