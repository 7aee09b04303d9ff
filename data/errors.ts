/**
 * Something a person can put right: a folder that is not there, a file in another format. The command
 * line prints the message of a `UserError` as one line, without a stack trace, and exits non-zero.
 */
export class UserError extends Error {
  /** What tells it from other errors. */
  override name = "UserError";
}
