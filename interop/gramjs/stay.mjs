// usage: node stay.mjs HOST:PORT PUBLIC-KEY.pem
//
// gramjs with its own defaults, for `dayfly check client`: it calls help.getNearestDc and help.getConfig in turn, each again until
// it is answered, and ends only when gramjs says that it cannot connect.
import { setTimeout as pause } from 'node:timers/promises'
import { Api } from 'telegram'
import { ConnectionTCPFull } from 'telegram/network/connection/index.js'
import { makeClient, trust } from './client.mjs'

// connect() itself calls help.getConfig: another call comes first, so that going on is no repeat.
const CALLS = [() => new Api.help.GetNearestDc(), () => new Api.help.GetConfig()]
const BREATH = 100 // milliseconds

async function main([address, pem]) {
  const [, host, port] = /^(.+):(\d+)$/.exec(address)
  trust(pem)
  const client = makeClient({ host, port: Number(port), Connection: ConnectionTCPFull, reconnects: true })
  if (!(await client.connect())) throw new Error('no connection')
  for (let turn = 0; ; ) {
    try {
      await client.invoke(CALLS[turn % CALLS.length]())
      turn += 1
    } catch (error) {
      console.error(String(error))
    }
    await pause(BREATH)
  }
}

await main(process.argv.slice(2))
