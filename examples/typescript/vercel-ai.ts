// The Vercel AI SDK, sending less; its own loop answers headroom_retrieve. Needs a running Headroom: headroom proxy
import { openai } from "@ai-sdk/openai";
import { generateText, jsonSchema, stepCountIs, tool, wrapLanguageModel } from "ai";
import { headroomMiddleware, headroomTools } from "headroom-ai/vercel-ai";
import { orders } from "./orders.ts";

const { text, steps } = await generateText({
  model: wrapLanguageModel({ model: openai("gpt-5"), middleware: headroomMiddleware() }),
  prompt: process.argv[2] ?? "Which order failed?",
  tools: {
    list_orders: tool({ description: "All orders.", inputSchema: jsonSchema({ type: "object", properties: {} }), execute: async () => orders }),
    ...headroomTools(),
  },
  stopWhen: stepCountIs(10),
});
console.log(text, `(${steps.length} steps)`);
