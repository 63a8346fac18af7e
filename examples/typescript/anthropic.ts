// Anthropic's client, sending less; the model gets back what it misses. Needs a running Headroom: headroom proxy
import Anthropic from "@anthropic-ai/sdk";
import { answerRetrieve, isRetrieveTool, type RetrieveArguments, retrieveTool } from "headroom-ai";
import { withHeadroom } from "headroom-ai/anthropic";
import { orders } from "./orders.ts";

const client = withHeadroom(new Anthropic());
const list_orders = { name: "list_orders", description: "All orders.", input_schema: { type: "object" as const, properties: {} } };
const messages: Anthropic.MessageParam[] = [{ role: "user", content: process.argv[2] ?? "Which order failed?" }];

for (let round = 0; round < 10; round++) {
  const tools = [list_orders, retrieveTool("anthropic")];
  const said = await client.messages.create({ model: "claude-opus-4-6", max_tokens: 1000, messages, tools });
  messages.push({ role: "assistant", content: said.content });
  const results: Anthropic.ToolResultBlockParam[] = [];
  for (const block of said.content) {
    if (block.type === "text") console.log(block.text);
    if (block.type !== "tool_use") continue;
    const content = isRetrieveTool(block.name) ? await answerRetrieve(block.input as RetrieveArguments) : JSON.stringify(orders);
    results.push({ type: "tool_result", tool_use_id: block.id, content });
  }
  if (results.length === 0) break;
  messages.push({ role: "user", content: results });
}
