import { ingressContract } from "./contract/contract.ts";
import { haproxy } from "./lab/engines/haproxy.ts";

ingressContract(haproxy);
