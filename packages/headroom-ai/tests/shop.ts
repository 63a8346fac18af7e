// What an agent of a shop reads, made up.
import { inject } from "vitest";

export const MODEL = inject("model");
export const HEADROOM = { baseUrl: inject("headroom") };

export const rows = Array.from({ length: 300 }, (_, n) => ({
  id: `ord_${7000 + n}`,
  status: n === 217 ? "failed" : n % 3 ? "paid" : "shipped",
  customer: { name: `Customer ${(n * 7919) % 1000}`, country: ["NO", "DE", "FR"][n % 3] },
  total: 25 + ((n * 31) % 400) / 4,
}));
export const orders = JSON.stringify(rows);

interface Recorded {
  path: string;
  // biome-ignore lint/suspicious/noExplicitAny: whatever was on the wire
  body: any;
}

/** The requests that the scripted model has had since the last look. */
export async function recorded(): Promise<Recorded[]> {
  const answer = (await (await fetch(`${MODEL}/recorded`)).json()) as { requests: Recorded[] };
  return answer.requests;
}

/** All text of the tool outputs in a request body, whatever its dialect. */
export function outputsIn(body: unknown): string {
  return JSON.stringify(body, (key, value) => (key === "tools" ? undefined : value));
}
