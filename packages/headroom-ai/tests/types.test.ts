// What the public names promise to a type checker. `npm test` runs tsc first: a promise that does not hold fails there.

import type { LanguageModelV4Middleware } from "@ai-sdk/provider";
import type Anthropic from "@anthropic-ai/sdk";
import type { generateText, wrapLanguageModel } from "ai";
import OpenAI, { type AzureOpenAI } from "openai";
import { expectTypeOf, test } from "vitest";
import * as anthropic from "../src/anthropic.js";
import {
  type AnthropicRetrieveTool,
  answerRetrieve,
  type Budget,
  type CompressOptions,
  type CompressResult,
  compress,
  type HeadroomConnectionError,
  type HeadroomError,
  type HeadroomResponseError,
  isRetrieveTool,
  type OpenAIRetrieveTool,
  type RETRIEVE_TOOL,
  type ResponsesRetrieveTool,
  type RetrieveOptions,
  retrieve,
  retrieveTool,
} from "../src/index.js";
import * as openai from "../src/openai.js";
import { type AssembleResult, assemble } from "../src/openclaw.js";
import { headroomMiddleware, headroomTools } from "../src/vercel-ai.js";

test("compress gives the caller's own type of message back", () => {
  expectTypeOf(compress<OpenAI.ChatCompletionMessageParam>).returns.resolves.toEqualTypeOf<CompressResult<OpenAI.ChatCompletionMessageParam>>();
  expectTypeOf(compress<Anthropic.MessageParam>)
    .parameter(0)
    .toEqualTypeOf<readonly Anthropic.MessageParam[]>();
  expectTypeOf<CompressResult<string>>().toEqualTypeOf<{
    messages: string[];
    compressed: boolean;
    reason: string;
    tokensBefore: number;
    tokensAfter: number;
    tokensSaved: number;
    compressionRatio: number;
    transformsApplied: string[];
    references: string[];
  }>();
});

test("options are closed lists", () => {
  expectTypeOf<CompressOptions["preset"]>().toEqualTypeOf<"gentle" | "balanced" | "firm" | undefined>();
  expectTypeOf<CompressOptions["fallback"]>().toEqualTypeOf<"passthrough" | "throw" | undefined>();
  expectTypeOf<Budget>().toEqualTypeOf<{ tokens: number; share: number; most?: number }>();
  expectTypeOf<"pageTokens" | "lines" | "offset" | "baseUrl" | "signal">().toExtend<keyof RetrieveOptions>();
  // @ts-expect-error: a mistyped option
  void (() => compress([], { losless: true }));
});

test("tools have their dialect's type, and clients take them", () => {
  expectTypeOf(retrieveTool<"openai">).returns.toEqualTypeOf<OpenAIRetrieveTool>();
  expectTypeOf<OpenAIRetrieveTool>().toExtend<OpenAI.ChatCompletionTool>();
  expectTypeOf<ResponsesRetrieveTool>().toExtend<OpenAI.Responses.Tool>();
  expectTypeOf<AnthropicRetrieveTool>().toExtend<Anthropic.ToolUnion>();
  expectTypeOf<typeof RETRIEVE_TOOL>().toEqualTypeOf<"headroom_retrieve">();
  expectTypeOf(isRetrieveTool).returns.toBeBoolean();
  expectTypeOf(answerRetrieve).returns.resolves.toBeString();
  expectTypeOf(retrieve).returns.resolves.toBeString();
});

test("wrapping keeps a client's type", () => {
  expectTypeOf(openai.withHeadroom<OpenAI>).returns.toEqualTypeOf<OpenAI>();
  expectTypeOf(openai.withHeadroom<AzureOpenAI>).returns.toEqualTypeOf<AzureOpenAI>();
  expectTypeOf(anthropic.withHeadroom<Anthropic>).returns.toEqualTypeOf<Anthropic>();
  expectTypeOf(anthropic.headroomMiddleware()).toExtend<Anthropic["middleware"][number]>();
  // @ts-expect-error: the model is the request's
  void (() => openai.withHeadroom(new OpenAI(), { model: "gpt-4o" }));
});

test("the AI SDK takes the middleware and the tools", () => {
  expectTypeOf(headroomMiddleware()).toExtend<LanguageModelV4Middleware>();
  expectTypeOf(headroomMiddleware()).toExtend<Exclude<Parameters<typeof wrapLanguageModel>[0]["middleware"], unknown[]>>();
  expectTypeOf(headroomTools()).toExtend<NonNullable<Parameters<typeof generateText>[0]["tools"]>>();
});

test("OpenClaw's messages keep their type", () => {
  expectTypeOf(assemble<{ role: "user" }>).returns.resolves.toEqualTypeOf<AssembleResult<{ role: "user" }>>();
  expectTypeOf<AssembleResult<unknown>["leftOut"]>().toEqualTypeOf<[start: number, end: number]>();
});

test("errors have one ancestor", () => {
  expectTypeOf<HeadroomConnectionError>().toExtend<HeadroomError>();
  expectTypeOf<HeadroomResponseError>().toExtend<HeadroomError & { status: number; type: string }>();
});
