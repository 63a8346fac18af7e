// OpenAI's client, sending less; the model gets back what it misses. Needs a running Headroom: headroom proxy
import { answerRetrieve, isRetrieveTool, retrieveTool } from "headroom-ai";
import { withHeadroom } from "headroom-ai/openai";
import OpenAI from "openai";
import { orders } from "./orders.ts";

const client = withHeadroom(new OpenAI());
const list = { type: "function" as const, function: { name: "list_orders", description: "All orders.", parameters: { type: "object", properties: {} } } };
const messages: OpenAI.ChatCompletionMessageParam[] = [{ role: "user", content: process.argv[2] ?? "Which order failed?" }];

for (let round = 0; round < 10; round++) {
  const { choices } = await client.chat.completions.create({ model: "gpt-4o", messages, tools: [list, retrieveTool("openai")] });
  const said = choices[0]?.message;
  if (!said) break;
  messages.push(said);
  if (!said.tool_calls?.length) {
    console.log(said.content);
    break;
  }
  for (const call of said.tool_calls) {
    if (call.type !== "function") continue;
    const { name, arguments: asked } = call.function;
    const content = isRetrieveTool(name) ? await answerRetrieve(asked) : JSON.stringify(orders);
    console.log(`${name}: ${content.length} characters`);
    messages.push({ role: "tool", tool_call_id: call.id, content });
  }
}
