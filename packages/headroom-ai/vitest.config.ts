import { defineConfig } from "vitest/config";

export default defineConfig({
  test: { globalSetup: ["tests/servers.ts"], fileParallelism: false, include: ["tests/**/*.test.ts"], testTimeout: 20_000 },
});
