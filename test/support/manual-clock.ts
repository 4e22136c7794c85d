export {
  MANUAL_START,
  manualClock as createManualClock,
  type ManualClock,
} from '../../src/kernel/manual-clock.ts'
