// Shorten a conversation, send it yourself, get an original back. Needs a running Headroom: headroom proxy
import { compress, retrieve } from "headroom-ai";
import { orders } from "./orders.ts";

const messages = [
  { role: "user", content: "Which order failed?" },
  { role: "assistant", content: null, tool_calls: [{ id: "c1", type: "function", function: { name: "list_orders", arguments: "{}" } }] },
  { role: "tool", tool_call_id: "c1", content: JSON.stringify(orders) },
];

const result = await compress(messages, { model: "gpt-4o" });
console.log(result.messages.at(-1)?.content);
console.log(`${result.tokensBefore} tokens became ${result.tokensAfter} (${result.transformsApplied})`);

const [reference] = result.references;
if (reference) console.log(await retrieve(reference, "ord_7123"));
