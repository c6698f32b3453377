// What tests have a page of the harness do.

// runInPage runs in the browser: one scenario.
export async function runInPage({name, version}) {
  const [{Socket}, {Rig}, {scenarios}, {clients}] = await Promise.all([
    import(`/harness/node_modules/phoenix-${version}/priv/static/phoenix.mjs`),
    import("/harness/rig.js"),
    import("/harness/scenarios/index.js"),
    import("/harness/clients.js"),
  ])
  const orders = ["kill", "terminate", "start", "freeze", "thaw"]
  const server = Object.fromEntries(orders.map(order => [order, () => window.orderServer(order)]))
  const rig = new Rig({Socket, WebSocket, can: clients[version], base: location.origin, server})
  try {
    await scenarios.find(scenario => scenario.name === name).run(rig)
  } finally {
    rig.close()
  }
}
