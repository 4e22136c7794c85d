import { readPaymentsOptions } from './payments-options.ts'
import { startPayments } from './payments-server.ts'

// Starts the payments server: node dist/examples/refund-desk/payments-main.js --port 4100 --data refunds.jsonl
// You will see `payments listening on http://127.0.0.1:4100`; Ctrl-C stops it, and the file keeps every refund.

const read = readPaymentsOptions(process.argv.slice(2))
if (!read.ok) {
  console.error(read.message)
  process.exitCode = 2
} else {
  try {
    const payments = await startPayments(read.options)
    const stop = () => void payments.close()
    process.once('SIGINT', stop)
    process.once('SIGTERM', stop)
    console.log(`payments listening on ${payments.url}`)
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error))
    process.exitCode = 1
  }
}
