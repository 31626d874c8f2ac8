import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { eventually } from "../running.ts";
import { beside, type Beside, type Ground, type Side } from "./beside.ts";
import { MEANT, type Told } from "./outside-differences.ts";
import { askWhole, type Whole, type WholeAnswer } from "./whole-answer.ts";

/** A file in the form of /etc/hosts, with what people write into one. */
const HOSTS = `# by hand
127.0.0.1\tlocalhost
192.0.2.1   one.hosts.test alias.hosts.test  # two names
2001:db8::1 one.hosts.test
192.0.2.2 two.hosts.test

192.0.2.3 Two.Hosts.test.
not-an-address nobody.hosts.test
fe80::1%eth0 link.hosts.test
`;

/** Stub domains, hosts that let other names through and hosts that do not, a domain that is left out; with a cache and without. */
async function corefile({ port, world, stub, folder }: Ground): Promise<string> {
  const file = join(folder, "hosts");
  await writeFile(file, HOSTS);
  return `
.:${port} {
  bind 127.0.0.1
  hosts ${file} {
    ttl 77
    fallthrough
  }
  forward . ${world} {
    except left.out.test
  }
  cache 30
}
wide.test:${port} {
  bind 127.0.0.1
  forward . ${stub}
  cache
}
stub.test:${port} {
  bind 127.0.0.1
  forward . ${stub}
}
hosts.test:${port} in-addr.arpa:${port} {
  bind 127.0.0.1
  hosts ${file} {
    ttl 77
  }
}
through.test:${port} {
  bind 127.0.0.1
  hosts {
    192.0.2.4 here.through.test
    192.0.2.5 here.other.test
    ttl 77
    fallthrough
  }
  forward . ${stub}
}
`;
}

const BLOCKS = {
  "example.test": { isCached: true, hasOutside: true },
  "wide.test": { isCached: true, hasOutside: true },
  "stub.test": { isCached: false, hasOutside: true },
  "hosts.test": { isCached: false, hasOutside: false },
  "in-addr.arpa": { isCached: false, hasOutside: false },
  "through.test": { isCached: false, hasOutside: true },
};
const blockOf = (name: string): { readonly isCached: boolean; readonly hasOutside: boolean } =>
  Object.entries(BLOCKS).find(([zone]) => name.toLowerCase().endsWith(zone))?.[1] ?? BLOCKS["example.test"];

/** What is different and not meant, of one question. */
function differences(told: Told, meant: Map<string, number>): string[] {
  const { whole, ours, theirs } = told;
  return (Object.keys(ours) as (keyof WholeAnswer)[]).flatMap((field) => {
    const [mine, its] = [JSON.stringify(ours[field]), JSON.stringify(theirs[field])];
    if (mine === its) return [];
    const reason = MEANT.find((each) => each.field === field && each.covers(told));
    if (reason === undefined) return [`${JSON.stringify(whole)} ${field}: CoreDNS ${its}, ours ${mine}`];
    meant.set(reason.why, (meant.get(reason.why) ?? 0) + 1);
    return [];
  });
}

/** Puts each question to both, and fails with what differs without a reason. Without CoreDNS: answers of ours alone. */
async function judged(t: TestContext, { ours, theirs }: Beside, questions: readonly Whole[]): Promise<WholeAnswer[]> {
  const found: string[] = [];
  const meant = new Map<string, number>();
  const answers: WholeAnswer[] = [];
  for (const whole of questions) {
    const [mine, its] = await Promise.all([
      askWhole(ours.port, whole),
      theirs === undefined ? undefined : askWhole(theirs.port, whole),
    ]);
    answers.push(mine);
    if (its !== undefined)
      found.push(...differences({ whole, ours: mine, theirs: its, ...blockOf(whole.name) }, meant));
  }
  for (const [why, count] of meant) t.diagnostic(`${count} differ as they should: ${why}`);
  assert.equal(found.length, 0, `${found.length} differences:\n${found.slice(0, 30).join("\n")}`);
  return answers;
}

const SHAPES: readonly Partial<Whole>[] = [
  {},
  { edns: 1232 },
  { edns: 4096, do: true },
  { edns: 512 },
  { ad: true },
  { cd: true },
  { rd: false },
  { tcp: true },
  { edns: 1232, ad: true, cd: true },
];

/** All that the resolver behind may say; see `world.ts`. */
const SAID =
  "plain long short zero alias aliasonly nx nxlow nodata nosoa empty fail refused notimp authority authentic big many norecursion".split(
    " ",
  );

const countOf = ({ asked }: Side, question: string): number => asked.filter((each) => each === question).length;

test("DNS-057, DNS-082, DNS-130: answers from outside are those of CoreDNS: flags, OPT records, TTLs, records; asked for once, and again", async (t) => {
  const both = await beside(t, corefile);
  for (const zone of ["example.test", "wide.test", "stub.test", "through.test"]) {
    const questions = SAID.flatMap((label) =>
      // Each a name of its own, so that nothing has been kept.
      SHAPES.flatMap((shape, at) =>
        Array.from({ length: 2 }, (): Whole => ({ name: `${label}${at}.${zone}`, ...shape })),
      ),
    );
    const answers = await judged(t, both, questions);
    for (const [at, { opt, question }] of answers.entries()) {
      // An OPT record comes back exactly when one was sent (RFC 6891 §6.1.1).
      assert.equal(opt !== "none", questions[at]!.edns !== undefined, JSON.stringify(questions[at]));
      assert.equal(question, `${questions[at]!.name} A`);
    }
  }
  // How often the resolver behind was asked for two questions, of those with RD: nothing that CoreDNS keeps is not kept here.
  const kept: Record<string, number> = {};
  for (const label of SAID) kept[label] = countOf(both.ours, `world ${label}0.example.test A`);
  const once = "plain long short zero alias aliasonly nx nxlow nodata fail notimp authority authentic many norecursion";
  // A cut answer is asked for anew over TCP by who wants the rest; without an SOA record a denial is not kept (RFC 2308 §5).
  const twice = "nosoa empty refused big";
  assert.deepEqual(
    kept,
    Object.fromEntries([...once.split(" ").map((label) => [label, 1]), ...twice.split(" ").map((label) => [label, 2])]),
  );
  if (both.theirs === undefined) return;
  const theirs = Object.fromEntries(
    SAID.map((label) => [label, countOf(both.theirs!, `world ${label}0.example.test A`)]),
  );
  // CoreDNS does not keep what was too large for the first to ask, and keeps answers that say nothing.
  assert.deepEqual(theirs, { ...kept, many: 2, empty: 1 });
});

test("DNS-082: TTLs fall with age, beside CoreDNS; a failure is kept for 5 seconds", async (t) => {
  const both = await beside(t, corefile);
  const questions: Whole[] = ["plain", "long", "nx", "alias"].map((label) => ({
    name: `${label}.example.test`,
  }));
  await judged(t, both, questions);
  const sides = [both.ours, ...(both.theirs === undefined ? [] : [both.theirs])];
  const fresh = [40, 30, 7, 9].map((ttl) => Math.min(ttl, 30));
  for (const side of sides) {
    const aged = async (by: number): Promise<true | undefined> => {
      const ttls = await Promise.all(
        questions.map(async (whole) => Math.min(...(await askWhole(side.port, whole)).ttls)),
      );
      // CoreDNS's denial begins at 30.
      const begun = side === both.ours ? fresh : [30, 30, 30, 9];
      const ages = ttls.map((ttl, at) => begun[at]! - ttl);
      return ages.every((age) => age >= by) || undefined;
    };
    await eventually("TTLs that are 2 less", () => aged(2));
    for (const { name } of questions) assert.equal(countOf(side, `world ${name} A`), 1, name);
  }
  const failing: Whole = { name: "fail.example.test" };
  for (const side of sides) {
    assert.equal((await askWhole(side.port, failing)).rcode, "SERVFAIL");
    const first = performance.now();
    await eventually("the resolver to be asked again", async () => {
      await askWhole(side.port, failing);
      return countOf(side, "world fail.example.test A") > 1 || undefined;
    });
    assert.ok(performance.now() - first > 4500, `asked again after ${performance.now() - first} ms`);
  }
});

test("DNS-130: names from hosts, names that go through, a stub domain, and what is left out, of every type, are those of CoreDNS", async (t) => {
  const both = await beside(t, corefile);
  const names = [
    ...["one", "ONE", "alias", "two", "none", "below.one", "nobody", "link"].map((label) => `${label}.hosts.test`),
    "hosts.test",
    "1.2.0.192.in-addr.arpa",
    "2.2.0.192.in-addr.arpa",
    "9.2.0.192.in-addr.arpa",
    "2.0.192.in-addr.arpa",
    "1.0.0.127.in-addr.arpa",
    "localhost",
    "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa",
    "here.through.test",
    "here.other.test",
    "plain.through.test",
    "text.through.test",
    "text.example.test",
    "plain.left.out.test",
    "left.out.test",
    "plain.not-left.out.test",
    "single",
    "",
  ];
  const types = ["A", "AAAA", "PTR", "TXT", "MX", "SRV", "CNAME", "SOA", "NS", "ANY"] as const;
  const questions = names.flatMap((name) =>
    types.flatMap((type) =>
      [undefined, 1232].map((edns): Whole => ({
        name,
        type,
        ...(edns === undefined ? {} : { edns }),
      })),
    ),
  );
  const answers = await judged(t, both, questions);
  const said = (name: string, type: string): string => {
    const at = questions.findIndex((each) => each.name === name && each.type === type);
    return `${answers[at]!.rcode} ${answers[at]!.answers.join(", ")}`.trim();
  };
  assert.equal(said("one.hosts.test", "A"), "NOERROR one.hosts.test A 192.0.2.1");
  assert.equal(said("ONE.hosts.test", "AAAA"), "NOERROR one.hosts.test AAAA 2001:db8::1");
  assert.equal(said("two.hosts.test", "AAAA"), "NOERROR");
  // Where hosts lets nothing through, a name that it lacks is a failure, as CoreDNS has it.
  assert.equal(said("none.hosts.test", "A"), "SERVFAIL");
  assert.equal(said("2.2.0.192.in-addr.arpa", "PTR"), "NOERROR 2.2.0.192.in-addr.arpa PTR two.hosts.test");
  assert.equal(said("plain.through.test", "A"), "NOERROR plain.through.test A 198.51.100.1");
  assert.equal(said("plain.left.out.test", "A"), "REFUSED");
  // A stub domain's resolver is asked for its names, and the other one for none of them.
  const stubbed = both.ours.asked.filter((each) => each.includes(".through.test"));
  assert.ok(stubbed.length > 0 && stubbed.every((each) => each.startsWith("stub ")), stubbed.join("\n"));
  assert.deepEqual(
    both.ours.asked.filter((each) => /left\.out\.test|hosts\.test/.test(each) && !each.includes("not-left")),
    [],
  );
  if (both.theirs !== undefined) {
    assert.deepEqual([...new Set(both.ours.asked)].toSorted(), [...new Set(both.theirs.asked)].toSorted());
  }
});
