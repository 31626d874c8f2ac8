import type { IptState } from "./state.ts";
import type { Iptables } from "./tools.ts";

const SETTING = "net.ipv4.conf.all.route_localnet";

/** An empty chain that says that the setting was off before us, so that whoever cleans up can put it back. */
export const LOCALNET_MARK = "FAIRLEAD-LOCALNET-WAS-OFF";

/**
 * Lets packets from 127.0.0.1 be sent to pods, or ends that. The rule that keeps strangers from what listens on
 * 127.0.0.1 must be there before this is turned on and after it is turned off: PRX-176.
 */
export async function setRouteLocalnet(
  iptables: Iptables,
  state: IptState,
  wanted: boolean,
  signal: AbortSignal,
): Promise<void> {
  const { host } = iptables;
  if (wanted && !state.turnedLocalnetOn) {
    const { stdout } = await host.check("sysctl", ["-n", SETTING], { signal });
    if (stdout.trim() !== "0") return;
    await iptables.restore("IPv4", `*filter\n:${LOCALNET_MARK} - [0:0]\nCOMMIT\n`, signal);
    state.turnedLocalnetOn = true;
    await host.check("sysctl", ["-qw", `${SETTING}=1`], { signal });
  } else if (!wanted && state.turnedLocalnetOn) {
    await host.check("sysctl", ["-qw", `${SETTING}=0`], { signal });
    await iptables.restore("IPv4", `*filter\n:${LOCALNET_MARK} - [0:0]\n-X ${LOCALNET_MARK}\nCOMMIT\n`, signal);
    state.turnedLocalnetOn = false;
  }
}
