import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig({
  resolve: { alias: { "openclaw/plugin-sdk/core": here("tests/openclaw.ts"), "openclaw/plugin-sdk/plugin-entry": here("tests/openclaw.ts") } },
  test: { globalSetup: ["../headroom-ai/tests/servers.ts"], fileParallelism: false, include: ["tests/**/*.test.ts"], testTimeout: 20_000 },
});
