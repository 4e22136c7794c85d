// Offers load from a thread of its own: how much is due follows from the clock alone, never from what has been
// answered. It writes down how many messages are due by now; a message that is late counts from when it was meant to
// come, so that a system that stalls cannot hide it.
import { parentPort, workerData } from 'node:worker_threads'

const { due, startAt, ratePerSecond, total, tickMs } = workerData
const nap = new Int32Array(new SharedArrayBuffer(4))

parentPort.postMessage('ready')
while (startAt[0] === 0) Atomics.wait(nap, 0, 0, tickMs)
for (let offered = 0; offered < total;) {
  const elapsedMs = performance.timeOrigin + performance.now() - startAt[0]
  offered = Math.min(total, Math.max(offered, Math.floor((elapsedMs * ratePerSecond) / 1000)))
  Atomics.store(due, 0, offered)
  Atomics.wait(nap, 0, 0, tickMs)
}
