// Searches under way: the native layer hands every answer to one function, which finds who waits for it.
import { NativeAnswers } from './native.js'
import type { Answer } from './native.js'

interface Waiting {
  readonly resolve: (answer: Answer) => void
  readonly reject: (error: Error) => void
}

const waiting = new Map<number, Waiting>()
let door: { readonly answers: NativeAnswers; readonly stay: NodeJS.Timeout } | undefined
let last = 0

/** The answer to the call that `begin` begins under the number that it gets; the error is as the native layer reports it. */
export function answered(begin: (answers: NativeAnswers, call: number) => void): Promise<Answer> {
  door ??= open()
  const { answers, stay } = door
  last = (last + 1) >>> 0
  const call = last
  const answer = new Promise<Answer>((resolve, reject) => {
    waiting.set(call, { resolve, reject })
  })
  if (waiting.size === 1) stay.ref()
  try {
    begin(answers, call)
  } catch (error) {
    take(call)?.reject(error as Error)
  }
  return answer
}

function open(): { answers: NativeAnswers; stay: NodeJS.Timeout } {
  const answers = new NativeAnswers((call, error, answer) => {
    const caller = take(call)
    if (answer) caller?.resolve(answer)
    else caller?.reject(new Error(error ?? 'a search without an answer'))
  })
  // It does nothing but keep the process running for as long as someone waits.
  return { answers, stay: setInterval(() => {}, 2 ** 31 - 1).unref() }
}

function take(call: number): Waiting | undefined {
  const caller = waiting.get(call)
  waiting.delete(call)
  if (waiting.size === 0) door?.stay.unref()
  return caller
}
