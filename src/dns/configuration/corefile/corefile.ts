import type { DnsConfiguration, ServerBlock } from "../configuration.ts";
import { usualBlock } from "../usual.ts";
import { blocksOf, type BlockGround, type Line, type WrittenBlock } from "./blocks.ts";
import type { BlockDraft, ClusterAccess, Directive, Reading, WholeDraft } from "./directive.ts";
import { bind } from "./directives/bind.ts";
import { cache } from "./directives/cache.ts";
import { errors } from "./directives/errors.ts";
import { forward } from "./directives/forward.ts";
import { health } from "./directives/health.ts";
import { hosts } from "./directives/hosts.ts";
import { kubernetes } from "./directives/kubernetes.ts";
import { loadbalance } from "./directives/loadbalance.ts";
import { log } from "./directives/log.ts";
import { loop } from "./directives/loop.ts";
import { prometheus } from "./directives/prometheus.ts";
import { ready } from "./directives/ready.ts";
import { reload } from "./directives/reload.ts";
import { CorefileError, faultAt, quoted, textOf, type Fault } from "./fault.ts";
import { keyOf } from "./zones.ts";

const DIRECTIVES: readonly Directive[] = [
  bind,
  cache,
  errors,
  forward,
  health,
  hosts,
  kubernetes,
  loadbalance,
  log,
  loop,
  prometheus,
  ready,
  reload,
];

/** What reading a Corefile looks at beside its text. */
export interface CorefileGround
  extends Pick<BlockGround, "environment" | "readFile" | "filesLike">, Pick<Reading, "addressesOf"> {}

export interface Corefile {
  readonly configuration: DnsConfiguration;
  /** How the API server is reached, where the Corefile says so. */
  readonly access?: ClusterAccess;
  /** What was read and does nothing, as `FILE:LINE: SENTENCE`. */
  readonly warnings: readonly string[];
}

/** Collects what a step finds wrong, so that all of it is told at once. */
function collecting(faults: Fault[], step: () => void): void {
  try {
    step();
  } catch (error) {
    if (!(error instanceof CorefileError)) throw error;
    faults.push(...error.faults);
  }
}

function directiveOf(line: Line): Directive {
  const found = DIRECTIVES.find(({ name }) => name === line.name);
  if (found !== undefined) return found;
  const known = DIRECTIVES.map(({ name }) => name).join(", ");
  throw faultAt(line, `unknown directive ${quoted(line.name)}; there are ${known}`);
}

/** A zone, and where it is answered; no address is all of them. */
interface Answered {
  readonly zone: string;
  readonly port: number;
  readonly address: string | undefined;
}

const answeredBy = ({ zones, port, bind: addresses }: ServerBlock): Answered[] =>
  zones.flatMap((zone) => (addresses ?? [undefined]).map((address) => ({ zone, port, address })));

/** Two blocks may not answer one zone at the same address. */
const excludes = (one: Answered, other: Answered): boolean =>
  one.zone === other.zone &&
  one.port === other.port &&
  (one.address === undefined || other.address === undefined || one.address === other.address);

/** A block is one server for each port among its keys. */
function serversOf(
  written: WrittenBlock,
  whole: WholeDraft,
  ground: CorefileGround,
  warn: Reading["warn"],
  faults: Fault[],
): ServerBlock[] {
  const byPort = new Map<number, string[]>();
  for (const key of written.keys) {
    collecting(faults, () => {
      const { zones, port } = keyOf(key);
      byPort.set(port, [...new Set([...(byPort.get(port) ?? []), ...zones])]);
    });
  }
  const drafts = [...byPort].map(([port, zones]): BlockDraft => ({ ...usualBlock, zones, port }));
  drafts.forEach((block, index) => {
    const seen = new Map<string, number>();
    for (const line of written.directives) {
      // What is wrong with a line is told once, however many ports there are.
      const found: Fault[] = [];
      collecting(found, () => {
        const directive = directiveOf(line);
        const before = seen.get(directive.name);
        if (before !== undefined && directive.repeats !== true) {
          throw faultAt(line, `${directive.name}: line ${before} says it already; it may stand in a block once`);
        }
        seen.set(directive.name, line.line);
        directive.read(line, { ...ground, block, whole, warn: index === 0 ? warn : () => {} });
      });
      if (index === 0) faults.push(...found);
    }
  });
  return drafts;
}

/** Reads a Corefile. Throws CorefileError, and nothing else, with all that is wrong. */
export function parseCorefile(text: string, file: string, ground: CorefileGround): Corefile {
  const warnings = new Set<string>();
  const warn: Reading["warn"] = (at, sentence) => void warnings.add(textOf({ file: at.file, line: at.line, sentence }));
  const faults: Fault[] = [];
  const whole: WholeDraft = {};
  const blocks = blocksOf(text, file, { ...ground, warn });
  const taken: (Answered & { readonly line: number })[] = [];
  const servers = blocks.flatMap((written) => {
    const found = serversOf(written, whole, ground, warn, faults);
    collecting(faults, () => {
      const answered = found.flatMap(answeredBy);
      for (const one of answered) {
        const before = taken.find((other) => excludes(one, other));
        if (before === undefined) continue;
        const where = before.address === undefined ? "" : ` at ${before.address}`;
        throw faultAt(
          written,
          `${one.zone === "" ? "." : one.zone}:${one.port} is answered by the block of line ${before.line}${where} already`,
        );
      }
      taken.push(...answered.map((one) => ({ ...one, line: written.line })));
    });
    return found;
  });
  if (faults.length > 0) throw new CorefileError(faults);
  if (servers.length === 0) {
    throw faultAt({ file, line: 1 }, "there is no server block; one is such as .:53 { forward . /etc/resolv.conf }");
  }
  const { access, ...settings } = whole;
  return {
    configuration: { servers, ...settings },
    ...(access === undefined ? {} : { access }),
    warnings: [...warnings],
  };
}
