import { expect, test } from "vitest";
import { HeadroomConnectionError, HeadroomResponseError, retrieve } from "../src/index.js";
import { assemble } from "../src/openclaw.js";
import { HEADROOM, orders } from "./shop.js";

// biome-ignore lint/suspicious/noExplicitAny: messages of every role
const turn = (n: number, text: string): any[] => [
  { role: "user", content: `What of ${n}?`, timestamp: n },
  { role: "assistant", content: [{ type: "toolCall", id: `c${n}`, name: "look", arguments: { n } }], usage: { input: n } },
  { role: "toolResult", toolCallId: `c${n}`, toolName: "look", content: [{ type: "text", text }], details: { n }, isError: false },
];

test("texts are shorter, all else is the caller's own", async () => {
  const messages = turn(1, orders);
  const before = structuredClone(messages);
  const result = await assemble(messages, HEADROOM);
  expect(messages).toEqual(before);
  expect(result.messages.map((message, index) => message === messages[index])).toEqual([true, true, false]);
  expect(result.messages[2].details).toBe(messages[2].details);
  expect(result.messages[2].content[0].text.length).toBeLessThan(orders.length / 3);
  expect(result).toMatchObject({ leftOut: [0, 0], notice: "" });
  expect(result.estimatedTokens).toBeLessThan(result.tokensBefore);
  expect(await retrieve(result.references[0] as string, undefined, HEADROOM)).toBe(orders);
});

test("over the budget, whole turns leave, and the answer says which", async () => {
  const messages = Array.from({ length: 50 }, (_, n) => turn(n, `${n} `.repeat(300))).flat();
  const { messages: kept, leftOut, notice, estimatedTokens } = await assemble(messages, { ...HEADROOM, tokenBudget: 5000 });
  const [start, end] = leftOut;
  expect(kept).toEqual([...messages.slice(0, start), ...messages.slice(end)]);
  expect(kept[0]).toBe(messages[0]);
  expect(kept.at(-1)).toBe(messages.at(-1));
  expect(notice).toContain(`(${end - start} messages)`);
  expect(estimatedTokens).toBeLessThanOrEqual(5000);
});

test("trouble is thrown: whoever assembles a context knows best what to do without", async () => {
  await expect(assemble([], { baseUrl: "http://127.0.0.1:9", retries: 0 })).rejects.toBeInstanceOf(HeadroomConnectionError);
  await expect(assemble([{ role: "toolResult", toolCallId: 7, content: [] }], HEADROOM)).rejects.toBeInstanceOf(HeadroomResponseError);
});
