// Every example of examples/typescript, and every block of TypeScript in the docs, runs as it stands, under Node itself.
import { execFile } from "node:child_process";
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeEach, expect, test } from "vitest";
import { orders } from "../../../examples/typescript/orders.js";
import { HEADROOM, MODEL, outputsIn, recorded } from "./shop.js";

const root = join(import.meta.dirname, "../../..");
const folder = mkdtempSync(join(import.meta.dirname, "../.examples-")); // among the packages, so that imports find them
cpSync(join(root, "examples/typescript"), folder, { recursive: true });
afterAll(() => rmSync(folder, { recursive: true, force: true }));
beforeEach(recorded);

const env = {
  ...process.env,
  HEADROOM_BASE_URL: HEADROOM.baseUrl,
  OPENAI_BASE_URL: `${MODEL}/v1`,
  OPENAI_API_KEY: "none",
  ANTHROPIC_BASE_URL: MODEL,
  ANTHROPIC_API_KEY: "none",
};

async function run(file: string, ...args: string[]): Promise<string> {
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [join(folder, file), ...args], { env });
  expect(stderr).toBe("");
  return stdout;
}

test("compress.ts", async () => {
  const said = await run("compress.ts");
  expect(said).toMatch(/\d+ tokens became \d+ \(router:json_records:0\.\d+\)/);
  expect(said).toContain('"id":"ord_7123"');
});

test.each(["openai.ts", "anthropic.ts", "vercel-ai.ts"])("%s: the model reads less, and gets back what it asks for", async (file) => {
  expect(await run(file, "CALL list_orders {} RETRIEVE ord_7123")).toContain("done");
  const requests = await recorded();
  expect(requests).toHaveLength(3);
  expect(outputsIn(requests[1]?.body).length).toBeLessThan(JSON.stringify(orders).length / 2);
  expect(outputsIn(requests[2]?.body)).toContain('\\"id\\":\\"ord_7123\\"');
});

test("each of them has a test", () => {
  expect(readdirSync(join(root, "examples/typescript")).sort()).toEqual(["anthropic.ts", "compress.ts", "openai.ts", "orders.ts", "vercel-ai.ts"]);
});

const pages = ["typescript.md", "vercel-ai.md"];
const blocks = pages.flatMap((page) => {
  const text = readFileSync(join(root, "docs/integrations", page), "utf8");
  return [...text.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, code], number) => [`${page}, block ${number + 1}`, code as string] as const);
});

test.each(blocks)("docs: %s", async (_, code) => {
  writeFileSync(join(folder, "block.ts"), code);
  await run("block.ts");
});
