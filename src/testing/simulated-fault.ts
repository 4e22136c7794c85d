/** What goes wrong because the schedule says so. */
export class SimulatedFault extends Error {
  constructor(what: string) {
    super(`simulated: ${what}`)
    this.name = 'SimulatedFault'
  }
}
