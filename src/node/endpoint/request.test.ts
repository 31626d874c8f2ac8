import assert from "node:assert/strict";
import { test } from "node:test";
import { isApiError } from "../../api/status.ts";
import { exitStatus } from "./exec/exit-status.ts";
import { commandOf, wantedStreams } from "./exec/exec-request.ts";
import { sizesTold } from "./exec/terminal-size.ts";
import { logOptions } from "./logs/log-options.ts";
import { readTarget } from "./target.ts";

const query = (text: string): URLSearchParams => new URLSearchParams(text);
const bad = (error: unknown): boolean => isApiError(error, "BadRequest");

void test("paths are kubelet's; others are not found", () => {
  const target = readTarget("/exec/ns/pod/a%20b?command=x&command=y");
  assert.deepEqual(
    [target.operation, target.at, target.query.getAll("command")],
    ["exec", { namespace: "ns", pod: "pod", container: "a b" }, ["x", "y"]],
  );
  assert.equal(readTarget("/portForward/ns/pod").operation, "portForward");
  for (const path of ["/", "/exec/ns/pod", "/exec/ns//c", "/exec/a/b/c/d", "/constructor/a/b/c", "/pods"]) {
    assert.throws(
      () => readTarget(path),
      (error) => isApiError(error, "NotFound"),
      path,
    );
  }
  assert.throws(() => readTarget("/exec/ns/pod/%ff"), bad);
});

void test("exec's query is read in kubelet's and in the API's words; a terminal has no stream of errors", () => {
  const wanted = { stdin: true, stdout: true, stderr: false, tty: false };
  assert.deepEqual(wantedStreams(query("input=1&output=1&error=0&tty=0")), wanted);
  assert.deepEqual(wantedStreams(query("stdin=true&stdout=true")), wanted);
  assert.deepEqual(wantedStreams(query("stdin=true&stdout=true&stderr=true&tty=true")), { ...wanted, tty: true });
  assert.deepEqual(commandOf(query("command=sh&command=-c&command=true&output=1")), ["sh", "-c", "true"]);
  assert.throws(() => commandOf(query("output=1")), bad);
  assert.throws(() => commandOf(query("command=&output=1")), bad);
  for (const text of ["command=a", "command=a&error=1&tty=1"])
    assert.throws(() => wantedStreams(query(text)), bad, text);
});

void test("sizes of a terminal are told, late too, and what is none is passed over", () => {
  const sizes = sizesTold();
  const told: string[] = [];
  for (const text of ['{"Width":80,"Height":24}', "x", "null", '{"Width":0,"Height":24}', '{"Width":1e9,"Height":2}']) {
    sizes.tell(text);
  }
  sizes.onResize((columns, rows) => told.push(`${columns}x${rows}`));
  sizes.tell('{"Width":81,"Height":25}');
  assert.deepEqual(told, ["80x24", "81x25"]);
});

void test("log options are read, and wrong ones are refused by name", () => {
  const now = Date.parse("2026-01-31T12:00:00Z");
  assert.deepEqual(logOptions(query("follow=true&tailLines=0&limitBytes=5&sinceSeconds=9&timestamps=1"), now), {
    previous: false,
    follow: true,
    timestamps: true,
    tailLines: 0,
    limitBytes: 5,
    since: now - 9_000,
  });
  assert.equal(logOptions(query("sinceTime=2026-01-31T11:59:00.250Z"), now).since, now - 59_750);
  for (const text of [
    "tailLines=-1",
    "tailLines=x",
    "limitBytes=0",
    "sinceSeconds=0",
    "sinceTime=never",
    "sinceTime=2026-01-31T11:59:00Z&sinceSeconds=1",
    "stream=Stdout",
  ]) {
    assert.throws(() => logOptions(query(text), now), bad, text);
  }
});

void test("the exit code is told where clients look for it", () => {
  assert.deepEqual(exitStatus(0), { metadata: {}, status: "Success" });
  assert.deepEqual(exitStatus(3), {
    metadata: {},
    status: "Failure",
    message: "command terminated with non-zero exit code: exit status 3",
    reason: "NonZeroExitCode",
    details: { causes: [{ reason: "ExitCode", message: "3" }] },
  });
});
