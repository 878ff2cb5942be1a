// Turns reports of `dayfly check --json` into a Markdown table, and a list of what failed below it.
// usage: row.mjs NAME REPORT.json [NAME REPORT.json ...]
import { readFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'

const HEAD = '| peer | passed | failed: must | should | compat | not reached | undecided | not run |\n| --- | --- | --- | --- | --- | --- | --- | --- |'

/** The row of a report. */
export function row(name, report) {
  if (report.version !== 1) throw new Error(`a report of version ${report.version}, expected 1`)
  if (report.stranger !== null) return `| ${name} | – | – | – | – | – | – | – |`
  const c = report.counts
  const cells = [c.passed, c.failed_must, c.failed_should, c.failed_compat, c.not_reached, c.undecided, c.left_out]
  return `| ${name} | ${cells.join(' | ')} |`
}

/** What failed, a line a case; the peer's own words as code, which Markdown leaves alone. */
export function failures(report) {
  if (report.stranger !== null) return [`    ${report.stranger}`]
  const failed = report.cases.filter((one) => one.verdict === 'failed')
  return failed.map((one) => `    ${one.id} ${one.severity}: ${one.title}: ${one.got}`)
}

/** Whether the peer came through anything at all; if not, the way in which it was started is at fault. */
export function isReached(report) {
  return report.stranger === null && report.counts.passed > 0
}

function main(words) {
  if (words.length === 0 || words.length % 2 !== 0) {
    console.error('usage: row.mjs NAME REPORT.json [NAME REPORT.json ...]')
    process.exit(2)
  }
  const peers = []
  for (let at = 0; at < words.length; at += 2) {
    peers.push([words[at], JSON.parse(readFileSync(words[at + 1], 'utf8'))])
  }
  console.log([HEAD, ...peers.map(([name, report]) => row(name, report))].join('\n'))
  for (const [name, report] of peers) {
    const lines = failures(report)
    if (lines.length > 0) console.log(`\n${name}, seed ${report.seed}:\n\n${lines.join('\n')}`)
  }
  const unreached = peers.filter(([, report]) => !isReached(report)).map(([name]) => name)
  if (unreached.length > 0) {
    console.error(`nothing passed, so that nothing was found out: ${unreached.join('; ')}`)
    process.exit(1)
  }
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) main(process.argv.slice(2))
