import assert from "node:assert/strict";
import { test } from "node:test";
import { isApiError } from "../../api/status.ts";
import { exitStatus } from "./exec/exit-status.ts";
import { execRequest } from "./exec/exec-request.ts";
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

void test("exec's query is read in kubelet's and in the API's words; a terminal is refused", () => {
  const wanted = { command: ["sh", "-c", "true"], streams: { stdin: true, stdout: true, stderr: false } };
  assert.deepEqual(execRequest(query("command=sh&command=-c&command=true&input=1&output=1&error=0&tty=0")), wanted);
  assert.deepEqual(execRequest(query("command=sh&command=-c&command=true&stdin=true&stdout=true")), wanted);
  for (const text of ["output=1", "command=a", "command=a&output=1&tty=1", "command=a&output=1&tty=true"]) {
    assert.throws(() => execRequest(query(text)), bad, text);
  }
});

void test("log options are read, and wrong ones are refused by name", () => {
  const now = Date.parse("2026-01-31T12:00:00Z");
  assert.deepEqual(logOptions(query("follow=true&tailLines=0&limitBytes=5&sinceSeconds=9&timestamps=1"), now), {
    previous: false,
    follow: true,
    timestamps: true,
    tailLines: 0,
    limitBytes: 5,
    sinceSeconds: 9,
  });
  assert.equal(logOptions(query("sinceTime=2026-01-31T11:59:00Z"), now).sinceSeconds, 60);
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
