// Keeps the page of phones and its files, so that it opens without a network. Nothing of the API is kept.
/* global self, caches, fetch */

const KEPT = 'phone'

self.addEventListener('install', () => self.skipWaiting())
self.addEventListener('activate', (event) => event.waitUntil(self.clients.claim()))
self.addEventListener('fetch', (event) => {
  const { request } = event
  const url = new URL(request.url)
  if (request.method !== 'GET' || url.origin !== self.location.origin || url.pathname.startsWith('/api/')) return
  // Files under /assets have their digest in the name: one that is kept is the right one.
  event.respondWith(url.pathname.startsWith('/assets/') ? kept(request) : newest(request))
})

async function kept(request) {
  const cache = await caches.open(KEPT)
  const found = await cache.match(request.url)
  if (found) return found
  const answer = await fetch(request)
  if (answer.ok) await cache.put(request.url, answer.clone())
  return answer
}

async function newest(request) {
  const name = request.mode === 'navigate' ? '/phone' : request.url
  const cache = await caches.open(KEPT)
  try {
    const answer = await fetch(request)
    if (answer.ok) await cache.put(name, answer.clone())
    return answer
  } catch (error) {
    const found = await cache.match(name)
    if (found) return found
    throw error
  }
}
