// The packed tarball: what it holds, and whether every way of importing it finds code and types.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { checkPackage, createPackageFromTarballData } from "@arethetypeswrong/core";
import { publint } from "publint";
import { afterAll, beforeAll, expect, test } from "vitest";

const root = join(import.meta.dirname, "..");
const folder = mkdtempSync(join(tmpdir(), "headroom-pack-"));
let tarball: Uint8Array;

beforeAll(() => {
  execFileSync(process.execPath, ["scripts/build.mjs"], { cwd: root });
  const npm = process.env.npm_execpath ?? "npm";
  const [command, first] = npm.endsWith("js") ? [process.execPath, [npm]] : [npm, []];
  const packed = execFileSync(command, [...first, "pack", "--json", "--pack-destination", folder], { cwd: root, encoding: "utf8" });
  const described = JSON.parse(packed);
  const [{ filename }] = Array.isArray(described) ? described : (Object.values(described) as [{ filename: string }]);
  tarball = readFileSync(join(folder, filename));
}, 120_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("publint finds nothing", async () => {
  const { messages } = await publint({ pack: { tarball: Uint8Array.from(tarball).buffer }, strict: true });
  expect(messages).toEqual([]);
});

test("types are right for every way of importing", async () => {
  const analysis = await checkPackage(createPackageFromTarballData(tarball));
  if (!analysis.types) throw new Error("the package has no types");
  const problems = analysis.problems.filter((problem) => !("resolutionKind" in problem && problem.resolutionKind === "node10"));
  expect(problems).toEqual([]);
});

test("nothing is needed at run time", () => {
  const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  expect(manifest.dependencies).toBeUndefined();
});
