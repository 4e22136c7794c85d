/** Words that announce lawyers, courts or a regulator; ordinary uses of the same words are left out. */
const threats: readonly RegExp[] = [
  /\b(?:lawyers?|attorneys?|solicitors?|barristers?|law ?suits?|law firm|litigation|litigate)\b/i,
  /\b(?:sue|suing|sued)\b|\bSUE\b|\bsue (?:you|them)\b/,
  /\blegal (?:action|advice|advisor|adviser|aid|case|claim|consequences|counsel|department|insurance|means)\b/i,
  /\blegal (?:measures|notice|proceedings|recourse|representation|representative|rights|route|steps|team|threat)\b/i,
  /\b(?:legally|prosecute|prosecution|press charges|class action|breach of contract|statutory rights)\b/i,
  /\b(?:in|to|before|by) (?:a |the |small claims )?courts?\b(?! shoes?| side)/i,
  /\bcourt (?:action|case|claim|hearing|order|proceedings)\b|\bsmall claims\b|\ba court will\b/i,
  /\b(?:ombuds(?:man|woman|person)?|regulators?|financial conduct authority|FCA|CFPB|FTC|BaFin)\b/i,
  /\b(?:trading standards|attorney general|consumer (?:protection|rights|council|association|watchdog|affairs))\b/i,
  /\b(?:against|break\w*|broke|broken|violat\w+) (?:of )?the law\b/i,
  /\b(?:report|complain|denounce)\w*(?: \w+){0,4} to the (?:authority|authorities|financial authority)\b/i,
]

/**
 * Finds the words with which a text threatens legal steps, if there are any. Pure.
 *
 * A list instead of learned weights: one such word in a long complaint must not be outvoted, and a false alarm
 * costs a human one look.
 */
export function findLegalThreat(text: string): string | undefined {
  for (const threat of threats) {
    const match = threat.exec(text)
    if (match !== null) return match[0]
  }
  return undefined
}
