import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { retrieve } from "headroom-ai";
import { expect, test } from "vitest";
import { HEADROOM, orders } from "../../headroom-ai/tests/shop.js";
import { settingsFrom } from "../src/settings.js";
import { type Any, call, hosted, output, says, tools, user } from "./host.js";
import { compactions } from "./openclaw.js";

const DEAD = { baseUrl: "http://127.0.0.1:9" };
const session = { sessionId: "s1", sessionKey: "main" };
const turn = [user("Which order failed?"), call("c1"), output("c1", orders), says("ord_7217")];
const textOf = (message: Any): string => message.content[0].text;
const event = (id: string, text: string, toolName = "list_orders") => ({
  toolCallId: id,
  toolName,
  args: {},
  result: { content: [{ type: "text", text }], details: { count: 300 } },
});

test("the engine says what OpenClaw wants to hear before it trusts one with turns", () => {
  const { engine, services, runtimes } = hosted(HEADROOM);
  expect(engine.info.id).toBe("headroom");
  expect(engine.info.ownsCompaction).toBe(false);
  expect(engine.info.transcriptSemantics).toEqual({
    currentTurnFence: "before-current-turn-entry-v1",
    turnAdvancementIdempotency: "atomic-idempotent-v1",
  });
  expect(runtimes).toEqual(["openclaw"]);
  expect(services).toEqual([]);
});

test("history: outputs are shorter, all else is the same object, originals are within reach", async () => {
  const { engine } = hosted(HEADROOM);
  const before = structuredClone(turn);
  const { messages, estimatedTokens, promptAuthority } = await engine.assemble({ ...session, messages: turn, availableTools: tools });
  expect(turn).toEqual(before);
  expect(messages.map((message, index) => message === turn[index])).toEqual([true, true, false, true]);
  expect(textOf(messages[2]).length).toBeLessThan(orders.length / 3);
  expect((messages[2] as Any).details).toBe((turn[2] as Any).details);
  expect(estimatedTokens).toBeLessThan(orders.length / 4);
  expect(promptAuthority).toBe("assembled");
  const [, reference = ""] = /ref=([\w-]+)/.exec(textOf(messages[2])) ?? [];
  expect(await retrieve(reference, undefined, HEADROOM)).toBe(orders);
});

test("history: the next turn repeats this one, whatever comes behind", async () => {
  const { engine } = hosted(HEADROOM);
  const first = await engine.assemble({ ...session, messages: turn, availableTools: tools });
  const later = await hosted(HEADROOM).engine.assemble({ ...session, messages: [...turn, user("And now?"), says("done")], availableTools: tools });
  expect(later.messages.slice(0, 4)).toEqual(first.messages);
});

test("history over the budget: whole turns leave, the model is told, OpenClaw looks at the whole transcript", async () => {
  const long = Array.from({ length: 60 }, (_, n) => [user(`What of ${n}?`), call(`c${n}`), output(`c${n}`, `${n} `.repeat(300)), says("fine")]).flat();
  const { engine } = hosted(HEADROOM);
  const { messages, estimatedTokens, promptAuthority } = await engine.assemble({ ...session, messages: long, tokenBudget: 6000.5, availableTools: tools });
  expect(messages[0]).toBe(long[0]);
  expect(textOf(messages[1])).toMatch(/^\[\d+ earlier turns \(\d+ messages\) left out/);
  expect(messages.at(-1)).toBe(long.at(-1));
  expect(messages[2]).toMatchObject({ role: "user" });
  expect(estimatedTokens).toBeLessThanOrEqual(6000);
  expect(promptAuthority).toBe("preassembly_may_overflow");
});

test("without headroom_retrieve among the tools nothing is left out", async () => {
  const { engine } = hosted(HEADROOM);
  const { messages } = await engine.assemble({ ...session, messages: turn, availableTools: new Set(["list_orders"]) });
  expect(textOf(messages[2])).toContain("ord_7123");
  expect(textOf(messages[2])).toContain("ord_7288");
  expect(textOf(messages[2])).not.toContain("ref=");
});

test("the current turn: a result is short at once, kept in the store, and stays so in the history", async () => {
  const { engine, middleware } = hosted(HEADROOM);
  await engine.assemble({ ...session, messages: [], prompt: "Which order failed?", availableTools: tools });
  const given = event("c1", orders);
  const answer = await middleware(given, session);
  const short = textOf(answer?.result);
  expect(short.length).toBeLessThan(orders.length / 3);
  expect(short).toContain("ord_7217");
  expect(answer?.result.details).toBe(given.result.details);
  expect(textOf(given.result)).toBe(orders);
  const next = await engine.assemble({ ...session, messages: [turn[0] as Any, call("c1"), output("c1", short)], availableTools: tools });
  expect(textOf(next.messages[2])).toBe(short);
});

test("the current turn: an output that was read before points back to it, also after OpenClaw assembles again", async () => {
  const { engine, middleware } = hosted(HEADROOM);
  const file = Array.from({ length: 36 }, (_, n) => `const value_${n} = compute(${n * 7919}, "setting number ${n}");`).join("\n");
  const asked = { ...session, messages: [], prompt: "Read it twice", availableTools: tools };
  await engine.assemble(asked);
  expect(await middleware(event("c1", file, "read"), session)).toBeUndefined();
  await engine.assemble(asked);
  const again = await middleware({ ...event("c2", file, "read"), args: { again: true } }, session);
  expect(textOf(again?.result).length).toBeLessThan(file.length / 3);
});

test("the current turn: of a session that nobody assembled, nothing is left out", async () => {
  const { middleware } = hosted(HEADROOM);
  const answer = await middleware(event("c1", orders), {});
  expect(textOf(answer?.result)).toContain("ord_7123");
});

test("what headroom_retrieve gave is never shortened", async () => {
  const { engine, middleware } = hosted(HEADROOM);
  await engine.assemble({ ...session, messages: [], availableTools: tools });
  expect(await middleware(event("c1", orders, "headroom_retrieve"), session)).toBeUndefined();
});

test("results without text pass", async () => {
  const { engine, middleware } = hosted(HEADROOM);
  await engine.assemble({ ...session, messages: [], availableTools: tools });
  const picture = { ...event("c1", ""), result: { content: [{ type: "image", data: "AAAA", mimeType: "image/png" }] } };
  expect(await middleware(picture, session)).toBeUndefined();
  expect(await middleware({ ...picture, result: undefined as Any }, session)).toBeUndefined();
});

test("the tool answers the model in words, whatever it asks", async () => {
  const { engine, tool } = hosted(HEADROOM);
  expect(tool).toMatchObject({ name: "headroom_retrieve", catalogMode: "direct-only", parameters: { required: ["ref"] } });
  const { messages } = await engine.assemble({ ...session, messages: turn, availableTools: tools });
  const [, ref] = /ref=([\w-]+)/.exec(textOf(messages[2])) ?? [];
  expect(textOf(await tool.execute("call_1", { ref, query: "ord_7123" }))).toContain('"id":"ord_7123"');
  expect(textOf(await tool.execute("call_1", { ref: "aaaaaaaaaa" }))).toMatch(/run the tool/i);
  expect(textOf(await hosted(DEAD).tool.execute("call_1", { ref }))).toContain("headroom proxy");
});

test("compaction is OpenClaw's", async () => {
  const asked = { ...session, force: true };
  expect(await hosted(HEADROOM).engine.compact(asked)).toMatchObject({ compacted: true });
  expect(compactions).toContain(asked);
});

test("a turn is committed once", async () => {
  const { engine } = hosted(HEADROOM);
  expect(await engine.commitTurn({ ...session, advancementKey: "a" })).toEqual({ status: "committed" });
  expect(await engine.commitTurn({ ...session, advancementKey: "a" })).toEqual({ status: "duplicate" });
  expect(await engine.ingest({ ...session, message: user("hi") })).toEqual({ ingested: false });
  await engine.dispose();
});

test("a dead Headroom: ordinary OpenClaw, and one warning that says what to do", async () => {
  const { engine, middleware, warnings } = hosted(DEAD);
  for (let n = 0; n < 3; n++) {
    const { messages, estimatedTokens } = await engine.assemble({ ...session, messages: turn, availableTools: tools });
    expect(messages).toBe(turn);
    expect(estimatedTokens).toBeGreaterThan(orders.length / 5);
    expect(await middleware(event("c1", orders), session)).toBeUndefined();
  }
  expect(warnings).toHaveLength(1);
  expect(warnings[0]).toMatch(/headroom proxy.*autoStart/);
});

test("a dead Headroom: a picture does not look like a context that overflows", async () => {
  const picture = { role: "user", content: [{ type: "image", data: "A".repeat(4_000_000), mimeType: "image/png" }] };
  const { estimatedTokens } = await hosted(DEAD).engine.assemble({ ...session, messages: [picture] });
  expect(estimatedTokens).toBeLessThan(100);
});

test("a Headroom that hangs is waited for once, not at every call", async () => {
  let asked = 0;
  const deaf = createServer(() => asked++).listen(0, "127.0.0.1");
  await once(deaf, "listening");
  const { engine, warnings } = hosted({ baseUrl: `http://127.0.0.1:${(deaf.address() as Any).port}`, timeout: 100 });
  for (let n = 0; n < 5; n++) expect((await engine.assemble({ ...session, messages: turn })).messages).toBe(turn);
  expect(asked).toBe(1);
  expect(warnings[0]).toContain("did not answer in time");
  deaf.close();
});

test("a message that Headroom refuses is no reason to rest", async () => {
  const { engine, warnings, infos } = hosted(HEADROOM);
  const odd = [{ role: "toolResult", toolCallId: 7, content: [] }] as Any;
  expect((await engine.assemble({ ...session, messages: odd })).messages).toBe(odd);
  expect((await engine.assemble({ ...session, messages: turn })).messages).not.toBe(turn);
  expect([warnings.length, infos.length]).toEqual([1, 1]);
});

test("the manifest's defaults are the code's, and each setting is described and labelled", () => {
  const manifest = JSON.parse(readFileSync(join(import.meta.dirname, "../openclaw.plugin.json"), "utf8"));
  const properties = Object.entries<Any>(manifest.configSchema.properties);
  const defaults = Object.fromEntries(properties.filter(([, { default: value }]) => value !== undefined).map(([name, { default: value }]) => [name, value]));
  expect({ preset: "balanced", ...settingsFrom() }).toEqual(defaults);
  for (const [name, { description }] of properties) {
    expect(description).toMatch(/\.$/);
    expect(manifest.uiHints[name].label).toBeTruthy();
  }
});
