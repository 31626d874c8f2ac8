import assert from "node:assert/strict";
import { test } from "node:test";
import { upgradeHead } from "./upgrade-head.ts";

void test("an upgrade goes on to the node with its protocol, and without what names the client", () => {
  const raw = ["Host", "api", "Authorization", "Bearer secret", "Impersonate-User", "x", "Connection", "Upgrade"];
  raw.push("Upgrade", "SPDY/3.1", "X-Stream-Protocol-Version", "v5", "X-Stream-Protocol-Version", "v4");
  assert.equal(
    upgradeHead("POST", "/exec/ns/pod/c?command=a", "node-a", raw),
    [
      "POST /exec/ns/pod/c?command=a HTTP/1.1",
      "Host: node-a",
      "X-Stream-Protocol-Version: v5",
      "X-Stream-Protocol-Version: v4",
      "Connection: Upgrade",
      "Upgrade: SPDY/3.1",
      "",
      "",
    ].join("\r\n"),
  );
});

void test("a token among a WebSocket's subprotocols does not go on to the node", () => {
  const raw = [
    "Upgrade",
    "websocket",
    "Sec-WebSocket-Protocol",
    "base64url.bearer.authorization.k8s.io.c2VjcmV0, v4, v5",
  ];
  const head = upgradeHead("GET", "/exec/ns/pod/c", "node-a", raw);
  assert.match(head, /^Sec-WebSocket-Protocol: v4, v5$/m);
  assert.doesNotMatch(head, /bearer/);
});
