import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startSubject, type Answered, type Subject } from "./subject.ts";

let subject: Subject;
/** The version of the list when all Services were there. */
let version = "";
before(async () => {
  subject = await startSubject();
  for (const name of ["a", "b", "c", "d"]) {
    const { code, text } = await subject.ask("POST", SERVICES, {
      metadata: { name, labels: { x: name, n: "5" } },
      spec: { ports: [{ port: 80 }] },
    });
    assert.equal(code, 201, text);
  }
  version = (await subject.ask("GET", SERVICES)).body.metadata.resourceVersion;
});
after(() => subject.close());

const SERVICES = "/api/v1/namespaces/default/services";

const list = (query: string): Promise<Answered> => subject.ask("GET", `${SERVICES}?${query}`);
const names = ({ body }: Answered): string[] =>
  body.items.map((item: { metadata: { name: string } }) => item.metadata.name);
const LABEL_VALUE =
  "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an " +
  "alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";

/** A refusal without details, which is what every fault of a query is that is no fault of ListOptions. */
function isBad(answer: Answered, message: string, label: string): void {
  const { code, body, text } = answer;
  assert.equal(code, 400, `${label}: ${text}`);
  assert.deepEqual([body.reason, body.message, body.details], ["BadRequest", message, undefined], label);
}

void test("SVC-200: a label selector that cannot be read says which word stands where another should", async () => {
  for (const [selector, message] of [
    ["x in", "unable to parse requirement: found '' expected: '('"],
    ["x in a", "unable to parse requirement: found 'a' expected: '('"],
    ["x in (a", "unable to parse requirement: found '', expected: ',' or ')'"],
    ["x in (a) y", "found 'y', expected: ',' or 'end of string'"],
    ["a=b=c", "found '=', expected: ',' or 'end of string'"],
    ["=", "found '=', expected: !, identifier, or 'end of string'"],
    ["(x)", "found '(', expected: !, identifier, or 'end of string'"],
    ["!", "unable to parse requirement: found '', expected: identifier"],
    ["x,!", "unable to parse requirement: found '', expected: identifier"],
    ["x,,y", "found ',', expected: identifier after ','"],
    ["x,", "found '', expected: identifier after ','"],
    ["x=(", "unable to parse requirement: found '(', expected: identifier"],
    ["!x=a", "found '=', expected: ',' or 'end of string'"],
    ["x exists", "unable to parse requirement: found 'exists', expected: in, notin, =, ==, !=, gt, lt"],
    [
      "x>a",
      `unable to parse requirement: values[0]: Invalid value: "a": for 'Gt', 'Lt' operators, the value must be an integer`,
    ],
    ["x=-", `unable to parse requirement: values[0][x]: Invalid value: "-": ${LABEL_VALUE}`],
    ["x in (b,-)", `unable to parse requirement: values[0][x]: Invalid value: "-": ${LABEL_VALUE}`],
  ] as const) {
    isBad(await list(`labelSelector=${encodeURIComponent(selector)}`), message, selector);
  }
});

void test("SVC-200: label selectors of every form select", async () => {
  for (const [selector, found] of [
    ["x in (a,,b)", ["a", "b"]],
    ["x in ()", []],
    ["x in (,a)", ["a"]],
    ["x==a", ["a"]],
    ["x!=a,x", ["b", "c", "d"]],
    [" x = a ", ["a"]],
    ["n>4,n<6,x notin (a,b)", ["c", "d"]],
    ["n>5", []],
    ["!x", ["kubernetes"]],
    ["x=,n", []],
  ] as const) {
    const answer = await list(`labelSelector=${encodeURIComponent(selector)}`);
    assert.equal(answer.code, 200, `${selector}: ${answer.text}`);
    assert.deepEqual(names(answer), found, selector);
  }
  assert.deepEqual(names(await list("labelSelector=%zz")).length, 5, "a broken escape is as if it were not there");
  assert.deepEqual(names(await list("labelSelector=x%3Da&labelSelector=x%3Db")), ["a"], "the first one counts");
});

void test("SVC-199: a field selector that cannot be read says why", async () => {
  for (const [selector, message] of [
    ["a", "invalid selector: 'a'; can't understand 'a'"],
    ["metadata.name=a,b", "invalid selector: 'metadata.name=a,b'; can't understand 'b'"],
    ["!metadata.name", "invalid selector: '!metadata.name'; can't understand '!metadata.name'"],
    ["metadata.name=a=b", "invalid field selector: unescaped character in value: 61"],
    ["metadata.name=a\\", "invalid field selector: invalid escape sequence: \\"],
    ["metadata.name=a\\x", "invalid field selector: invalid escape sequence: \\x"],
    ["metadata.name =a", "field label not supported: metadata.name "],
    ["metadata.labels.x=a", "field label not supported: metadata.labels.x"],
    ["spec.clusterIP=x,foo=1", "field label not supported: foo"],
  ] as const) {
    isBad(await list(`fieldSelector=${encodeURIComponent(selector)}`), message, selector);
  }
  for (const [selector, found] of [
    ["metadata.name==a", ["a"]],
    [",metadata.name=a,", ["a"]],
    ["metadata.name=a,metadata.name=b", []],
    ["=", ["a", "b", "c", "d", "kubernetes"]],
    ["metadata.name=a\\,b", []],
  ] as const) {
    assert.deepEqual(names(await list(`fieldSelector=${encodeURIComponent(selector)}`)), found, selector);
  }
});

void test("SVC-200: a resourceVersion that is none is a fault of a list, and a failure of other reads", async () => {
  for (const [said, why] of [
    ["x", "invalid syntax"],
    ["-1", "invalid syntax"],
    ["+1", "invalid syntax"],
    ["1.0", "invalid syntax"],
    [" 1", "invalid syntax"],
    ["18446744073709551616", "value out of range"],
  ] as const) {
    const shown = JSON.stringify(said);
    const message = `resourceVersion: Invalid value: ${shown}: strconv.ParseUint: parsing ${shown}: ${why}`;
    const query = `resourceVersion=${encodeURIComponent(said)}`;
    isBad(await list(query), `invalid resource version: ${message}`, said);
    isBad(await list(`${query}&resourceVersionMatch=Exact`), `invalid resource version: ${message}`, said);
    isBad(await subject.ask("DELETE", `${SERVICES}?${query}`), `invalid resource version: ${message}`, said);
    for (const path of [`${SERVICES}/a?${query}`, `${SERVICES}?watch=true&${query}`]) {
      const { code, body } = await subject.ask("GET", path);
      assert.deepEqual([code, body.reason, body.message], [500, undefined, message], path);
    }
  }
  for (const said of ["0", "00", ""]) assert.equal((await list(`resourceVersion=${said}`)).body.items.length, 5);
});

void test("SVC-200: a version that is still to come is waited for, then answered 504 with when to come again", async () => {
  const paths = [
    `${SERVICES}?resourceVersion=99999999`,
    `${SERVICES}?resourceVersion=18446744073709551615&resourceVersionMatch=Exact`,
    `${SERVICES}?resourceVersion=99999999&resourceVersionMatch=NotOlderThan`,
    `${SERVICES}/a?resourceVersion=99999999`,
  ];
  const answers = await Promise.all(paths.map((path) => subject.ask("GET", path)));
  for (const [index, { code, headers, body, text }] of answers.entries()) {
    assert.equal(code, 504, `${paths[index]}: ${text}`);
    assert.equal(headers["retry-after"], "1");
    const said = /resourceVersion=(\d+)/.exec(paths[index]!)![1];
    assert.match(body.message, new RegExp(`^Timeout: Too large resource version: ${said}, current: \\d+$`));
    assert.deepEqual(body.details, {
      causes: [{ reason: "ResourceVersionTooLarge", message: "Too large resource version" }],
      retryAfterSeconds: 1,
    });
  }
});

/** What a list or watch answers whose options do not go together. */
async function hasFaults(query: string, faults: readonly (readonly [string, string, string])[]): Promise<void> {
  const { code, body, text } = await list(query);
  assert.equal(code, 422, `${query}: ${text}`);
  assert.equal(body.reason, "Invalid");
  const causes = faults.map(([field, reason, message]) => ({ field, reason, message }));
  assert.deepEqual(body.details, { group: "meta.k8s.io", kind: "ListOptions", causes }, query);
  const said = faults.map(([field, , message]) => `${field}: ${message}`).join(", ");
  const all = faults.length === 1 ? said : `[${said}]`;
  assert.equal(body.message, `ListOptions.meta.k8s.io "" is invalid: ${all}`);
}

const MATCH = "resourceVersionMatch";
const forbidden = (why: string, field = MATCH) => [field, "FieldValueForbidden", `Forbidden: ${why}`] as const;
const unsupported = (value: string, supported: string) =>
  [MATCH, "FieldValueNotSupported", `Unsupported value: "${value}": supported values: ${supported}`] as const;

void test("SVC-200: options of a list that do not go together are told all at once", async () => {
  const alone = forbidden("resourceVersionMatch is forbidden unless resourceVersion is provided");
  const continued = forbidden("resourceVersionMatch is forbidden when continue is provided");
  const known = `"Exact", "NotOlderThan", ""`;
  const initial = forbidden("sendInitialEvents is forbidden for list", "sendInitialEvents");
  await hasFaults("resourceVersionMatch=Exact", [alone]);
  await hasFaults("resourceVersionMatch=NotOlderThan", [alone]);
  await hasFaults("resourceVersionMatch=foo", [alone, unsupported("foo", known)]);
  await hasFaults("resourceVersionMatch=exact&resourceVersion=1", [unsupported("exact", known)]);
  await hasFaults("resourceVersionMatch=Exact&resourceVersion=0", [
    forbidden(`resourceVersionMatch "exact" is forbidden for resourceVersion "0"`),
  ]);
  await hasFaults("resourceVersionMatch=Exact&resourceVersion=1&continue=x", [continued]);
  await hasFaults("resourceVersionMatch=foo&continue=x", [alone, continued, unsupported("foo", known)]);
  await hasFaults("sendInitialEvents=false", [initial]);
  await hasFaults("sendInitialEvents=true&resourceVersionMatch=NotOlderThan", [alone, initial]);
  const deleted = await subject.ask("DELETE", `${SERVICES}?resourceVersionMatch=foo&labelSelector=none`);
  assert.equal(deleted.code, 422);
  assert.equal(deleted.body.details.kind, "ListOptions");
});

void test("SVC-200: options of a watch that do not go together are told all at once", async () => {
  const bare = forbidden("resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided");
  const unmatched = forbidden("sendInitialEvents requires setting resourceVersionMatch to NotOlderThan");
  const watch = (query: string, ...faults: Parameters<typeof hasFaults>[1][number][]) =>
    hasFaults(`watch=true&timeoutSeconds=1&${query}`, faults);
  await watch("resourceVersionMatch=NotOlderThan", bare);
  await watch("resourceVersionMatch=Exact&resourceVersion=x", bare, unsupported("Exact", `"NotOlderThan"`));
  await watch("sendInitialEvents=true", unmatched);
  await watch("sendInitialEvents=", unmatched);
  await watch("sendInitialEvents=false&resourceVersionMatch=foo", unmatched, unsupported("foo", `"NotOlderThan"`));
  await watch("continue=x", forbidden("resourceVersionMatch is forbidden when continue is provided"));
});

void test("SVC-200: numbers that are none", async () => {
  for (const query of [
    "limit=x",
    "limit=1.5",
    "limit=",
    "timeoutSeconds=x",
    "watch=true&limit=x",
    "watch=true&timeoutSeconds=x",
  ]) {
    const said = /(?:limit|timeoutSeconds)=(.*)$/.exec(query)![1];
    isBad(await list(query), `strconv.ParseInt: parsing "${said}": invalid syntax`, query);
  }
  const huge = "9".repeat(20);
  isBad(await list(`limit=${huge}`), `strconv.ParseInt: parsing "${huge}": value out of range`, huge);
  for (const query of ["limit=-1", "limit=0", "timeoutSeconds=-1"]) {
    assert.equal((await list(query)).body.items.length, 5, query);
  }
  isBad(
    await subject.ask("DELETE", `${SERVICES}?limit=x&labelSelector=none`),
    'strconv.ParseInt: parsing "x": invalid syntax',
    "deletecollection",
  );
});

void test("SVC-200: a limit holds at a version, and not where any version will do", async () => {
  for (const [query, count] of [
    ["limit=2", 2],
    [`limit=2&resourceVersion=${version}`, 2],
    [`limit=2&resourceVersion=${version}&resourceVersionMatch=Exact`, 2],
    ["limit=2&resourceVersion=0", 5],
    ["limit=2&resourceVersion=0&resourceVersionMatch=NotOlderThan", 5],
  ] as const) {
    const { body } = await list(query);
    assert.equal(body.items.length, count, query);
    assert.equal(body.metadata.continue === undefined, count === 5, query);
    assert.equal(body.metadata.remainingItemCount, count === 5 ? undefined : 3, query);
  }
});

void test("SVC-200: a continue token that is broken, foreign or beside a version is refused", async () => {
  const token = (await list("limit=2")).body.metadata.continue as string;
  const parts = JSON.parse(Buffer.from(token, "base64url").toString()) as { v: string; rv: number; start: string };
  const made = (changed: object): string => Buffer.from(JSON.stringify({ ...parts, ...changed })).toString("base64url");
  const invalid = "invalid continue token: continue key is not valid: ";
  for (const [query, why] of [
    ["continue=x", "illegal base64 data at input byte 0"],
    ["continue=abc!", "illegal base64 data at input byte 3"],
    [`continue=${Buffer.from("{").toString("base64url")}`, "unexpected end of JSON input"],
    [`continue=${Buffer.from("{}").toString("base64url")}`, "server does not recognize this encoded version "],
    [`continue=${made({ v: "v9" })}`, "server does not recognize this encoded version v9"],
    [`continue=${made({ rv: 0 })}`, "incorrect encoded start resourceVersion (version meta.k8s.io/v1)"],
    [`continue=${made({ start: "" })}`, "encoded start key empty (version meta.k8s.io/v1)"],
    [`continue=${made({ start: "../x" })}`, "../x"],
    ["continue=x&resourceVersion=1", "illegal base64 data at input byte 0"],
    [
      `continue=${made({ rv: "x" })}`,
      "json: cannot unmarshal string into Go struct field continueToken.rv of type int64",
    ],
  ] as const) {
    isBad(await list(query), invalid + why, query);
  }
  const both = "specifying resource version is not allowed when using continue";
  isBad(await list(`continue=${token}&resourceVersion=${version}`), both, "both");
  assert.equal((await list(`continue=${token}&resourceVersion=0`)).body.items.length, 3);
  assert.equal((await list(`continue=${made({ rv: 99_999_999 })}`)).code, 504);
  // It holds no secret and leads nowhere but into the list it is given to.
  const elsewhere = await subject.ask("GET", `/api/v1/namespaces/default/secrets?continue=${token}`);
  assert.deepEqual([elsewhere.code, elsewhere.body.items], [200, []]);
  assert.deepEqual(names(await list(`continue=${token}&limit=1`)), [names(await list("limit=3"))[2]]);
  assert.deepEqual(
    names(await list(`continue=${made({ rv: -1 })}`)),
    names(await list("")).slice(2),
    "it goes on with now",
  );
});

/** All that a watch says until it ends. */
async function watched(query: string): Promise<{ type: string; object: Answered["body"] }[]> {
  const { code, text } = await subject.ask("GET", `${SERVICES}?watch=true&${query}`);
  assert.equal(code, 200, text);
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as { type: string; object: Answered["body"] });
}

void test("SVC-200: a watch from a version that is still to come says nothing; one that is to tell what is there first says it cannot", async () => {
  for (const query of [
    "timeoutSeconds=1&resourceVersion=99999999",
    "timeoutSeconds=1&resourceVersion=99999999&allowWatchBookmarks=true",
    "timeoutSeconds=1&resourceVersion=18446744073709551615",
    "timeoutSeconds=1&resourceVersion=99999999&sendInitialEvents=false&resourceVersionMatch=NotOlderThan",
  ]) {
    assert.deepEqual(await watched(query), [], query);
  }
  const [event, ...more] = await watched(
    "timeoutSeconds=20&resourceVersion=99999999&sendInitialEvents=true&resourceVersionMatch=NotOlderThan",
  );
  assert.deepEqual([event?.type, event?.object.code, event?.object.reason, more], ["ERROR", 504, "Timeout", []]);
  assert.match(event!.object.message, /^Timeout: Too large resource version: 99999999, current: \d+$/);
});

void test("SVC-200: a watch from any version tells what is there; what it is asked for may be written in many ways", async () => {
  for (const query of ["resourceVersion=0", "resourceVersion=00", "allowWatchBookmarks=x", "limit=1"]) {
    const events = await watched(`timeoutSeconds=1&${query}`);
    assert.equal(events.filter(({ type }) => type === "ADDED").length, 5, query);
  }
  const found = await watched(
    "timeoutSeconds=1&sendInitialEvents=false&resourceVersionMatch=NotOlderThan&resourceVersion=0",
  );
  assert.deepEqual(found, [], "nothing that is there is told");
  const mismatch = await subject.ask(
    "GET",
    "/api/v1/watch/namespaces/default/services/a?timeoutSeconds=1&fieldSelector=metadata.name%3Db",
  );
  isBad(mismatch, "fieldSelector metadata.name doesn't match requested name", "another name");
  for (const flag of ["watch=false", "watch=0", "watch=FALSE"]) {
    assert.equal((await list(flag)).body.kind, "ServiceList", flag);
  }
});
