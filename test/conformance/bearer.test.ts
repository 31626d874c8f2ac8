import assert from "node:assert/strict";
import { connect } from "node:tls";
import { after, before, test } from "node:test";
import { startSubject, type Subject } from "./subject.ts";
import { tokensOf } from "./tokens.ts";

let subject: Subject;
let tokens: ReturnType<typeof tokensOf>;
let token: string;
before(async () => {
  subject = await startSubject();
  tokens = tokensOf(subject);
  await tokens.account("bot");
  token = await tokens.token("bot");
});
after(() => subject.close());

for (const [what, header, code] of [
  ["a bearer token", () => `Bearer ${token}`, 201],
  ["its scheme in any case", () => `bEARER ${token}`, 201],
  ["space around it", () => `  Bearer ${token}  `, 201],
  ["a word behind the token", () => `Bearer ${token} word`, 201],
  ["a wrong token", () => "Bearer wrong", 401],
  ["a token by halves", () => `Bearer ${token.slice(0, -1)}`, 401],
  ["two spaces before the token: none", () => `Bearer  ${token}`, 403],
  ["the scheme alone: none", () => "Bearer", 403],
  ["another scheme: none", () => `Basic ${Buffer.from("admin:admin").toString("base64")}`, 403],
  ["a scheme that begins like it: none", () => `Bearers ${token}`, 403],
] as const) {
  void test(`Authorization with ${what}: ${code}`, async () => {
    const answer = await tokens.whoami({ as: "anonymous", headers: { authorization: header() } });
    assert.equal(answer.code, code, answer.text);
    const warning = "the provided Authorization header contains extra space before the bearer token, and is ignored";
    const isWarned = what.startsWith("two spaces");
    assert.equal(answer.headers["warning"], isWarned ? `299 - "${warning}"` : undefined);
  });
}

const PROTOCOL = "base64url.bearer.authorization.k8s.io.";

/** The status line's code that a WebSocket's opening is answered with. */
function opened(protocols: readonly string[]): Promise<number> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: "127.0.0.1", port: subject.port, ca: subject.ca }, () => {
      socket.write(
        [
          "GET /api/v1/namespaces/default/pods/none/exec?command=true&stdout=true HTTP/1.1",
          "Host: localhost",
          "Connection: Upgrade",
          "Upgrade: websocket",
          "Sec-WebSocket-Version: 13",
          "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
          ...protocols.map((protocol) => `Sec-WebSocket-Protocol: ${protocol}`),
          "",
          "",
        ].join("\r\n"),
      );
    });
    let heard = "";
    socket.on("data", (chunk: Buffer) => {
      heard += chunk.toString();
      const code = /^HTTP\/1\.1 (\d+)/.exec(heard)?.[1];
      if (code === undefined) return;
      socket.destroy();
      resolve(Number(code));
    });
    socket.once("error", reject);
  });
}

const encoded = (text: string): string => PROTOCOL + Buffer.from(text).toString("base64url");

void test("a WebSocket may offer its token as a subprotocol, beside the one it speaks", async () => {
  const speak = "v4.channel.k8s.io";
  assert.equal(await opened([speak]), 403, "nobody");
  // Known, and so further than nobody: refused by roles where there are some, else there is no such pod.
  const known = await subject.ask("GET", "/api/v1/namespaces/default/pods/none", undefined, { token });
  const expected = known.code;
  assert.ok(expected === 403 || expected === 404);
  for (const protocols of [[`${encoded(token)}, ${speak}`], [speak, encoded(token)]]) {
    assert.equal(await opened(protocols), expected);
  }
  for (const [protocols, why] of [
    [[`${encoded("wrong")}, ${speak}`], "a wrong token"],
    [[encoded(token)], "nothing to speak"],
    [[`${encoded(token)}, ${encoded(token)}, ${speak}`], "two tokens"],
    [[`${PROTOCOL}!!!, ${speak}`], "no base64url"],
    [[`${PROTOCOL}${Buffer.from([0xff, 0xfe]).toString("base64url")}, ${speak}`], "no text"],
  ] as const) {
    assert.equal(await opened(protocols), 401, why);
  }
});
