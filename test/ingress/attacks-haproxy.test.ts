import { ingressAttacks } from "./attacks/attacks.ts";
import { haproxy } from "./lab/engines/haproxy.ts";

ingressAttacks(haproxy);
