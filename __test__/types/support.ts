// Helpers of the type tests: they exist for the compiler alone.

/** Compiles only when the two types are the same. */
export type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false

/** Compiles only for `true`. */
export function claim<_Claim extends true>(): void {}
