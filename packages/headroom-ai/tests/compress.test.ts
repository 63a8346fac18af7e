import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { beforeEach, expect, test, vi } from "vitest";
import { resetWarning } from "../src/compress.js";
import { compress, HeadroomConnectionError, HeadroomError, HeadroomResponseError, retrieve } from "../src/index.js";
import { HEADROOM, orders, rows } from "./shop.js";

const NOBODY = { baseUrl: "http://127.0.0.1:9", retries: 0 };
const question = { role: "user", content: "Which order failed?" };

const formats = {
  "OpenAI chat": [
    question,
    { role: "assistant", content: null, tool_calls: [{ id: "c1", type: "function", function: { name: "list_orders", arguments: "{}" } }] },
    { role: "tool", tool_call_id: "c1", content: orders },
  ],
  Anthropic: [
    question,
    { role: "assistant", content: [{ type: "tool_use", id: "c1", name: "list_orders", input: {} }] },
    { role: "user", content: [{ type: "tool_result", tool_use_id: "c1", content: [{ type: "text", text: orders }] }] },
  ],
  "OpenAI Responses": [
    question,
    { type: "function_call", call_id: "c1", name: "list_orders", arguments: "{}" },
    { type: "function_call_output", call_id: "c1", output: orders },
  ],
  "AI SDK prompt": [
    { role: "user", content: [{ type: "text", text: question.content }] },
    { role: "assistant", content: [{ type: "tool-call", toolCallId: "c1", toolName: "list_orders", input: {} }] },
    { role: "tool", content: [{ type: "tool-result", toolCallId: "c1", toolName: "list_orders", output: { type: "json", value: rows } }] },
  ],
  OpenClaw: [
    { role: "user", content: question.content, timestamp: 1 },
    { role: "assistant", content: [{ type: "toolCall", id: "c1", name: "list_orders", arguments: {} }], timestamp: 2 },
    { role: "toolResult", toolCallId: "c1", toolName: "list_orders", content: [{ type: "text", text: orders }], isError: false, timestamp: 3 },
  ],
};

beforeEach(resetWarning);

test.each(Object.entries(formats))("%s: shorter, same shape, original within reach", async (_, messages) => {
  const before = structuredClone(messages);
  const result = await compress<unknown>(messages, { ...HEADROOM, model: "gpt-4o" });
  expect(messages).toEqual(before);
  expect(result.compressed).toBe(true);
  expect(result.messages.slice(0, 2)).toEqual(before.slice(0, 2));
  expect(result.messages[0]).toBe(messages[0]);
  expect(JSON.stringify(result.messages[2]).length).toBeLessThan(orders.length / 3);
  expect(JSON.stringify(result.messages[2])).toContain("ord_7217");
  expect(result.tokensSaved).toBe(result.tokensBefore - result.tokensAfter);
  expect(result.compressionRatio).toBeGreaterThan(0.5);
  expect(result.transformsApplied[0]).toMatch(/^router:json_records:0\.\d\d$/);
  const reference = result.references[0] as string;
  expect(await retrieve(reference, undefined, HEADROOM)).toBe(orders);
  expect(await retrieve(reference, "ord_7123", HEADROOM)).toContain('"id":"ord_7123"');
});

test("lossless leaves nothing out", async () => {
  const result = await compress<unknown>(formats["OpenAI chat"], { ...HEADROOM, lossless: true });
  for (const row of rows) expect(JSON.stringify(result.messages)).toContain(row.id);
});

test("what is no text never leaves and never changes", async () => {
  const bytes = new Uint8Array([1, 2, 3]);
  const url = new URL("https://example.com/a.png");
  const options = { anthropic: { cacheControl: { type: "ephemeral" } } };
  const content = [
    { type: "file", mediaType: "image/png", data: bytes },
    { type: "tool-result", toolCallId: "c1", toolName: "f", output: { type: "text", value: orders, providerOptions: options }, when: url },
  ];
  const bodies: string[] = [];
  const spying = (to: RequestInfo | URL, init?: RequestInit) => {
    bodies.push(String(init?.body));
    return fetch(to, init);
  };
  // biome-ignore lint/suspicious/noExplicitAny: a message as wild as users'
  const { messages } = await compress<any>([formats["AI SDK prompt"][1], { role: "tool", content }], { ...HEADROOM, fetch: spying });
  expect(messages[1].content[0]).toBe(content[0]);
  expect(messages[1].content[1].when).toBe(url);
  expect(messages[1].content[1].output.providerOptions).toBe(options);
  expect(messages[1].content[1].output.value.length).toBeLessThan(orders.length / 3);
  expect(bodies.join()).not.toContain('"0":1');
});

test("a JSON value that is not worth shortening stays a value", async () => {
  const small = { role: "tool", content: [{ type: "tool-result", toolCallId: "c", toolName: "f", output: { type: "json", value: { a: [1, null] } } }] };
  const result = await compress([small], HEADROOM);
  expect(result.messages[0]).toBe(small);
});

test("an error's value becomes an error's text", async () => {
  const output = { type: "error-json", value: rows };
  const failed = { role: "tool", content: [{ type: "tool-result", toolCallId: "c1", toolName: "f", output }] };
  // biome-ignore lint/suspicious/noExplicitAny: read by path
  const { messages } = await compress<any>([failed], HEADROOM);
  expect(messages[0].content[0].output.type).toBe("error-text");
});

test("nobody there: everything goes out as it is, the result says so, and one warning is given", async () => {
  const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
  const messages = formats["OpenAI chat"];
  const results = [await compress<unknown>(messages, NOBODY), await compress<unknown>(messages, NOBODY)];
  for (const result of results) {
    expect(result.compressed).toBe(false);
    expect(result.reason).toContain("headroom proxy");
    result.messages.forEach((message, index) => {
      expect(message).toBe(messages[index]);
    });
  }
  expect(warn).toHaveBeenCalledTimes(1);
  warn.mockRestore();
});

test("nobody there, and the caller wants to know", async () => {
  await expect(compress([question], { ...NOBODY, fallback: "throw" })).rejects.toThrow(HeadroomConnectionError);
  await expect(retrieve("aaaaaaaaaa-bbb", undefined, NOBODY)).rejects.toThrow(HeadroomError);
});

test("malformed messages are named, with fallback throw", async () => {
  const failing = compress([{ content: "no role" }], { ...HEADROOM, fallback: "throw" });
  await expect(failing).rejects.toMatchObject({ name: "HeadroomResponseError", status: 400, message: expect.stringContaining("messages[0].role") });
});

test("an unknown reference says what to do", async () => {
  const failing = retrieve("aaaaaaaaaa-bbb", undefined, HEADROOM);
  await expect(failing).rejects.toThrow(HeadroomResponseError);
  await expect(failing).rejects.toThrow(/run the tool/i);
});

test("tries again after a failure that may pass, with the token, and gives up in time", async () => {
  const seen: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    seen.push(request.headers.authorization);
    request.resume();
    if (seen.length === 3) return; // never answers
    response.statusCode = seen.length === 1 ? 503 : 200;
    response.end(JSON.stringify(seen.length === 1 ? { error: { type: "busy", message: "busy" } } : { text: "found" }));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const options = { baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, apiKey: "sesame" };
  expect(await retrieve("r", undefined, options)).toBe("found");
  expect(seen).toEqual(["Bearer sesame", "Bearer sesame"]);
  await expect(retrieve("r", undefined, { ...options, timeout: 50, retries: 0 })).rejects.toThrow("did not answer in time");
  server.closeAllConnections();
  server.close();
});

test("an abort is the caller's, and is thrown", async () => {
  const controller = new AbortController();
  controller.abort();
  await expect(compress([question], { ...HEADROOM, signal: controller.signal })).rejects.toThrow();
});

test("a circle, or anything else that JSON cannot hold, goes out as it is", async () => {
  const circle: Record<string, unknown> = { role: "user", content: "hello" };
  circle.self = circle;
  const result = await compress([circle], { ...HEADROOM, onWarning: () => {} });
  expect(result.compressed).toBe(false);
  expect(result.messages[0]).toBe(circle);
});
