import assert from "node:assert/strict";
import { test } from "node:test";
import { issueAuthority } from "../../apiserver/pki/issue.ts";
import { memoryStore } from "../../store/memory/memory.ts";
import { agreeOnAuthority } from "./authority.ts";

test("servers on one store have one certificate authority; one with another is refused, naming both and the remedy", async () => {
  const [ours, other] = await Promise.all([issueAuthority(Date.now()), issueAuthority(Date.now())]);
  const store = memoryStore();
  await agreeOnAuthority(store, ours.cert, "/srv/a/pki");
  await agreeOnAuthority(store, ours.cert, "/srv/a/pki");
  await assert.rejects(agreeOnAuthority(store, other.cert, "/srv/b/pki"), {
    name: "Failure",
    message: /certificate authority is (?:[0-9A-F]{2}:){31}.*, and the one in \/srv\/b\/pki is .*copy of their ca\.crt/,
  });
});
