// How a caller makes vectors of texts.

/** What a call of `embed` is told besides its texts. */
export interface EmbedOptions {
  /** Fires, with the same reason, when the rebuild or search is given up; nobody waits for the answer then. */
  readonly signal: AbortSignal
  /** What the texts are: some models put different words before the one and the other. */
  readonly purpose: 'document' | 'query'
}

/**
 * Makes the vectors of a field from text: for documents that come without one, and for `near` queries. The functions are not stored;
 * `model` is, with each version. Several may be given for one field, for a rolling change of models: the first makes the vectors of
 * new versions, and the model that a version names embeds the queries on it.
 */
export interface Embedding<D> {
  /** What names the vectors' space, 1–256 characters: texts are embedded again when it changes. Include what changes vectors (a revision, a prefix, a dimension). */
  readonly model: string
  /** The text of a document that its vector stands for; undefined for a document without one. Called once for each document that has no vector. */
  from(document: D): string | undefined
  /** The vectors of texts, in their order: as many as texts, of the field's dimensions, finite. */
  embed(
    texts: readonly string[],
    options: EmbedOptions,
  ): Promise<readonly (Float32Array | readonly number[])[]> | readonly (Float32Array | readonly number[])[]
  /** Texts of one call, 1–4096. Default 64. */
  readonly batchSize?: number
  /** Calls at once, 1–64. Default 4. */
  readonly concurrency?: number
  /** Milliseconds for the call of a query, above 0. Default 10,000. */
  readonly timeoutMs?: number
  /** When the embedding of a query fails that has text too: answer by its text and say so in `degraded` (`text`, the default), or reject. */
  readonly onFailure?: 'text' | 'reject'
}
