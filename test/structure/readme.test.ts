import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { test } from "node:test";
import { decodingFaults, kindOf } from "../../src/cli/manifests/apply.ts";
import { parseManifests } from "../../src/cli/manifests/read.ts";
import { kubectls } from "../lab/kubectls.ts";

const ROOT = join(import.meta.dirname, "../..");
const read = (name: string): string => readFileSync(join(ROOT, name), "utf8");

/** The lines of all shell blocks, without what is said beside them. */
const commandsOf = (text: string): string[] =>
  [...text.matchAll(/```sh\n(.*?)```/gs)].flatMap((block) =>
    block[1]!
      .split("\n")
      .map((line) => line.replace(/\s+#.*$/, "").trim())
      .filter((line) => line !== ""),
  );

/** The examples' own pages. */
const pages = (): string[] => globSync("examples/*/README.md", { cwd: ROOT });

const run = (command: string, args: readonly string[]) =>
  spawnSync(command, args, { cwd: ROOT, encoding: "utf8", timeout: 30_000 });

test("both languages show the same commands and links", () => {
  const [english, korean] = [read("README.md"), read("README.ko.md")];
  assert.ok(commandsOf(english).length > 8);
  assert.deepEqual(commandsOf(korean), commandsOf(english));
  const links = (text: string) => [...text.matchAll(/\]\(([^)]+)\)/g)].map((link) => link[1]!);
  for (const link of [...links(english), ...links(korean)]) {
    if (!link.startsWith("http")) assert.ok(existsSync(join(ROOT, link)), `${link} is not there`);
  }
  const tables = (text: string) => [...text.matchAll(/^\| `(bin\/fairlead [^`]*)`/gm)].map((row) => row[1]);
  assert.ok(tables(english).length >= 4);
  assert.deepEqual(tables(korean), tables(english));
});

test("the commands npm is told exist", () => {
  const { scripts } = JSON.parse(read("package.json")) as { scripts: Record<string, string> };
  const told = commandsOf(read("README.md"))
    .flatMap((line) => line.split("&&"))
    .flatMap((part) => /^\s*npm (?:run )?(\w+)/.exec(part)?.[1] ?? []);
  assert.ok(told.includes("setup") && told.includes("start") && told.includes("test"));
  for (const name of told) assert.ok(name === "ci" || name in scripts, `npm run ${name}`);
});

test("every line with bin/fairlead is one that the command line understands", () => {
  const directory = mkdtempSync(join(tmpdir(), "fairlead-readme-"));
  try {
    const lines = [
      ...commandsOf(read("README.md")),
      ...pages().flatMap((page) => commandsOf(read(page))),
      ...[...read("README.md").matchAll(/^\| `(bin\/fairlead [^`]*)`/gm)].map((row) =>
        row[1]!
          .replaceAll(/\[|\]|…/g, "")
          .replace("FILE\\|DIR\\|-", "FILE")
          .replace("FILE", "examples/hello/web.yaml")
          .replace("NAMESPACE", "default"),
      ),
    ].filter((line) => line.startsWith("bin/fairlead"));
    assert.ok(lines.length >= 7, lines.join("\n"));
    for (const line of lines) {
      const [command, ...args] = line.split(/\s+/);
      // What would start something is asked for its help, which reads all flags first; the others find nothing that runs.
      const end = args.indexOf("--");
      const own = end === -1 ? args : args.slice(0, end);
      const rest = end === -1 ? [] : args.slice(end);
      const starts = ["up", "proxy", "dns", "ingress"].includes(own[0]!);
      const added = starts ? ["--help"] : ["--data", join(directory, "none")];
      const { status, stderr, stdout } = run(command!, [...own, ...added, ...rest]);
      assert.notEqual(status, 2, `${line}: ${stderr}`);
      if (starts) assert.match(stdout, new RegExp(`^usage: fairlead ${own[0]}`), line);
      else assert.match(`${stdout}${stderr}`, /nothing runs|no Fairlead runs/, line);
      for (const file of own.filter((word) => word.includes("/"))) {
        assert.ok(existsSync(join(ROOT, file)), `${line}: ${file}`);
      }
    }
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});

test("kubectl understands every line with kubectl", (context) => {
  const [kubectl] = kubectls();
  if (kubectl === undefined) return context.skip("no kubectl");
  const all = ["README.md", ...pages()].flatMap((page) => commandsOf(read(page)));
  const lines = all.filter((line) => line.startsWith("kubectl "));
  assert.ok(lines.length >= 5);
  for (const line of lines) {
    const words = line.split(/\s+/).slice(1);
    const end = words.indexOf("--");
    const own = end === -1 ? words : words.slice(0, end);
    const { status, stdout, stderr } = run(kubectl.path, [...own, "--help"]);
    assert.equal(status, 0, `${line}: ${stderr}`);
    assert.match(stdout, new RegExp(`kubectl ${own[0]!} `), line);
    for (const flag of own.filter((word) => word.startsWith("-") && word !== "-")) {
      assert.match(stdout, new RegExp(`(^|[\\s,])${flag}[=,:\\s]`, "m"), `${line}: ${flag}`);
    }
  }
});

test("every example has a page, but for the one that the README itself shows", () => {
  const folders = globSync("examples/*/", { cwd: ROOT }).map((folder) => basename(folder));
  const named = pages().map((page) => basename(dirname(page)));
  assert.deepEqual(named.sort(), folders.filter((name) => name !== "hello").sort());
  assert.ok(named.length >= 3);
});

test("every example manifest is decoded without a fault", () => {
  const files = globSync("examples/**/*.{yaml,yml,json}", { cwd: ROOT });
  assert.ok(files.length > 0);
  for (const file of files) {
    const documents = parseManifests(file, read(file));
    assert.ok(documents.length > 0, file);
    for (const document of documents) {
      if ("sentence" in document) throw new Error(`${file}:${document.line}: ${document.sentence}`);
      const kind = kindOf(document);
      if ("why" in kind) throw new Error(`${file}:${kind.line}: ${kind.why}`);
      assert.deepEqual(decodingFaults(document, kind), [], file);
    }
  }
});
