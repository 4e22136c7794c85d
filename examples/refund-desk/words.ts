import type { ItsFunction } from 'wink-nlp'

/** Turns a text into the features that the model counts: lemmas and pairs of neighbouring lemmas. */
export type WordReader = (text: string) => string[]

/** Longest part of a text that is read: what a customer wants is said by then, and a tokenizer's time grows faster. */
const readLengthMax = 2_000

/**
 * Loads wink-nlp with its English model and returns a reader of lemmas.
 *
 * Imported on demand, so that whoever never judges a text does not pay for the model.
 */
export async function createWordReader(): Promise<WordReader> {
  const [wink, english] = await Promise.all([import('wink-nlp'), import('wink-eng-lite-web-model')])
  const nlp = wink.default(english.default, ['sbd', 'pos'])
  // The library types these as methods, and `lemma` with a parameter too few; they are plain functions for `out`.
  const its = nlp.its as unknown as Readonly<Record<'type' | 'lemma', ItsFunction<string>>>
  return (text) => {
    const tokens = nlp.readDoc(text.slice(0, readLengthMax).toLowerCase()).tokens()
    const kinds = tokens.out(its.type)
    const lemmas = tokens.out(its.lemma)
    return pairUp(lemmas.flatMap((lemma, index) => readToken(lemma, kinds[index] ?? '')))
  }
}

function readToken(lemma: string, kind: string): string[] {
  if (kind === 'word') return [lemma]
  if (kind === 'number' || kind === 'ordinal') return ['#']
  if (kind === 'currency') return ['¤']
  return []
}

function pairUp(words: readonly string[]): string[] {
  return words.flatMap((word, index) => [word, `${words[index - 1] ?? '^'} ${word}`])
}
