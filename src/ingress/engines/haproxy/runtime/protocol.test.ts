import assert from "node:assert/strict";
import { test } from "node:test";
import { addToMap, Answers, deleteServer, linesOf, preparedVersion, setCertificate, setInMap } from "./protocol.ts";

void test("answers are told apart by the prompt, in whatever pieces they come", () => {
  const text = "\n> New server registered.\n\n> + + + \n> New version created: 3\n\n> ";
  for (let size = 1; size < text.length; size += 1) {
    const answers = new Answers();
    const read: string[] = [];
    for (let at = 0; at < text.length; at += size) read.push(...answers.read(text.slice(at, at + size)));
    assert.deepEqual(read, ["", "New server registered.", "", "New version created: 3"], `pieces of ${size}`);
  }
  assert.equal(preparedVersion("New version created: 3"), "3");
});

void test("words that the commands' reader would cut are escaped", () => {
  assert.equal(setInMap("m", "a;b", "c d\\").text, "set map m a\\;b c\\ d\\\\");
});

void test("entries go in commands that each fit into a buffer", () => {
  const entries = Array.from({ length: 2000 }, (_, at) => [`key-${at}`, "v".repeat(40)] as const);
  const commands = addToMap("m", entries);
  assert.ok(commands.length > 1);
  assert.ok(commands.every(({ text }) => text.length < 17_000));
  assert.equal(commands.flatMap(({ text }) => text.split("\n").filter((one) => one.startsWith("key-"))).length, 2000);
  assert.deepEqual(addToMap("m", []), []);
});

void test("a complaint is HAProxy's own word", () => {
  assert.equal(deleteServer("b/s").complaint("Server deleted."), undefined);
  assert.equal(
    deleteServer("b/s").complaint("Server still has connections attached to it, cannot remove it."),
    "Server still has connections attached to it, cannot remove it.",
  );
  assert.equal(setCertificate("f", "x").complaint("Transaction created for certificate f!"), undefined);
});

void test("lines of a list by file", () => {
  const answer = "# certificates.list\n/d/a.pem:1 !*\n/d/b.pem:2 x.test\n/d/a.pem:3\n";
  assert.deepEqual(linesOf(answer, "/d/a.pem"), [1, 3]);
});
