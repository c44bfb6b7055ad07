// The page of phones can be installed, and opens without a network.

const KEPT = 'phone'

export function install(): void {
  document.querySelector<HTMLLinkElement>('link[rel=manifest]')?.setAttribute('href', '/phone.webmanifest')
  if (!('serviceWorker' in navigator)) return
  navigator.serviceWorker
    .register('/phone-worker.js', { scope: '/phone' })
    .then(() => navigator.serviceWorker.ready)
    .then(keep)
    .catch(() => undefined) // it works all the same, as long as there is a network
}

/** What was loaded before the worker was there; files of older versions go. */
async function keep(): Promise<void> {
  const loaded = performance.getEntriesByType('resource').map((each) => new URL(each.name)).filter((url) => url.origin === location.origin && url.pathname.startsWith('/assets/'))
  const wanted = [...new Set([new URL('/phone', location.href), new URL('/icon.svg', location.href), new URL('/phone.webmanifest', location.href), ...loaded].map((url) => url.href))]
  const cache = await caches.open(KEPT)
  const known = new Set((await cache.keys()).map((request) => request.url))
  await cache.addAll(wanted.filter((url) => !known.has(url)))
}
