import fc from 'fast-check'

/** Formats whose texts zod checks with more than a pattern, or with one that fast-check cannot read. */
export const textFormats: Readonly<Record<string, fc.Arbitrary<string>>> = {
  base64: fc.base64String(),
  base64url: fc.base64String().map(toBase64Url),
  credit_card: fc.constantFrom('4242424242424242', '4111 1111 1111 1111', '378282246310005'),
  duration: fc
    .tuple(fc.nat({ max: 999 }), fc.constantFrom('P?D', 'P?W', 'P1Y?M', 'PT?H', 'PT?M', 'P1DT?S'))
    .map(([count, form]) => form.replace('?', String(count))),
  emoji: fc.string({ unit: fc.constantFrom('😀', '👍', '🎉', '🚀', '❤️'), minLength: 1 }),
  hostname: fc.domain(),
  iban: fc.constantFrom('DE89370400440532013000', 'GB82WEST12345698765432', 'NO9386011117947'),
  json_string: fc.json(),
  url: fc.webUrl({ withQueryParameters: true, withFragments: true }),
}

/** Unsigned in all but form. */
export function tokens(alg = 'HS256'): fc.Arbitrary<string> {
  const header = encode({ alg, typ: 'JWT' })
  return fc
    .tuple(fc.string({ maxLength: 8 }), fc.base64String({ minLength: 8, maxLength: 16 }))
    .map(([sub, signature]) => `${header}.${encode({ sub })}.${toBase64Url(signature)}`)
}

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}

function toBase64Url(text: string): string {
  return text.replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
}
