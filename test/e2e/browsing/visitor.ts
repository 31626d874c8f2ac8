import { createInterface } from "node:readline";
import { chromium, type Page } from "playwright-core";

/**
 * A visitor's browser as a program of its own, in whichever network it is started: `visitor.ts CHROMIUM URL`. It reads commands from standard input,
 * a line each, and answers each with a line of JSON.
 */

/** What a tab shows. */
export interface Shown {
  readonly status: number;
  readonly pod: string;
  /** As ALPN names it: `h2`. */
  readonly protocol: string;
  readonly certificate: string;
}

export interface Answers {
  /** Loads the page in a tab of its own, whose WebSocket is held. */
  readonly open: Shown;
  /** Loads the page again, in another tab, with the same cookies. */
  readonly visit: Shown;
  /** Says something in the first tab's WebSocket; what comes back. */
  readonly say: string;
  /** Whether the first tab's WebSocket has been closed. */
  readonly closed: boolean;
  readonly cookies: readonly { readonly name: string; readonly value: string; readonly secure: boolean }[];
}

const [executablePath, url] = process.argv.slice(2);
const browser = await chromium.launch({
  executablePath: executablePath!,
  headless: true,
  args: [
    "--no-sandbox",
    "--ignore-certificate-errors",
    "--host-resolver-rules=MAP * 127.0.0.1",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--no-proxy-server",
  ],
});
const context = await browser.newContext({ ignoreHTTPSErrors: true });
const tabs = { held: await context.newPage(), other: await context.newPage() };

async function show(tab: Page): Promise<Shown> {
  const response = await tab.goto(url!, { timeout: 20_000 });
  const details = await response?.securityDetails();
  return {
    status: response?.status() ?? 0,
    pod: (await tab.textContent("#pod", { timeout: 1000 }).catch(() => "")) ?? "",
    protocol: await tab.evaluate<string>("performance.getEntriesByType('navigation')[0].nextHopProtocol"),
    certificate: details?.subjectName ?? "",
  };
}

const commands: { readonly [Name in keyof Answers]: (text: string) => Promise<Answers[Name]> } = {
  open: () => show(tabs.held),
  visit: () => show(tabs.other),
  say: (text) => tabs.held.evaluate<string>(`ask(${JSON.stringify(text)})`),
  closed: () => tabs.held.evaluate<boolean>("Promise.race([closed, Promise.resolve(false)])"),
  cookies: () => context.cookies(),
};

for await (const line of createInterface({ input: process.stdin })) {
  const [name = "", ...words] = line.split(" ");
  try {
    const value: unknown = await commands[name as keyof Answers](words.join(" "));
    console.log(JSON.stringify({ value }));
  } catch (error) {
    console.log(JSON.stringify({ error: (error as Error).message }));
  }
}
await browser.close();
