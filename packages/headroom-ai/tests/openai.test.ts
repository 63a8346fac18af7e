import OpenAI, { AzureOpenAI } from "openai";
import { beforeEach, expect, test } from "vitest";
import { retrieveTool } from "../src/index.js";
import { withHeadroom } from "../src/openai.js";
import { HEADROOM, MODEL, orders, outputsIn, recorded, rows } from "./shop.js";

const plain = new OpenAI({ baseURL: `${MODEL}/v1`, apiKey: "none", maxRetries: 0 });
const client = withHeadroom(plain, HEADROOM);
const call = { id: "c1", type: "function" as const, function: { name: "list_orders", arguments: "{}" } };
const messages: OpenAI.ChatCompletionMessageParam[] = [
  { role: "user", content: "Which order failed?" },
  { role: "assistant", content: null, tool_calls: [call] },
  { role: "tool", tool_call_id: "c1", content: orders },
];
const input: OpenAI.Responses.ResponseInputItem[] = [
  { role: "user", content: "Which order failed?" },
  { type: "function_call", call_id: "c1", name: "list_orders", arguments: "{}" },
  { type: "function_call_output", call_id: "c1", output: orders },
];
const tools = [retrieveTool("openai")];

beforeEach(recorded);

async function sent(): Promise<string> {
  const [request] = await recorded();
  return outputsIn(request?.body);
}

test("it is the same client, and the one given is not changed", async () => {
  expect(client).toBeInstanceOf(OpenAI);
  expect(client.constructor.name).toBe("OpenAI");
  await plain.chat.completions.create({ model: "gpt-4o", messages, tools });
  expect(await sent()).toContain(JSON.stringify(orders).slice(1, 200));
});

test.each([
  ["create", () => client.chat.completions.create({ model: "gpt-4o", messages, tools })],
  ["withResponse", () => client.chat.completions.create({ model: "gpt-4o", messages, tools }).withResponse()],
  [
    "parse",
    () => client.chat.completions.parse({ model: "gpt-4o", messages, tools: [{ ...tools[0], function: { ...tools[0]?.function, strict: true } }] as never }),
  ],
  ["withOptions", () => client.withOptions({ timeout: 5_000 }).chat.completions.create({ model: "gpt-4o", messages, tools })],
  ["stream helper", () => client.chat.completions.stream({ model: "gpt-4o", messages, tools }).finalChatCompletion()],
  ["Responses", () => client.responses.create({ model: "gpt-5", input, tools: [retrieveTool("responses")] })],
  ["Responses stream", () => client.responses.stream({ model: "gpt-5", input, tools: [retrieveTool("responses")] }).finalResponse()],
])("%s sends less", async (_, request) => {
  await request();
  const body = await sent();
  expect(body.length).toBeLessThan(orders.length / 3);
  expect(body).toContain("headroom_retrieve ref=");
});

test("a stream is the caller's own, chunk by chunk", async () => {
  let text = "";
  const stream = await client.chat.completions.create({ model: "gpt-4o", messages, stream: true });
  for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? "";
  expect(text).toBe("done");
});

test("without the tool nothing is left out", async () => {
  await client.chat.completions.create({ model: "gpt-4o", messages });
  const body = await sent();
  expect(body.length).toBeLessThan(orders.length * 0.9);
  for (const row of rows) expect(body).toContain(row.id);
});

test("an application that answers the tool gets the rows", async () => {
  const asked: OpenAI.ChatCompletionMessageParam[] = [{ role: "user", content: "RETRIEVE ord_7123" }, ...messages.slice(1)];
  const answer = await client.chat.completions.create({ model: "gpt-4o", messages: [...asked], tools });
  expect(answer.choices[0]?.message.content).toBe("done"); // the newest user message is answered already
});

test("a retry compresses once", async () => {
  let asked = 0;
  const counting = (url: RequestInfo | URL, init?: RequestInit) => {
    asked++;
    return fetch(url, init);
  };
  const refusing = new OpenAI({ baseURL: `${MODEL}/v1`, apiKey: "none", maxRetries: 2, fetch: failFirst(2) });
  await withHeadroom(refusing, { ...HEADROOM, fetch: counting }).chat.completions.create({ model: "gpt-4o", messages, tools });
  expect(asked).toBe(1);
});

test("Azure's client too", async () => {
  const azure = withHeadroom(new AzureOpenAI({ endpoint: MODEL, apiKey: "none", apiVersion: "2025-01-01" }), HEADROOM);
  expect(azure).toBeInstanceOf(AzureOpenAI);
  await azure.chat.completions.create({ model: "deployment", messages, tools }).catch(() => {});
  expect((await sent()).length).toBeLessThan(orders.length / 3);
});

test("a dead Headroom breaks nothing", async () => {
  const alone = withHeadroom(plain, { baseUrl: "http://127.0.0.1:9", retries: 0, onWarning: () => {} });
  const answer = await alone.chat.completions.create({ model: "gpt-4o", messages, tools });
  expect(answer.choices[0]?.message.content).toBe("done");
});

function failFirst(times: number): typeof fetch {
  let calls = 0;
  return async (url, init) => (calls++ < times ? new Response("{}", { status: 503, headers: { "retry-after-ms": "1" } }) : fetch(url, init));
}
