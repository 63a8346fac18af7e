import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { type AddressInfo, createServer as createSocket } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, expect, test } from "vitest";
import { localAddress, settingsFrom } from "../src/settings.js";
import { Starter } from "../src/starter.js";
import { hosted, run, tools, user } from "./host.js";

const root = resolve(import.meta.dirname, "../../..");
const bin = process.platform === "win32" ? "Scripts/headroom.exe" : "bin/headroom";
const command = join(root, ".venv", bin);
const home = mkdtempSync(join(tmpdir(), "headroom-"));
process.env.HEADROOM_HOME = home;
afterAll(() => rmSync(home, { recursive: true, force: true }));

async function freePort(): Promise<number> {
  const socket = createSocket().listen(0, "127.0.0.1");
  await new Promise((done) => socket.once("listening", done));
  const { port } = socket.address() as AddressInfo;
  await new Promise((done) => socket.close(done));
  return port;
}

const answers = (url: string) =>
  fetch(`${url}/health`).then(
    ({ ok }) => ok,
    () => false,
  );
const logger = (lines: string[]) => ({ info: (line: string) => lines.push(line), warn: (line: string) => lines.push(line) });

test("a single run starts one at its first need, and stops it when its engine is disposed of", async () => {
  const baseUrl = `http://127.0.0.1:${await freePort()}`;
  const { engine, infos, warnings } = hosted({ baseUrl, autoStart: true, command });
  await engine.assemble({ sessionId: "s", messages: [user("hi")], availableTools: tools });
  expect(await answers(baseUrl)).toBe(true);
  expect(infos[0]).toContain(`proxy --host 127.0.0.1 --port ${new URL(baseUrl).port}`);
  await engine.dispose();
  expect(await answers(baseUrl)).toBe(false);
  expect(warnings).toEqual([]);
});

test("a gateway keeps it from turn to turn, and stops it when it stops itself", async () => {
  const baseUrl = `http://127.0.0.1:${await freePort()}`;
  const { engine, services } = hosted({ baseUrl, autoStart: true, command });
  await services[0]?.start();
  await engine.assemble({ sessionId: "s", messages: [user("hi")], availableTools: tools });
  await engine.dispose();
  expect(await answers(baseUrl)).toBe(true);
  await services[0]?.stop();
  expect(await answers(baseUrl)).toBe(false);
});

test("one that runs already is used, and not stopped", async () => {
  const other = createServer((_, response) => response.end("{}")).listen(0, "127.0.0.1");
  await new Promise((done) => other.once("listening", done));
  const baseUrl = `http://127.0.0.1:${(other.address() as AddressInfo).port}`;
  const starter = new Starter(settingsFrom({ baseUrl }), () => Promise.reject(new Error("must not run")), logger([]));
  await starter.ensure();
  await starter.stop();
  expect(await answers(baseUrl)).toBe(true);
  other.close();
});

test("one that ends is started again, later and later, until it is stopped", async () => {
  const lines: string[] = [];
  let fourth: () => void;
  const enough = new Promise<void>((done) => {
    fourth = done;
  });
  let runs = 0;
  const failing = async () => {
    if (++runs === 4) fourth();
    return { code: 2, stderr: "first\nport taken\n" };
  };
  const starter = new Starter(settingsFrom({ baseUrl: "http://127.0.0.1:9" }), failing, logger(lines), 4);
  await starter.ensure();
  await enough;
  await starter.stop();
  const stopped = runs;
  expect(lines.filter((line) => line.includes("exit code 2: port taken")).map((line) => /in ([\d.]+) s/.exec(line)?.[1])).toEqual(
    ["0.004", "0.008", "0.016", "0.032"].slice(0, lines.length - 1),
  );
  await starter.stop();
  expect(runs).toBe(stopped);
});

test("a command that does not exist is told, and holds nothing up", async () => {
  const lines: string[] = [];
  const starter = new Starter(settingsFrom({ baseUrl: "http://127.0.0.1:9", command: "/no/such/headroom" }), run, logger(lines));
  await starter.ensure();
  expect(lines[1]).toContain("ENOENT");
  await starter.stop();
});

test("nothing is started on other machines", async () => {
  const lines: string[] = [];
  const starter = new Starter(settingsFrom({ baseUrl: "http://192.0.2.1:8787" }), () => Promise.reject(new Error("must not run")), logger(lines));
  await starter.ensure();
  expect(lines).toEqual([expect.stringContaining("on this machine only")]);
});

test("addresses of this machine", () => {
  expect(localAddress("http://localhost:8787/")).toEqual({ host: "localhost", port: "8787" });
  expect(localAddress("http://[::1]:80")).toEqual({ host: "::1", port: "80" });
  expect(localAddress("https://127.0.0.1:8787")).toBeUndefined();
  expect(localAddress("http://example.com:8787")).toBeUndefined();
});
