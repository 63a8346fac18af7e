/**
 * What travels to the server is a copy made for reading: everything that holds text, nothing of what is binary.
 * What comes back are texts; they are put into copies of the caller's own objects, so that whatever else is in there
 * (files, provider options, ids, class instances) never leaves and never changes.
 */

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

const BINARY_PARTS = new Set(["image", "image_url", "input_image", "file", "input_file", "input_audio", "document", "audio", "reasoning-file"]);
const JSON_OUTPUTS: Record<string, string> = { json: "text", "error-json": "error-text" };

/** `value` as JSON would write it, binary parts reduced to their type, values of AI SDK tool outputs written as text. */
export function readable(value: unknown): Json {
  if (Array.isArray(value)) return value.map(readable);
  if (value === null || typeof value !== "object") return value === undefined || typeof value === "bigint" ? null : (value as Json);
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return null;
  const object = typeof (value as { toJSON?: unknown }).toJSON === "function" ? JSON.parse(JSON.stringify(value)) : value;
  if (object === null || typeof object !== "object") return object as Json;
  if (BINARY_PARTS.has(object.type)) return { type: object.type };
  const copy: { [key: string]: Json } = {};
  for (const [key, inner] of Object.entries(object)) if (inner !== undefined && typeof inner !== "function") copy[key] = readable(inner);
  return withValueAsText(object, copy);
}

function withValueAsText(output: { type?: unknown; value?: unknown }, copy: { [key: string]: Json }): Json {
  const type = JSON_OUTPUTS[output.type as string];
  if (type === undefined || !("value" in output)) return copy;
  return { ...copy, type, value: JSON.stringify(output.value) ?? "null" };
}

/** `original` with those texts replaced in which `received` differs from `sent`; the very same object if none does. */
export function withTexts<Value>(original: Value, sent: Json, received: Json): Value {
  if (sent === received) return original;
  if (typeof sent === "string" && typeof received === "string") return received as Value;
  if (Array.isArray(sent) && Array.isArray(received) && Array.isArray(original)) {
    const next = original.map((mine, index) => withTexts(mine, sent[index] ?? null, received[index] ?? null));
    return (next.every((mine, index) => mine === original[index]) ? original : next) as Value;
  }
  if (isObject(sent) && isObject(received) && isObject(original)) return withFields(original, sent, received) as Value;
  return original;
}

function withFields(original: Record<string, unknown>, sent: Record<string, Json>, received: Record<string, Json>): unknown {
  const type = original.type;
  if (typeof type === "string" && JSON_OUTPUTS[type] === sent.type && sent.type !== type) {
    return sent.value === received.value ? original : { ...original, type: sent.type, value: received.value };
  }
  const fields = Object.keys(sent).map((key) => [key, withTexts(original[key], sent[key] as Json, received[key] ?? null)] as const);
  const changed = fields.filter(([key, value]) => value !== original[key]);
  return changed.length === 0 ? original : { ...original, ...Object.fromEntries(changed) };
}

function isObject(value: unknown): value is Record<string, never> {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}
