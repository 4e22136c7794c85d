/** Whether a text nests brackets outside of strings deeper than `depthMax`; scanned without recursion. */
export function isNestedDeeperThan(text: string, depthMax: number): boolean {
  let depth = 0
  let isInString = false
  for (let index = 0; index < text.length; index++) {
    const char = text[index]
    if (isInString) {
      if (char === '\\') index += 1
      else if (char === '"') isInString = false
    } else if (char === '"') isInString = true
    else if (char === '{' || char === '[') depth += 1
    else if (char === '}' || char === ']') depth -= 1
    if (depth > depthMax) return true
  }
  return false
}
