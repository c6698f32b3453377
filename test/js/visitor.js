// Visitor is somebody who uses the playground: a page, and what one does and sees there.

import {selectors} from "playwright-core"

selectors.setTestIdAttribute("data-test")

export class Visitor {
  problems = [] // what the browser complained about: exceptions, violations of the policy, failed loads
  requests = [] // the hosts that the page asked for something

  // open shows the page and waits until it is connected and has joined room:lobby.
  static async open(context, base) {
    const visitor = new Visitor(await context.newPage())
    await visitor.page.goto(`${base}/`)
    await visitor.joined("room:lobby")
    return visitor
  }

  constructor(page) {
    this.page = page
    page.on("console", message => { if (message.type() === "error") this.problems.push(message.text()) })
    page.on("pageerror", error => this.problems.push(error.message))
    page.on("request", request => this.requests.push(new URL(request.url()).host))
    page.on("websocket", socket => this.requests.push(new URL(socket.url()).host))
  }

  at(name) { return this.page.getByTestId(name) }

  topic(topic) { return this.page.locator(`[data-test=topic][data-topic="${topic}"]`) }

  joined(topic) { return this.page.locator(`[data-test=topic][data-topic="${topic}"][data-state=joined]`).waitFor() }

  state(state) { return this.page.locator(`html[data-state=${state}]`).waitFor() }

  // row is the row of the log with these texts, of a kind: in, out, fault or note.
  row(kind, ...texts) {
    return texts.reduce((rows, hasText) => rows.filter({hasText}), this.page.locator(`[data-test=row][data-kind=${kind}]`))
  }

  sees(kind, ...texts) { return this.row(kind, ...texts).first().waitFor() }

  async join(topic, payload) {
    await this.at("join-topic").fill(topic)
    if (payload) {
      await this.at("join-payload-toggle").click()
      await this.at("join-payload").fill(payload)
    }
    await this.at("join-button").click()
  }

  // push fills in what is given, keeps the rest, and pushes.
  async push({topic, event, payload, format = "json"}) {
    await this.page.bringToFront() // a browser is slow with what is behind
    if (topic) await this.at("push-topic").selectOption(topic)
    if (event) await this.at("event").fill(event)
    await this.page.locator("label", {has: this.at(`format-${format}`)}).click()
    if (payload !== undefined) await this.at("payload").fill(payload)
    await this.at("push-button").click()
  }

  // said waits for a problem beside a form (connection, join, push) and returns its text.
  async said(form) {
    const problem = this.at(`${form}-problem`)
    await problem.filter({hasText: /./}).waitFor()
    return problem.textContent()
  }

  replied(text) { return this.at("reply").filter({hasText: text}).waitFor() }
}
