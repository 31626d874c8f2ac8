import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, before, describe, test } from "node:test";
import { FAIRLEAD, type Event } from "../lab/fairlead.ts";
import { createLab, type Lab, type LabHost } from "../lab/lab.ts";
import { traces } from "../lab/traces.ts";
import { until } from "../lab/until.ts";

const configMap = (name: string, data: string): string =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\ndata:\n  ${data}\n`;

const FAULTY = `${configMap("first", 'a: "1"')}---
apiVersion: v1
kind: Service
metadata:
  name: wrong
spec:
  ports:
    - port: eighty
      targetport: 8080
---
${configMap("second", 'a: "2"')}---
apiVersion: v1
kind: Srevice
metadata: {name: near}
---
apiVersion: apps/v1
kind: Service
metadata: {name: elsewhere}
---
apiVersion: v1
kind: Service
metadata:
  name: refused
spec:
  ports:
    - port: 80
    - port: 70000
---
a: [
---
${configMap("third", 'a: "3"')}---
apiVersion: v1
kind: ConfigMap
metadata: {name: twice}
data:
  a: "1"
  a: "2"
---
just words
---
apiVersion: v1
kind: ConfigMap
---
${configMap("last", 'a: "4"')}`;

const lineOf = (words: string): number => FAULTY.slice(0, FAULTY.indexOf(words)).split("\n").length;

/** What is wrong with a manifest is said at once by file, line and field; the rest of it is applied. */
describe("bad manifests", () => {
  let lab: Lab;
  let host: LabHost;
  before(async () => {
    lab = await createLab();
    host = await lab.add("h1");
    await until("settled addresses", async () => !(await traces(host)).addresses.join().includes("tentative"));
  });
  after(() => lab.close());

  test("file, line, field and what was expected on standard error at once; the others are applied; exit 1 at the end", async () => {
    const was = await traces(host);
    const faulty = join(host.scratch, "faulty.yaml");
    writeFileSync(faulty, FAULTY);
    const folder = join(host.scratch, "folder");
    mkdirSync(folder);
    writeFileSync(join(folder, "b.yml"), configMap("of-folder", 'mode: "yes"'));
    writeFileSync(
      join(folder, "a.json"),
      '{\n\t"apiVersion": "v1", "kind": "ConfigMap",\n\t"metadata": {"name": "of-json"},\n\t"data": {"day": "2001-01-01"}\n}\n',
    );
    writeFileSync(join(folder, "notes.txt"), "no manifest");
    const standard = join(host.scratch, "standard.yaml");
    writeFileSync(
      standard,
      `apiVersion: v1
kind: List
items:
- apiVersion: v1
  kind: ConfigMap
  metadata: {name: types}
  immutable: yes
  data: {day: 2001-01-01, at: 12:30}
- apiVersion: v1
  kind: ConfigMap
  metadata: {name: wrong-type}
  data:
    a: no
`,
    );
    const data = join(host.scratch, "data");
    const running = await host.open("sh", [
      ...["-c", 'exec "$@" < "$0"', standard],
      ...["env", "HOME=/tmp", FAIRLEAD, "up", "-o", "json", "--private", "--data", data],
      ...["-f", faulty, "-f", folder, "-f", "-"],
    ]);
    const events: Event[] = [];
    let complaints = "";
    createInterface({ input: running.stdout }).on("line", (line) => events.push(JSON.parse(line) as Event));
    running.stderr.on("data", (chunk: Buffer) => (complaints += chunk.toString()));
    try {
      await until(
        "all documents",
        () => complaints.includes("wrong-type") && events.some(({ event }) => event === "ready"),
      );
      const says = (place: string, words: RegExp): void => {
        const line = complaints.split("\n").find((text) => text.startsWith(`fairlead: ${place}: `) && words.test(text));
        assert.ok(line !== undefined, `${place} ${String(words)} in\n${complaints}`);
      };
      says(
        `${faulty}:${lineOf("port: eighty")}`,
        /Service wrong: spec\.ports\[0\]\.port: expected a whole number .*"eighty"/,
      );
      says(`${faulty}:${lineOf("targetport")}`, /Service wrong: spec\.ports\[0\]\.targetport: unknown field/);
      says(`${faulty}:${lineOf("kind: Srevice")}`, /"Srevice" in v1 is not served; did you mean Service\?/);
      says(`${faulty}:${lineOf("apiVersion: apps/v1")}`, /Service is in v1, not in "apps\/v1"/);
      says(`${faulty}:${lineOf("port: 70000")}`, /Service refused: spec\.ports\[1\]\.port: .*65535/);
      says(`${faulty}:${lineOf("a: [") + 1}`, /cannot be read as YAML/);
      says(`${faulty}:${lineOf('a: "2"\n---\njust')}`, /unique/);
      says(`${faulty}:${lineOf("just words")}`, /there is none/);
      says("standard input:13", /ConfigMap wrong-type: data\.a: expected a text, found false/);

      const applied = events.flatMap((event) => (event.event === "applied" ? [String(event["object"])] : []));
      assert.deepEqual(applied, [
        ...["first", "second", "third", "last", "of-json", "of-folder", "types"].map((name) => `ConfigMap ${name}`),
      ]);
      assert.equal(
        events.filter(({ event }) => event === "refused").length,
        complaints.trimEnd().split("\n").length,
        complaints,
      );
      const kubeconfig = await host.run(FAIRLEAD, ["status", "--data", data, "-o", "json"]);
      assert.equal(kubeconfig.code, 0, kubeconfig.stderr);
    } finally {
      running.kill("SIGINT");
    }
    assert.equal(await running.ended, 1);
    assert.deepEqual(await traces(host), was);
  });
});
