// Asks for the page again every two seconds and puts what has changed in its place. Without a script the page reloads itself.
const EVERY = 2000

async function renew() {
  const answer = await fetch(location.href, { headers: { Accept: 'text/html' }, redirect: 'error' })
  if (!answer.ok) throw new Error(`status ${answer.status}`)
  const next = new DOMParser().parseFromString(await answer.text(), 'text/html').querySelector('[data-live]')
  const main = document.querySelector('[data-live]')
  // Whoever has gone into the page by keyboard, or has marked something, is not disturbed.
  const busy = main.contains(document.activeElement) || !document.getSelection().isCollapsed
  if (next && !busy && next.innerHTML !== main.innerHTML) main.replaceChildren(...next.childNodes)
}

async function live() {
  try {
    if (!document.hidden) await renew()
    document.body.removeAttribute('data-stale')
  } catch {
    document.body.setAttribute('data-stale', '')
  }
  setTimeout(live, EVERY)
}

setTimeout(live, EVERY)
