import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

const collect = (() => {
  setFlagsFromString('--expose_gc')
  return runInNewContext('gc') as () => void
})()

/** Bytes in use once all garbage is gone, those of buffers among them. */
export function bytesInUse(): number {
  for (let i = 0; i < 4; i++) collect()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}
