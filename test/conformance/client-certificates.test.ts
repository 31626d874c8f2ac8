import assert from "node:assert/strict";
import { createHash, X509Certificate } from "node:crypto";
import { Agent, request } from "node:https";
import { after, before, test } from "node:test";
import type { ClientOptions, Pair } from "../apiserver/certificates.ts";
import { until } from "../lab/until.ts";
import { startSubject, type Subject } from "./subject.ts";
import { tokensOf } from "./tokens.ts";

let subject: Subject;
let tokens: ReturnType<typeof tokensOf>;
before(async () => {
  subject = await startSubject();
  tokens = tokensOf(subject);
});
after(() => subject.close());

const MINUTE = 60_000;
const inMinutes = (minutes: number): Date => new Date(Date.now() + minutes * MINUTE);
const digestOf = ({ cert }: Pair): string =>
  `X509SHA256=${createHash("sha256").update(new X509Certificate(cert).raw).digest("hex")}`;

void test("the last CN is the user, each O a group, and the certificate's digest its number", async () => {
  const pair = await subject.client("O=team, CN=former, O=guests, CN=jane");
  const { code, body, text } = await tokens.whoami({ as: pair });
  assert.equal(code, 201, text);
  assert.deepEqual(body.status.userInfo, {
    username: "jane",
    groups: ["team", "guests", "system:authenticated"],
    extra: { "authentication.kubernetes.io/credential-id": [digestOf(pair)] },
  });
});

void test("a certificate may carry the user's UID, and not two", async () => {
  const one = await subject.client("CN=jane, 1.3.6.1.4.1.57683.2=#13036d7955");
  assert.equal((await tokens.whoami({ as: one })).body.status.userInfo.uid, "myU");
  const two = await subject.client("CN=jane, 1.3.6.1.4.1.57683.2=#13036d7955, 1.3.6.1.4.1.57683.2=#13036d7956");
  assert.equal((await tokens.whoami({ as: two })).code, 401);
});

void test("a certificate whose groups already say that it is known gains no other", async () => {
  const pair = await subject.client("O=system:authenticated, O=team, CN=jane");
  const { body } = await tokens.whoami({ as: pair });
  assert.deepEqual(body.status.userInfo.groups, ["system:authenticated", "team"]);
});

void test("a certificate without a CN names nobody", async () => {
  const as = await subject.client("O=system:masters");
  const { code, body } = await subject.ask("GET", "/api/v1/pods", undefined, { as });
  assert.equal(code, 403);
  assert.match(body.message, /^pods is forbidden: User "system:anonymous" cannot list/);
});

for (const [what, options, code] of [
  ["that has ended", { from: inMinutes(-10), to: inMinutes(-5) }, 401],
  ["that has not begun", { from: inMinutes(30), to: inMinutes(60) }, 401],
  ["for servers", { use: "server" }, 401],
  ["that does not say what it is for", { use: "any" }, 201],
] as [string, ClientOptions, number][]) {
  void test(`a certificate ${what}: ${code}`, async () => {
    const as = await subject.client("O=system:masters, CN=jane", options);
    const answer = await tokens.whoami({ as });
    assert.equal(answer.code, code, answer.text);
    if (code === 401) assert.equal(answer.body.message, "Unauthorized");
  });
}

void test("a certificate of another authority is refused, though a good token beside it is not", async () => {
  const { createAuthority } = await import("../apiserver/certificates.ts");
  const other = await createAuthority("CN=other");
  const stranger = await other.client("O=system:masters, CN=admin");
  assert.equal((await tokens.whoami({ as: stranger })).code, 401);
  await tokens.account("bot");
  const headers = { authorization: `Bearer ${await tokens.token("bot")}` };
  const { code, body } = await tokens.whoami({ as: stranger, headers });
  assert.equal(code, 201);
  assert.equal(body.status.userInfo.username, "system:serviceaccount:default:bot");
});

void test("a good certificate goes before whatever token is sent with it", async () => {
  const as = await subject.client("CN=jane");
  const { code, body } = await tokens.whoami({ as, headers: { authorization: "Bearer wrong" } });
  assert.equal(code, 201);
  assert.equal(body.status.userInfo.username, "jane");
});

void test("a connection that outlives its certificate is refused from then on", async () => {
  const pair = await subject.client("O=system:masters, CN=short", { to: new Date(Date.now() + 3000) });
  const agent = new Agent({ keepAlive: true, maxSockets: 1, ca: subject.ca, ...pair });
  const ports = new Set<number | undefined>();
  const ask = (): Promise<number> =>
    new Promise((resolve, reject) => {
      const asked = request({ host: "127.0.0.1", port: subject.port, path: "/api/v1/namespaces", agent }, (answer) => {
        ports.add(answer.socket.localPort);
        answer.resume();
        answer.once("end", () => resolve(answer.statusCode ?? 0));
      });
      asked.once("error", reject);
      asked.end();
    });
  assert.equal(await ask(), 200);
  await until("the certificate to end", async () => (await ask()) === 401);
  assert.equal(ports.size, 1, "all went over one connection");
  agent.destroy();
});
