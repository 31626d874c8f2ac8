import type { Server } from "node:http";
import { close, listen, listenAddress, pathOf, send } from "../../observe/http.ts";
import { hostPort } from "../../net/ip.ts";
import type { DnsConfiguration, HttpAddress } from "../configuration/configuration.ts";
import { pagesOf, type Page, type Told } from "./pages.ts";

/** `/health`, `/ready` and `/metrics` of a server whose configuration may change. */
export interface Http {
  /** From now on these are told. Where an address stays its server does. Rejects when one cannot be taken, and all is as it was. */
  serve(configuration: Partial<DnsConfiguration>): Promise<void>;
  close(): Promise<void>;
}

interface Open {
  readonly server: Server;
  pages: readonly Page[];
}

/** As in CoreDNS, `localhost` is IPv4's. */
const textOf = ({ host, port }: HttpAddress): string => hostPort(host === "localhost" ? "127.0.0.1" : host, port);

export function createHttp(told: Told): Http {
  const open = new Map<string, Open>();

  const openOne = async (text: string): Promise<void> => {
    const server = await listen(listenAddress(text), (request, response) => {
      const page = open.get(text)?.pages.find(({ path }) => path === pathOf(request));
      if (page === undefined) send(response, 404, "text/plain; charset=utf-8", "404 page not found\n");
      else page.answer(response);
    });
    open.set(text, { server, pages: [] });
  };
  const closeAll = async (texts: readonly string[]): Promise<void> => {
    await Promise.all(
      texts.map(async (text) => {
        const found = open.get(text);
        open.delete(text);
        if (found !== undefined) await close(found.server);
      }),
    );
  };

  return {
    async serve(configuration) {
      const wanted = Map.groupBy(pagesOf(configuration, told), ({ address }) => textOf(address));
      const fresh: string[] = [];
      try {
        for (const [text, [page]] of wanted) {
          if (open.has(text)) continue;
          await openOne(text).catch((cause: Error) => {
            throw new Error(`opening ${page!.path} of DNS: ${cause.message}`, { cause });
          });
          fresh.push(text);
        }
      } catch (error) {
        await closeAll(fresh);
        throw error;
      }
      for (const [text, pages] of wanted) open.get(text)!.pages = pages;
      await closeAll([...open.keys()].filter((text) => !wanted.has(text)));
    },
    close: () => closeAll([...open.keys()]),
  };
}
