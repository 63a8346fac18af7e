// A real Headroom and a scripted model, as processes of their own, for all tests of a run.
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import type { TestProject } from "vitest/node";

declare module "vitest" {
  interface ProvidedContext {
    headroom: string;
    model: string;
  }
}

const root = resolve(import.meta.dirname, "../../..");
const python = process.env.HEADROOM_PYTHON ?? join(root, process.platform === "win32" ? ".venv/Scripts/python.exe" : ".venv/bin/python");

export default async function setup(project: TestProject): Promise<() => void> {
  const home = mkdtempSync(join(tmpdir(), "headroom-"));
  const model = start(["-m", "tests.scripted_main"], {});
  const headroom = start(["-m", "headroom.cli", "proxy", "--port", "0"], { HEADROOM_HOME: home });
  project.provide("model", await url(model, model.stdout as Readable));
  project.provide("headroom", await url(headroom, headroom.stderr as Readable));
  return () => {
    for (const process of [model, headroom]) process.kill();
    rmSync(home, { recursive: true, force: true });
  };
}

function start(args: string[], environment: Record<string, string>): ChildProcess {
  return spawn(python, args, { cwd: root, env: { ...process.env, ...environment }, stdio: ["pipe", "pipe", "pipe"] });
}

async function url(child: ChildProcess, output: Readable): Promise<string> {
  const lines: string[] = [];
  for await (const line of createInterface(output)) {
    const found = /http:\/\/[\d.]+:\d+/.exec(line);
    if (found) {
      output.resume();
      return found[0];
    }
    lines.push(line);
  }
  throw new Error(`${child.spawnargs.join(" ")} said:\n${lines.join("\n")}`);
}
