// The fixtures `lab`, a lab for each test, and `mtcute`, a client of it. The binary is the one in DAYFLY, or `dayfly` of the path.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test as base } from 'vitest'
import { makeClient } from './client.mjs'
import { startLab } from './lab.mjs'

/** What a person wants to know when a test failed: what became of each connection, by both sides. */
async function tell(lab, lines) {
  const verdicts = (await lab.verdicts()).map((verdict, index) => `connection ${index + 1}: ${verdict}`)
  const complaints = lines.map((line) => line.split('\n', 1)[0]) // without the stack
  console.error(['The lab says:', ...verdicts, 'mtcute says:', ...complaints].join('\n'))
}

export const test = base.extend({
  /** Where the labs of all tests keep one RSA key: making one takes longer than all the rest. */
  labKey: [
    async ({}, use) => {
      const folder = await mkdtemp(join(tmpdir(), 'dayfly-lab-'))
      await use(join(folder, 'lab.pem'))
      await rm(folder, { recursive: true })
    },
    { scope: 'file' },
  ],

  lab: async ({ labKey }, use) => {
    // Calm: where the specification leaves a choice, the lab does what production does, and a test asks for more by name.
    const lab = await startLab(process.env.DAYFLY ?? 'dayfly', labKey, 1, '--calm')
    await use(lab)
    await lab.stop()
  },

  mtcute: async ({ lab, task }, use) => {
    const { client, lines } = makeClient(lab)
    await use({ call: (method) => client.call({ _: method }), log: () => lines.join('\n') })
    if (task.result?.state === 'fail') await tell(lab, lines)
    await client.destroy()
  },
})
