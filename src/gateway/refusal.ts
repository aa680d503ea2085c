/**
 * How a request is refused: an error code and a sentence, in the reply that the method has.
 *
 * @module
 */

/** A request that is not carried out. The message is for the peer: it names nothing that belongs to another tenant. */
export class RpcRefusal {
  /** One of the wire's error codes, an `ErrorCode`. */
  readonly code: number;
  /** Why, in words. */
  readonly message: string;

  constructor(code: number, message: string) {
    this.code = code;
    this.message = message;
  }
}
