import { createAnthropic } from "@ai-sdk/anthropic";
import { createOpenAI } from "@ai-sdk/openai";
import { generateText, type LanguageModel, stepCountIs, streamText, tool, wrapLanguageModel } from "ai";
import { beforeEach, expect, test } from "vitest";
import { z } from "zod";
import { headroomMiddleware, headroomTools } from "../src/vercel-ai.js";
import { HEADROOM, MODEL, orders, outputsIn, recorded, rows } from "./shop.js";

const openai = createOpenAI({ baseURL: `${MODEL}/v1`, apiKey: "none" });
const anthropic = createAnthropic({ baseURL: `${MODEL}/v1`, apiKey: "none" });
const wrapped = (model: Parameters<typeof wrapLanguageModel>[0]["model"]): LanguageModel =>
  wrapLanguageModel({ model, middleware: headroomMiddleware(HEADROOM) });
const models = {
  "OpenAI chat": wrapped(openai.chat("gpt-4o")),
  "OpenAI Responses": wrapped(openai("gpt-5")),
  Anthropic: wrapped(anthropic("claude-of-tomorrow")),
};
const list_orders = tool({ description: "All orders.", inputSchema: z.object({}), execute: async () => rows });
const tools = { list_orders, ...headroomTools(HEADROOM) };
const stopWhen = stepCountIs(5);

globalThis.AI_SDK_LOG_WARNINGS = false;
beforeEach(recorded);

test.each(Object.entries(models))("%s: a tool loop sends less, and its steps keep everything", async (_, model) => {
  const result = await generateText({ model, tools, stopWhen, prompt: "CALL list_orders {} RETRIEVE ord_7123" });
  expect(result.text).toBe("done");
  expect(result.steps[0]?.toolResults[0]?.output).toEqual(rows);
  expect(String(result.steps[1]?.toolResults[0]?.output)).toContain('"id":"ord_7123"');
  const requests = await recorded();
  expect(requests).toHaveLength(3);
  expect(outputsIn(requests[1]?.body).length).toBeLessThan(orders.length / 3);
  expect(outputsIn(requests[2]?.body)).toContain("ord_7123");
});

test.each(Object.entries(models))("%s: what was sent is sent again, byte for byte", async (_, model) => {
  await generateText({ model, tools, stopWhen, prompt: "CALL list_orders {} CALL list_orders {} RETRIEVE ord_7123" });
  const histories = (await recorded()).map(({ body }) => (body.messages ?? body.input) as unknown[]);
  for (const [index, later] of histories.slice(1).entries()) {
    const earlier = histories[index] as unknown[];
    expect(JSON.stringify(withoutMarks(later.slice(0, earlier.length)))).toBe(JSON.stringify(withoutMarks(earlier)));
  }
});

test.each(Object.entries(models))("%s: streams too", async (_, model) => {
  let text = "";
  for await (const piece of streamText({ model, tools, stopWhen, prompt: "CALL list_orders {}" }).textStream) text += piece;
  expect(text).toBe("done");
  expect(outputsIn((await recorded())[1]?.body).length).toBeLessThan(orders.length / 3);
});

test("without the tool nothing is left out", async () => {
  await generateText({ model: models["OpenAI chat"], tools: { list_orders }, stopWhen, prompt: "CALL list_orders {}" });
  const body = outputsIn((await recorded())[1]?.body);
  expect(body.length).toBeLessThan(orders.length * 0.9);
  for (const row of rows) expect(body).toContain(row.id);
});

test("the model keeps its name, and a dead Headroom breaks nothing", async () => {
  const model = wrapLanguageModel({
    model: openai.chat("gpt-4o"),
    middleware: headroomMiddleware({ baseUrl: "http://127.0.0.1:9", retries: 0, onWarning: () => {} }),
  });
  expect(model.modelId).toBe("gpt-4o");
  const result = await generateText({ model, tools, stopWhen, prompt: "CALL list_orders {}" });
  expect(result.text).toBe("done");
});

/** Anthropic's provider moves nothing, but the AI SDK may: ids of calls stay, cache marks are not text. */
function withoutMarks(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value, (key, inner) => (key === "cache_control" ? undefined : inner)));
}
