import { ingressAttacks } from "./attacks/attacks.ts";
import { builtin } from "./lab/engines/builtin.ts";

ingressAttacks(builtin);
