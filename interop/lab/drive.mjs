// usage: node drive.mjs PAGE-URL [SCREENSHOT.png]
//
// Opens the page of a lab to which two clients came, the first of which met a wrong SHA1: finds out from the page alone why it
// failed. Then a page of another origin tries to read and to set what it should not. Exit code 0: all was as it should be; 1: it
// was not, the last line says why; 2: wrong usage.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import http from 'node:http'
import { createRequire } from 'node:module'

const { chromium } = createRequire(new URL('../admin/', import.meta.url))('playwright-core')
const SECONDS = 60

const say = (event, fields = {}) => console.log(JSON.stringify({ event, ...fields }))

function fail(reason) {
  say('failed', { reason })
  process.exit(1)
}

/** A page on which every complaint of the browser is an end of the run. */
async function open(browser, options) {
  const context = await browser.newContext({ viewport: { width: 1320, height: 1000 }, ...options })
  const page = await context.newPage()
  page.on('pageerror', (error) => fail(`the page failed: ${error}`))
  page.on('console', (message) => message.type() === 'error' && fail(`the browser complains: ${message.text()}`))
  return page
}

/** From the list of runs to the byte that was wrong. */
async function findOutWhy(page, url) {
  await page.goto(url)
  const row = page.getByRole('row', { name: 'dh-answer-hash' })
  await row.getByText('failed', { exact: true }).waitFor()
  await row.getByRole('link').click()
  await page.getByRole('status').getByText('which the fault dh-answer-hash had altered').waitFor()
  const message = page.getByRole('listitem').filter({ hasText: 'lab → client: server_DH_params_ok' })
  await message.locator('summary').click()
  await message.getByText('not the SHA1 of the object that follows').waitFor()
  return message
}

/** A field that is pointed at shows its bytes. */
async function pointAtHash(message) {
  const part = message.locator('.part').last()
  await part.getByRole('row', { name: 'SHA1' }).hover()
  const bytes = part.locator('pre .marked')
  assert.ok((await bytes.count()) > 0, 'bytes are marked')
  const marked = (await bytes.allInnerTexts()).join(' ').split(/\s+/)
  assert.equal(marked.length, 20, 'as many as a SHA1 has')
}

/** What a page of somebody else gets: no transcript, and no say over the clock. */
async function beForeign(browser, url) {
  const server = http.createServer((_, response) => response.setHeader('Content-Type', 'text/html').end('<!doctype html>'))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const context = await browser.newContext()
  const page = await context.newPage()
  await page.goto(`http://localhost:${server.address().port}/`)
  const tried = await page.evaluate(async (lab) => {
    const attempt = async (path, options) => {
      try {
        return (await fetch(new URL(path, lab), options)).status
      } catch {
        return 'refused'
      }
    }
    const json = { 'Content-Type': 'application/json' }
    return [
      await attempt('/transcript'),
      await attempt('/time', { method: 'POST', headers: json, body: '{"set": 1}' }),
      await attempt('/time', { method: 'POST', mode: 'no-cors', body: '{"set": 1}' }).then((status) => status === 0 ? 'refused' : status),
    ]
  }, url)
  assert.deepEqual(tried, ['refused', 'refused', 'refused'])
  server.close()
  const { unix } = await (await fetch(new URL('/time', url))).json()
  assert.ok(unix > 1e9, 'the clock is as it was')
}

/** The page of a browser that runs no script says the same. */
async function readWithoutScript(browser, url) {
  const page = await open(browser, { javaScriptEnabled: false, colorScheme: 'dark' })
  await findOutWhy(page, url)
}

async function main([url, screenshot]) {
  if (!url) {
    console.error('usage: node drive.mjs PAGE-URL [SCREENSHOT.png]')
    process.exit(2)
  }
  setTimeout(() => fail(`no result within ${SECONDS} s`), SECONDS * 1000).unref()
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM,
    args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking'],
  })
  const page = await open(browser)
  const message = await findOutWhy(page, url)
  await pointAtHash(message)
  say('why')
  if (screenshot) await page.screenshot({ path: screenshot, fullPage: true })
  await beForeign(browser, url)
  say('foreign')
  await readWithoutScript(browser, url)
  await browser.close()
  say('done')
}

main(process.argv.slice(2)).catch((error) => fail(String(error?.stack ?? error)))
