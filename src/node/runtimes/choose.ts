import type { Pod } from "../../api/generated/types.ts";
import type { Runtimes } from "../pods/context.ts";
import type { Refusal, Runtime } from "./runtime.ts";

/** The runtimes of a node, by name; `usual` is for pods that name none. */
export function chooseRuntimes(runtimes: readonly Runtime[], usual: string): Runtimes {
  const byName = new Map(runtimes.map((runtime) => [runtime.name, runtime]));
  const names = [...byName.keys()].join(", ");
  return {
    of(pod: Pod): Runtime | Refusal {
      const asked = pod.spec?.runtimeClassName || usual;
      return (
        byName.get(asked) ?? {
          reason: "CreateContainerConfigError",
          message: `spec.runtimeClassName: ${JSON.stringify(asked)} is no runtime of this node; it has ${names}`,
        }
      );
    },
    named(name) {
      const runtime = byName.get(name);
      if (runtime === undefined) throw new Error(`finding the runtime ${JSON.stringify(name)}: this node has ${names}`);
      return runtime;
    },
  };
}
