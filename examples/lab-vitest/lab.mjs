// `dayfly lab` for tests: starts it on free ports, stops it afterwards, speaks to its control API. Nothing here knows a client
// library: copy the file into your own tests. Node 20 or later, no dependency.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'

/** Starts the binary `dayfly` as a lab with its RSA key in the file `key`, made if it is not there; `options` go to the lab. */
export async function startLab(dayfly, key, seed, ...options) {
  const where = ['--json', '--listen', '127.0.0.1:0', '--control', '127.0.0.1:0', '--key', key, '--seed', String(seed)]
  // Its standard input ends with this program, however that ends: no lab outlives its tests.
  const child = spawn(dayfly, ['lab', '--until-eof', ...where, ...options], { stdio: ['pipe', 'pipe', 'inherit'] })
  const ended = once(child, 'exit')
  // The lab prints one line, when it listens.
  for await (const line of createInterface({ input: child.stdout })) return new Lab(child, ended, JSON.parse(line))
  child.stdin.end()
  throw new Error(`the lab ended with exit code ${(await ended)[0]}; it says why on stderr`)
}

/** A running lab: `host` and `port` for clients, `publicKey` (a file) for them to trust, `control` for the tests. */
class Lab {
  #child
  #ended

  constructor(child, ended, { address, control, public_key: publicKey }) {
    this.#child = child
    this.#ended = ended
    const colon = address.lastIndexOf(':')
    this.host = address.slice(0, colon)
    this.port = Number(address.slice(colon + 1))
    this.control = control
    this.publicKey = publicKey
  }

  async stop() {
    this.#child.stdin.end()
    await this.#ended
  }

  async #request(path, body) {
    const post = { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) }
    const response = await fetch(new URL(path, this.control), body && post)
    const text = await response.text()
    if (!response.ok) throw new Error(`${path}: ${text}`) // the lab says why in its answer
    return text
  }

  /** From now on these faults are made, and calls get these answers; the keys are those of a scenario's file. */
  async scenario(rules, answers = []) {
    await this.#request('scenario', { rule: rules, answer: answers })
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

  /** The faults that were made, in order. */
  async faults() {
    return (await this.transcript()).filter((entry) => entry.what === 'fault').map((entry) => entry.fault)
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
