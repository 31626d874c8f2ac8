import { readFileSync } from "node:fs";
import { networkInterfaces } from "node:os";

/** The links a lab makes in the namespace of the test itself. */
export const LAB_LINK = "lab";

/**
 * Throws unless this process is in a network namespace of its own, as `npm test` makes it: a test of Fairlead changes
 * routes and firewall rules, and those of the machine are not ours to change.
 */
export function standOnOwnGround(): void {
  const foreign = Object.keys(networkInterfaces()).filter((name) => name !== "lo" && !name.startsWith(LAB_LINK));
  if (process.env["FAIRLEAD_GROUND"] !== "own" || foreign.length > 0) {
    throw new Error(
      `starting a lab: this network namespace is not one made for tests${foreign.length > 0 ? ` (it has ${foreign.join(", ")})` : ""}; run the tests with 'npm test' or 'bin/test FILE'`,
    );
  }
}

/** Whether uid 0 here is the machine's root, and not an ordinary user in a user namespace. */
export const isRealRoot = (): boolean =>
  process.getuid?.() === 0 && readFileSync("/proc/self/uid_map", "utf8").trim().split(/\s+/)[2] === "4294967295";
