// `dayfly lab` for tests: starts it on free ports, stops it afterwards, speaks to its control API. Nothing here knows a client
// library: copy the file into your own tests. Node 20 or later, no dependency.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'

/** Longer than anything here takes on a machine with much else to do, in milliseconds. */
export const PATIENCE = 60_000

/** Starts the binary `dayfly` as a lab with this seed; `options` go to it. It is stopped by `stop()`. */
export async function startLab(dayfly, seed, ...options) {
  const words = ['lab', '--json', '--listen', '127.0.0.1:0', '--control', '127.0.0.1:0', '--seed', String(seed), ...options]
  const child = spawn(dayfly, words, { stdio: ['ignore', 'pipe', 'inherit'] })
  // The lab prints one line, when it listens.
  for await (const line of createInterface({ input: child.stdout })) return new Lab(child, JSON.parse(line))
  throw new Error('the lab did not start; it says why on stderr')
}

/** A running lab: `host` and `port` for clients, `publicKey` (a file) for them to trust, `control` for the tests. */
class Lab {
  #child

  constructor(child, { address, control, public_key: publicKey }) {
    this.#child = child
    const colon = address.lastIndexOf(':')
    this.host = address.slice(0, colon)
    this.port = Number(address.slice(colon + 1))
    this.control = control
    this.publicKey = publicKey
  }

  async stop() {
    if (this.#child.exitCode !== null) return
    const ended = once(this.#child, 'exit')
    this.#child.kill()
    await ended
  }

  async #request(path, body) {
    const post = { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) }
    const response = await fetch(new URL(path, this.control), body && post)
    const text = await response.text()
    if (!response.ok) throw new Error(`${path}: ${text}`) // the lab says why in its answer
    return text
  }

  /** From now on these faults are made; the keys are those of a scenario's file. */
  async scenario(...rules) {
    await this.#request('scenario', { rule: rules })
  }

  /** So much time passes at once for the lab, though not for its clients. */
  async advance(seconds) {
    await this.#request('time', { advance: seconds })
  }

  /** Everything that happened so far: an object an entry, in order. */
  async transcript() {
    const lines = (await this.#request('transcript')).split('\n')
    return lines.filter(Boolean).map((line) => JSON.parse(line))
  }

  /** The sentences of the transcript about `key_made`, `bound`, `call` and so on. */
  async notes(kind) {
    return (await this.transcript()).filter((entry) => entry.kind === kind).map((entry) => entry.text)
  }

  /** The rules on which what clients sent was refused, such as `HS-10`. */
  async refusedBy() {
    return (await this.transcript()).filter((entry) => entry.what === 'refused').map((entry) => entry.rule)
  }

  /** For each connection, in order, what it came to, in a sentence. */
  async verdicts() {
    return JSON.parse(await this.#request('runs')).runs.map((run) => run.verdict)
  }
}

/** Waits until `found` holds for what `ask` gives, and gives that: the lab writes down what a client did a little later. */
export async function until(ask, found) {
  const end = performance.now() + PATIENCE
  for (;;) {
    const answer = await ask()
    if (found(answer)) return answer
    if (performance.now() > end) throw new Error(`it did not happen; the last answer was ${JSON.stringify(answer)}`)
    await sleep(20)
  }
}
