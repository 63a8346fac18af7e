import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { answerRetrieve, compress, isRetrieveTool, RETRIEVE_TOOL, retrieveTool } from "../src/index.js";
import { HEADROOM, orders } from "./shop.js";

const contract = JSON.parse(readFileSync(join(import.meta.dirname, "../../../tests/contract/retrieve_tool.json"), "utf8"));

test.each(["openai", "anthropic", "responses"] as const)("%s: the same definition as in Python", (dialect) => {
  expect(retrieveTool(dialect)).toEqual(contract[dialect]);
  expect(retrieveTool(dialect)).not.toBe(retrieveTool(dialect));
});

test("a dialect that does not exist is named", () => {
  expect(() => retrieveTool("gemini" as "openai")).toThrow(/gemini.*openai, responses, anthropic/);
});

test("our tool is recognised, also behind a host's prefix", () => {
  for (const name of [RETRIEVE_TOOL, "mcp__headroom__headroom_retrieve", "headroom.headroom_retrieve"]) expect(isRetrieveTool(name)).toBe(true);
  for (const name of ["my_headroom_retrieve_too", "xheadroom_retrieve", "retrieve", undefined]) expect(isRetrieveTool(name)).toBe(false);
});

test("a model's call is answered in words, whatever it wrote", async () => {
  const messages = [{ role: "tool", tool_call_id: "c1", content: orders }];
  const [ref] = (await compress(messages, HEADROOM)).references;
  expect(await answerRetrieve(JSON.stringify({ ref, query: "ord_7123" }), HEADROOM)).toContain('"id":"ord_7123"');
  expect(await answerRetrieve({ ref: "aaaaaaaaaa-bbb" }, HEADROOM)).toMatch(/run the tool/i);
  expect(await answerRetrieve("{broken", HEADROOM)).toMatch(/JSON/);
  expect(await answerRetrieve({ ref: ref as string }, { baseUrl: "http://127.0.0.1:9", retries: 0 })).toContain("headroom proxy");
});
