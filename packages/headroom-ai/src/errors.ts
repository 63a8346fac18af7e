/** Everything that Headroom throws on purpose is a HeadroomError. */
export class HeadroomError extends Error {
  override name = "HeadroomError";
}

/** The server could not be reached, or did not answer in time. `cause` holds what `fetch` threw. */
export class HeadroomConnectionError extends HeadroomError {
  override name = "HeadroomConnectionError";
}

/** The server refused: `status` is its HTTP status, `type` its own word for the problem. */
export class HeadroomResponseError extends HeadroomError {
  override name = "HeadroomResponseError";

  constructor(
    message: string,
    readonly status: number,
    readonly type: string,
  ) {
    super(message);
  }
}
