import { readFlags, helpLines } from "./flags.ts";
import { Failure, sentenceOf, UsageError } from "./failure.ts";
import { nearest } from "../api/nearest.ts";
import { VERSION } from "./version.ts";
import type { Command } from "./command.ts";

/** Loaded only when asked for: `fairlead status` need not read the API server's code. */
const COMMANDS: Record<string, { summary: string; load: () => Promise<{ command: Command }> }> = {
  up: { summary: "start the whole system, in the foreground, until Ctrl-C", load: () => import("./commands/up.ts") },
  shell: {
    summary: "a shell, or a command, where service names and addresses work",
    load: () => import("./commands/shell.ts"),
  },
  proxy: {
    summary: "carry the Service traffic of one node, for any API server, in the foreground",
    load: () => import("./commands/proxy.ts"),
  },
  dns: {
    summary: "answer a cluster's names, for any API server, in the foreground",
    load: () => import("./commands/dns.ts"),
  },
  ingress: {
    summary: "serve a cluster's Ingresses, for any API server, in the foreground",
    load: () => import("./commands/ingress.ts"),
  },
  status: { summary: "what runs, and where", load: () => import("./commands/status.ts") },
  down: { summary: "end everything and remove what it made", load: () => import("./commands/down.ts") },
};

const overview = (): string =>
  [
    "fairlead: the Kubernetes Service on this machine",
    "",
    "usage: fairlead COMMAND [flags]",
    "",
    ...Object.entries(COMMANDS).map(([name, { summary }]) => `  ${name.padEnd(8)} ${summary}`),
    "",
    "fairlead COMMAND --help shows a command's flags; fairlead --version the version.",
  ].join("\n");

const say = (text: string): void => void process.stdout.write(`${text}\n`);

async function main(argv: readonly string[]): Promise<number> {
  const [name, ...rest] = argv;
  if (name === undefined || name === "--help" || name === "-h" || name === "help") {
    say(overview());
    return 0;
  }
  if (name === "--version" || name === "version") {
    say(VERSION);
    return 0;
  }
  const known = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (known === undefined && name.startsWith("-")) {
    const near = nearest(name, ["--help", "--version"]);
    throw new UsageError(
      `unknown flag ${name}${near === undefined ? " before a command; a command's flags come after it, as in 'fairlead up --data DIR'" : `; did you mean ${near}?`}`,
    );
  }
  if (known === undefined) {
    const near = nearest(name, Object.keys(COMMANDS));
    throw new UsageError(
      `unknown command ${JSON.stringify(name)}; ${near === undefined ? `there are ${Object.keys(COMMANDS).join(", ")}` : `did you mean ${near}?`}`,
    );
  }
  const { command } = await known.load();
  const flags = { ...command.flags, help: { type: "boolean", short: "h", help: "show this" } } as const;
  const given = readFlags(name, flags, rest);
  if (given.values["help"] === true) {
    say([`usage: fairlead ${command.usage}`, "", ...helpLines(flags)].join("\n"));
    return 0;
  }
  return command.run(given);
}

// Who no longer reads what is said ends nothing by that.
for (const stream of [process.stdout, process.stderr]) stream.on("error", () => {});

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  const expected = error instanceof UsageError || error instanceof Failure;
  process.stderr.write(`fairlead: ${sentenceOf(error)}\n`);
  if (!expected && error instanceof Error && process.env["FAIRLEAD_DEBUG"] !== undefined) {
    process.stderr.write(`${error.stack ?? ""}\n`);
  }
  process.exitCode = error instanceof UsageError ? 2 : 1;
}
