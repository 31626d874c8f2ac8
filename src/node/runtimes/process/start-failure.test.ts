import assert from "node:assert/strict";
import { test } from "node:test";
import { startFailure } from "./start-failure.ts";

const PATH = "/usr/bin:/bin";

void test("startFailure: a program that is not there is named, with the PATH that was searched", () => {
  const said = 'starting "serve": executable file not found in $PATH: /usr/bin:/bin';
  const why = "No such file or directory";
  assert.equal(startFailure(["serve"], PATH, 127, `setpriv: failed to execute serve: ${why}\n`), said);
  assert.equal(startFailure(["serve"], PATH, 137, `bwrap: execvp serve: ${why}\n`), said);
  assert.equal(startFailure(["serve"], PATH, 127, `/usr/bin/env: ‘serve’: ${why}\n`), said);
  assert.match(
    startFailure(["/opt/serve"], PATH, 127, `setpriv: failed to execute /opt/serve: ${why}\n`)!,
    /interpreter/,
  );
  assert.match(
    startFailure(["/etc"], PATH, 126, "setpriv: failed to execute /etc: Permission denied\n")!,
    /Permission denied; PATH/,
  );
});

void test("startFailure: a working directory that is not there", () => {
  const said = startFailure(["sh"], PATH, 1, "bwrap: Can't chdir to /nowhere: No such file or directory\n");
  assert.equal(said, 'starting "sh": workingDir /nowhere: No such file or directory');
});

void test("startFailure: a program that ran and ended itself with 127 did run", () => {
  assert.equal(startFailure(["sh", "-c", "nothing"], PATH, 127, "sh: 1: nothing: not found\n"), undefined);
  assert.equal(
    startFailure(["sh"], PATH, 127, "setpriv: failed to execute other: No such file or directory\n"),
    undefined,
  );
  assert.equal(startFailure(["sh"], PATH, 0, ""), undefined);
});
