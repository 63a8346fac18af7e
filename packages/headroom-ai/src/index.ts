export { type Budget, type CompressOptions, type CompressResult, compress } from "./compress.js";
export type { ConnectionOptions } from "./connection.js";
export { HeadroomConnectionError, HeadroomError, HeadroomResponseError } from "./errors.js";
export { type RetrieveOptions, retrieve } from "./retrieve.js";
export {
  type AnthropicRetrieveTool,
  answerRetrieve,
  isRetrieveTool,
  type OpenAIRetrieveTool,
  RETRIEVE_TOOL,
  type ResponsesRetrieveTool,
  type RetrieveArguments,
  retrieveTool,
} from "./retrieve-tool.js";
