// Types and code by the TypeScript compiler, as ESM and CommonJS; then the size of the main entry, which has a limit.
import { execFileSync } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";

const LIMIT = 8 * 1024;
const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const tsc = fileURLToPath(import.meta.resolve("typescript/package.json")).replace(/package\.json$/, "bin/tsc");

rmSync(join(root, "dist"), { recursive: true, force: true });
const compile = (...options) => execFileSync(process.execPath, [tsc, "-p", join(root, "tsconfig.build.json"), ...options], { stdio: "inherit" });
compile("--outDir", join(root, "dist/esm"));
compile("--outDir", join(root, "dist/cjs"), "--module", "commonjs", "--moduleResolution", "bundler");
writeFileSync(join(root, "dist/cjs/package.json"), '{ "type": "commonjs" }\n');

const { outputFiles } = await build({ entryPoints: [join(root, "src/index.ts")], bundle: true, minify: true, format: "esm", write: false });
const size = gzipSync(outputFiles[0].contents).length;
console.log(`headroom-ai: main entry ${size} bytes minified and gzipped (limit ${LIMIT})`);
if (size > LIMIT) process.exit(1);
