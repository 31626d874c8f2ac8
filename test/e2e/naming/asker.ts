import assert from "node:assert/strict";
import type { Resolvers } from "../../lab/resolvers/resolvers.ts";
import type { Caller } from "../calling/callers.ts";
import type { Ran } from "../calling/orders.ts";

/** Somebody who asks for names as programs do: with `dig`, and through the C library's resolver of several languages. */
export interface Asker {
  readonly caller: Caller;
  /** The lines that `dig` prints for these arguments, sorted. */
  dig(...args: string[]): Promise<string[]>;
  /** The response code of `dig`, and how many records each section has: `NXDOMAIN 0 1 1`. */
  verdict(...args: string[]): Promise<string>;
  /** The addresses of a name as getaddrinfo finds them, sorted; none when it has none. Throws unless all resolvers say the same. */
  addresses(name: string): Promise<string[]>;
  /** What each resolver says, for a name of which they may say different things. */
  each(name: string): Promise<Record<string, string[]>>;
  /** The name of an address as getnameinfo finds it. Throws unless all resolvers say the same. */
  nameOf(address: string): Promise<string>;
  /** `getent hosts NAME`, with one blank between the words. */
  getentHosts(name: string): Promise<string>;
  /** Runs a program that must succeed, and answers its output. */
  output(command: string, ...args: string[]): Promise<string>;
  /** The records of a type (a number) by res_query of each C library; throws unless they say the same. */
  query(name: string, type: number): Promise<string[]>;
}

const PYTHON = `
import socket, sys
try:
    print("\\n".join({each[4][0] for each in socket.getaddrinfo(sys.argv[1], None)}))
except socket.gaierror as error:
    sys.exit(str(error))
`;

const linesOf = (text: string): string[] => text.split("\n").filter((line) => line.trim() !== "");
const distinct = (all: readonly string[]): string[] => [...new Set(all)].sort();

/** The one answer that all give. */
function agreed<T>(what: string, answers: Readonly<Record<string, T>>): T {
  const [[first, answer], ...others] = Object.entries(answers) as [[string, T], ...[string, T][]];
  for (const [name, other] of others) assert.deepEqual(other, answer, `${what}: ${name} says otherwise than ${first}`);
  return answer;
}

export function askerOf(caller: Caller, resolvers: Resolvers | undefined): Asker {
  const found = ({ code, stdout, stderr }: Ran): string[] => {
    // 1 says that there is no such name; anything else that the program did not get to ask.
    assert.ok(code === 0 || code === 1, `asking for a name ended with ${code}: ${stderr}`);
    return code === 0 ? distinct(linesOf(stdout)) : [];
  };
  const libraries = Object.entries(resolvers ?? {}) as [string, string][];
  const output = async (command: string, ...args: string[]): Promise<string> => {
    const { code, stdout, stderr } = await caller.run(command, ...args);
    assert.equal(code, 0, `${[command, ...args].join(" ")}: ${stderr}${stdout}`);
    return stdout;
  };
  const dig = (...args: string[]): Promise<string> => output("dig", "+tries=3", "+time=5", ...args);
  const each = async (name: string): Promise<Record<string, string[]>> => {
    const getent = await caller.run("getent", "ahosts", name);
    const words = linesOf(getent.stdout).map((line) => line.split(/\s+/)[0]!);
    const said: Record<string, string[]> = {
      getent: getent.code === 0 ? distinct(words) : [],
      node: distinct((await caller.name(name)).answers),
      python3: found(await caller.run("/usr/bin/python3", "-c", PYTHON, name)),
    };
    for (const [library, program] of libraries) said[library] = found(await caller.run(program, "addresses", name));
    return said;
  };
  return {
    caller,
    each,
    output,
    dig: async (...args) => linesOf(await dig("+short", ...args)).sort(),
    async verdict(...args) {
      const text = await dig(...args);
      const rcode = /status: (\w+)/.exec(text)?.[1];
      const counts = /ANSWER: (\d+), AUTHORITY: (\d+), ADDITIONAL: (\d+)/.exec(text)?.slice(1) ?? [];
      return [rcode, ...counts].join(" ");
    },
    addresses: async (name) => agreed(`the addresses of ${name}`, await each(name)),
    async nameOf(address) {
      const getent = await caller.run("getent", "hosts", address);
      const said: Record<string, string> = { getent: getent.stdout.trim().split(/\s+/)[1] ?? "" };
      for (const [library, program] of libraries)
        said[library] = found(await caller.run(program, "name", address)).join(" ");
      return agreed(`the name of ${address}`, said);
    },
    getentHosts: async (name) => (await caller.run("getent", "hosts", name)).stdout.trim().replaceAll(/ +/g, " "),
    async query(name, type) {
      const said: Record<string, string[]> = {};
      for (const [library, program] of libraries)
        said[library] = linesOf((await caller.run(program, "query", name, String(type))).stdout).sort();
      return agreed(`the records of ${name}`, said);
    },
  };
}
