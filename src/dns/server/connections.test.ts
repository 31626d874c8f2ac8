import assert from "node:assert/strict";
import { test } from "node:test";
import { createConnections } from "./connections.ts";

const make = (most: number, ofOne: number) => {
  const closed: string[] = [];
  const connections = createConnections<{ close(): void }>(most, ofOne);
  const open = (address: string, name: string) => {
    const connection = {
      close() {
        closed.push(name);
        connections.remove(address, connection);
      },
    };
    connections.add(address, connection);
    return connection;
  };
  return { closed, connections, open };
};

void test("one address that opens too many closes its own, the longest silent first", () => {
  const { closed, connections, open } = make(100, 3);
  open("a", "a1");
  open("b", "b1");
  const second = open("a", "a2");
  open("a", "a3");
  connections.spoke("a", second);
  open("a", "a4");
  open("a", "a5");
  assert.deepEqual(closed, ["a1", "a3"]);
  open("a", "a6");
  assert.deepEqual(closed, ["a1", "a3", "a2"]);
  assert.equal(connections.size, 4);
});

void test("many addresses that open too many close the one that has been silent for the longest of all", () => {
  const { closed, connections, open } = make(3, 3);
  const first = open("a", "a1");
  open("b", "b1");
  open("c", "c1");
  connections.spoke("a", first);
  open("d", "d1");
  open("e", "e1");
  assert.deepEqual(closed, ["b1", "c1"]);
  connections.closeAll();
  assert.deepEqual(closed.slice(2).sort(), ["a1", "d1", "e1"]);
  assert.equal(connections.size, 0);
});

void test("what has gone makes room, and does not come back by speaking", () => {
  const { closed, connections, open } = make(2, 2);
  const gone = open("a", "a1");
  connections.remove("a", gone);
  connections.spoke("a", gone);
  open("a", "a2");
  open("a", "a3");
  assert.deepEqual([closed, connections.size], [[], 2]);
});
