// Scenarios are what every version of phoenix.js goes through: {name, run(rig), needs}, where needs
// names a capability of clients.js. A clause is one of the conformance checklist.

import binary from "./binary.js"
import broadcasting from "./broadcasting.js"
import ending from "./ending.js"
import joining from "./joining.js"
import pushing from "./pushing.js"
import reconnecting from "./reconnecting.js"

export const scenarios = [...joining, ...pushing, ...broadcasting, ...binary, ...ending, ...reconnecting]

// skipped says why a client does not go through a scenario, or false.
export const skipped = (scenario, can) => Boolean(scenario.needs) && !can[scenario.needs] && `has no ${scenario.needs}`
