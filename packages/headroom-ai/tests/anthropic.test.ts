import Anthropic from "@anthropic-ai/sdk";
import { beforeEach, expect, test } from "vitest";
import { headroomMiddleware, withHeadroom } from "../src/anthropic.js";
import { retrieveTool } from "../src/index.js";
import { HEADROOM, MODEL, orders, outputsIn, recorded, rows } from "./shop.js";

const plain = new Anthropic({ baseURL: MODEL, apiKey: "none", maxRetries: 0 });
const client = withHeadroom(plain, HEADROOM);
const messages: Anthropic.MessageParam[] = [
  { role: "user", content: "Which order failed?" },
  { role: "assistant", content: [{ type: "tool_use", id: "c1", name: "list_orders", input: {} }] },
  { role: "user", content: [{ type: "tool_result", tool_use_id: "c1", content: orders, cache_control: { type: "ephemeral" } }] },
];
const request = { model: "claude-of-tomorrow", max_tokens: 9, messages, tools: [retrieveTool("anthropic")] };

beforeEach(recorded);

async function sent(): Promise<string> {
  const [first] = await recorded();
  return outputsIn(first?.body);
}

test("it is the same client, and the one given is not changed", async () => {
  expect(client).toBeInstanceOf(Anthropic);
  await plain.messages.create(request);
  expect((await sent()).length).toBeGreaterThan(orders.length);
});

test.each([
  ["create", () => client.messages.create(request)],
  ["asResponse", () => client.messages.create(request).asResponse()],
  ["stream helper", () => client.messages.stream(request).finalMessage()],
  ["beta", () => client.beta.messages.create(request)],
  ["withOptions", () => client.withOptions({ timeout: 5_000 }).messages.create(request)],
  ["the middleware alone", () => new Anthropic({ baseURL: MODEL, apiKey: "none", middleware: [headroomMiddleware(HEADROOM)] }).messages.create(request)],
])("%s sends less", async (_, ask) => {
  await ask();
  const body = await sent();
  expect(body.length).toBeLessThan(orders.length / 3);
  expect(body).toContain("headroom_retrieve ref=");
  expect(body).toContain('"cache_control":{"type":"ephemeral"}');
});

test("a stream is the caller's own, event by event", async () => {
  const kinds = new Set<string>();
  for await (const event of await client.messages.create({ ...request, stream: true })) kinds.add(event.type);
  expect(kinds).toContain("message_stop");
});

test("without the tool nothing is left out", async () => {
  await client.messages.create({ ...request, tools: [] });
  const body = await sent();
  expect(body.length).toBeLessThan(orders.length * 0.9);
  for (const row of rows) expect(body).toContain(row.id);
});

test("counting tokens is not touched", async () => {
  const counted = await client.messages.countTokens({ model: request.model, messages });
  expect(counted.input_tokens).toBeGreaterThan(orders.length / 5);
});

test("a retry compresses once", async () => {
  let asked = 0;
  let calls = 0;
  const options = {
    ...HEADROOM,
    fetch: (url: RequestInfo | URL, init?: RequestInit) => {
      asked++;
      return fetch(url, init);
    },
  };
  const failing: typeof fetch = async (url, init) => (calls++ < 2 ? new Response("{}", { status: 503, headers: { "retry-after-ms": "1" } }) : fetch(url, init));
  const refusing = new Anthropic({ baseURL: MODEL, apiKey: "none", maxRetries: 2, fetch: failing });
  await withHeadroom(refusing, options).messages.create(request);
  expect([asked, calls]).toEqual([1, 3]);
});

test("a dead Headroom breaks nothing", async () => {
  const alone = withHeadroom(plain, { baseUrl: "http://127.0.0.1:9", retries: 0, onWarning: () => {} });
  expect((await alone.messages.create(request)).stop_reason).toBe("end_turn");
});
