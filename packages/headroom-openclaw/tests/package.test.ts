// The packed tarball: what it holds, and that nothing in it would worry OpenClaw's scanner of plugin code.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { publint } from "publint";
import { afterAll, beforeAll, expect, test } from "vitest";

const root = join(import.meta.dirname, "..");
const folder = mkdtempSync(join(tmpdir(), "headroom-pack-"));
let tarball: Uint8Array;
let files: string[];
let code: string;

beforeAll(() => {
  execFileSync(process.execPath, ["scripts/build.mjs"], { cwd: root });
  const npm = process.env.npm_execpath ?? "npm";
  const [command, first] = npm.endsWith("js") ? [process.execPath, [npm]] : [npm, []];
  const packed = JSON.parse(execFileSync(command, [...first, "pack", "--json", "--pack-destination", folder], { cwd: root, encoding: "utf8" }));
  const [described] = Array.isArray(packed) ? packed : Object.values(packed);
  tarball = readFileSync(join(folder, described.filename));
  files = described.files.map((file: { path: string }) => file.path);
  code = readFileSync(join(root, "dist/index.js"), "utf8");
}, 120_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("publint finds nothing", async () => {
  const { messages } = await publint({ pack: { tarball: Uint8Array.from(tarball).buffer }, strict: true });
  expect(messages).toEqual([]);
});

test("it holds the built plugin and its manifest, and needs no other package", () => {
  expect(files.sort()).toEqual(["README.md", "dist/index.js", "openclaw.plugin.json", "package.json"]);
  const imported = [...code.matchAll(/^import .* from "([^"]+)";$/gm)].map(([, name]) => name);
  expect(new Set(imported)).toEqual(new Set(["openclaw/plugin-sdk/core", "openclaw/plugin-sdk/plugin-entry"]));
  expect(JSON.parse(readFileSync(join(root, "package.json"), "utf8")).dependencies).toBeUndefined();
});

test("no processes, no evaluated code, no files, no environment beside the network", () => {
  for (const word of ["child_process", "eval(", "new Function", "readFile", "process.env"]) expect(code).not.toContain(word);
});

test("versions agree", () => {
  const version = (file: string) => JSON.parse(readFileSync(join(root, file), "utf8")).version;
  expect(version("openclaw.plugin.json")).toBe(version("package.json"));
  expect(version("../headroom-ai/package.json")).toBe(version("package.json"));
});
