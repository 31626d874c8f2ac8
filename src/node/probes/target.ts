import type { Container } from "../../api/generated/types.ts";
import type { Execution } from "../runtimes/runtime.ts";

/** What a probe or a lifecycle hook asks. */
export interface ProbeTarget {
  readonly podIP: string;
  readonly container: Container;
  exec(command: readonly string[]): Promise<Execution>;
}

/** A port by number or by its name among the container's. Throws when it has none of that name. */
export function portOf(container: Container, port: number | string): number {
  const number = typeof port === "number" ? port : Number(port);
  if (Number.isInteger(number)) return number;
  const named = container.ports?.find(({ name }) => name === port)?.containerPort;
  if (named === undefined) {
    throw new Error(`container ${container.name} has no port named ${JSON.stringify(port)}`);
  }
  return named;
}
