// A pretended server for looking at pages while none runs: node dev/mock.mjs FILM.mp4. Not shipped, not for tests.
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { createRequire } from 'node:module'

const { WebSocketServer } = createRequire(import.meta.url)('ws')
const film = process.argv[2] ? boxes(readFileSync(process.argv[2])) : null
const us = () => Date.now() * 1000

function boxes(file) {
  const init = []
  const frames = []
  for (let at = 0; at < file.length; ) {
    const size = file.readUInt32BE(at)
    const kind = file.toString('latin1', at + 4, at + 8)
    const box = Buffer.from(file.subarray(at, at + size))
    if (kind === 'ftyp' || kind === 'moov') init.push(box)
    else if (kind === 'moof') frames.push([box])
    else if (kind === 'mdat') frames.at(-1)?.push(box)
    at += size
  }
  return { init: Buffer.concat(init), frames: frames.filter((f) => f.length === 2).map((f) => Buffer.concat(f)) }
}

function message(kind, wall, media, payload) {
  const head = Buffer.alloc(17)
  head.writeUInt8(kind)
  head.writeBigUInt64BE(BigInt(Math.round(wall)), 1)
  head.writeBigUInt64BE(BigInt(Math.round(media)), 9)
  return Buffer.concat([head, payload])
}

function retimed(frame, ticks) {
  const copy = Buffer.from(frame)
  const at = copy.indexOf('tfdt', 0, 'latin1')
  if (copy[at + 4] === 1) copy.writeBigUInt64BE(BigInt(ticks), at + 8)
  else copy.writeUInt32BE(ticks, at + 8)
  return copy
}

const SCALE = 12800
const stale = new Set(['ch_5'])

function serveLive(socket, channel, playback) {
  if (!film) return
  let n = 0
  let start = us()
  socket.send(JSON.stringify({ type: 'init', mime: 'video/mp4; codecs="avc1.42c01f"', codec: 'h264', width: 960, height: 540, audio: { codec: 'pcma', sample_rate: 8000, channels: 1 }, quality: 'sub' }))
  socket.send(message(1, us(), 90000, film.init))
  const put = (wall) => {
    const k = n % film.frames.length
    const key = k % 50 === 0
    socket.send(message(key ? 2 : 3, wall, 90000 + n * 3600, retimed(film.frames[k], SCALE + n * (SCALE / 25))))
    n += 1
  }
  let ahead = 0
  const timer = setInterval(() => {
    if (stale.has(channel) && n > 60) return
    if (!playback) put(us())
    else if (playback.playing) for (; ahead < n + 50 && n < ahead + 50; ) put(start + n * 40000), (ahead += 1)
  }, 40)
  socket.on('close', () => clearInterval(timer))
  if (playback)
    socket.on('message', (text) => {
      const order = JSON.parse(text)
      if (order.type === 'play' || order.type === 'seek') {
        if (order.at) {
          n = Math.ceil(n / 50) * 50
          start = order.at - n * 40000
          socket.send(JSON.stringify({ type: 'position', at: order.at, media: 90000 + n * 3600 }))
          for (let i = 0; i < 50; i++) put(start + n * 40000)
        }
        playback.playing = order.type === 'play'
        ahead = n
      } else if (order.type === 'pause') playback.playing = false
      else if (order.type === 'ahead') ahead = n - Math.round(order.ms / 40)
    })
}

const names = ['人民路与解放路路口', 'North gate dome', '中心广场东侧', 'Car park B2', '地铁站出口 A', '滨江大道 12 号杆', 'School gate', '物流园 NVR 通道 1', '物流园 NVR 通道 2']
const states = ['running', 'running', 'idle', 'running', 'lost', 'offline', 'never', 'running', 'opening']
const channels = names.map((name, i) => ({
  id: `ch_${i + 1}`, name, code: `3402000000132000000${i + 1}`, device: `dev_${Math.min(i, 5) + 1}`, device_name: name, area: 'area_2', area_name: '镜湖区',
  state: states[i], step: states[i] === 'lost' ? 'no_packets' : '', ptz: i < 2, recording: i !== 2, qualities: ['main', 'sub'], simulated: i > 3, organisation: null,
  record: { mode: 'continuous', retention_days: 30, floor_days: 1, pre_roll_seconds: 10, post_roll_seconds: 30, max_bytes: 0, quality: 'main', schedule: [] },
}))
const devices = names.slice(0, 6).map((name, i) => ({
  id: `dev_${i + 1}`, name, kind: i === 3 ? 'rtsp' : 'gb28181', code: `3402000000132000000${i + 1}`, state: ['online', 'online', 'online', 'running', 'offline', 'never'][i],
  address: `192.168.1.${20 + i}:5060`, transport: 'udp', manufacturer: 'Simulated', model: 'SC-2022', version: '3.0', channels: i === 5 ? 4 : 1, area: 'area_2',
  last_keepalive: new Date(Date.now() - i * 20000).toISOString(), simulated: i > 3, url: 'rtsp://192.168.1.23/live',
}))
const page = (items) => ({ items, next: null })
let me = { user: { id: 'usr_1', username: 'admin' }, roles: ['administrator'], permissions: ['*'], csrf: 'x', language: 'zh-CN', zone: 'Asia/Shanghai' }

function timeline(start, end) {
  const day = 86400e6
  const now = us()
  const pieces = []
  const gaps = []
  for (let at = Math.floor(start / day) * day; at < end; at += day) {
    const parts = [[0, 0.31, false], [0.315, 0.5, false], [0.5, 0.55, true], [0.62, 0.9, false], [0.905, 1, false]]
    for (const [a, b, held] of parts) if (at + a * day < now) pieces.push({ start_us: at + a * day, end_us: Math.min(now, at + b * day), held })
    gaps.push({ start_us: at + 0.31 * day, end_us: at + 0.315 * day, cause: 'network' }, { start_us: at + 0.55 * day, end_us: at + 0.62 * day, cause: 'camera' }, { start_us: at + 0.9 * day, end_us: at + 0.905 * day, cause: 'disk' })
  }
  return { channel: 'ch_1', pieces, gaps }
}

const routes = [
  ['GET', /^session$/, () => me],
  ['DELETE', /^session$/, () => ((me = null), null)],
  ['POST', /^session$/, () => (me = { user: { id: 'usr_1', username: 'admin' }, roles: ['administrator'], permissions: ['*'], csrf: 'x', language: 'zh-CN', zone: 'Asia/Shanghai' })],
  ['GET', /^setup$/, () => ({ needed: false })],
  ['GET', /^tree$/, (q) => {
    const parent = q.get('parent')
    if (!parent) return page([{ id: 'area_1', kind: 'area', name: '芜湖市', total: 9, online: 6 }])
    if (parent === 'area_1') return page([{ id: 'area_2', kind: 'area', name: '镜湖区', total: 9, online: 6 }, { id: 'area_3', kind: 'area', name: '弋江区', total: 0, online: 0 }])
    if (parent === 'area_2') return page(devices.map((d) => ({ ...d, kind: 'device', total: d.channels, online: 1 })))
    return page(channels.filter((c) => c.device === parent).map((c) => ({ ...c, kind: 'channel' })))
  }],
  ['GET', /^channels$/, () => page(channels)],
  ['GET', /^channels\/(\w+)$/, (q, id) => channels.find((c) => c.id === id)],
  ['POST', /^channels\/(\w+)\/live$/, (q, id) => ({ url: `ws://127.0.0.1:8099/media/live/${id}`, quality: 'sub', codecs: null })],
  ['POST', /^channels\/(\w+)\/playback$/, (q, id) => ({ url: `ws://127.0.0.1:8099/media/playback/${id}`, quality: 'main', codecs: null })],
  ['GET', /^channels\/(\w+)\/timeline$/, (q) => timeline(Date.parse(q.get('start')) * 1000, Date.parse(q.get('end')) * 1000)],
  ['GET', /^channels\/(\w+)\/days$/, () => page([us() - 86400e6, us()])],
  ['GET', /^channels\/\w+\/ptz\/lock$/, () => ({ owner: 'usr_1', owner_name: 'admin', mine: true })],
  ['PUT', /^channels\/\w+\/ptz\/lock$/, () => ({ owner: 'usr_1', owner_name: 'admin', mine: true })],
  ['GET', /^devices$/, () => page(devices)],
  ['GET', /^devices\/unknown$/, () => page([{ code: '34020000001110000099', address: '192.168.1.77:5060', transport: 'udp', user_agent: 'IP Camera', last_seen: new Date().toISOString(), attempts: 12 }])],
  ['GET', /^devices\/(\w+)$/, (q, id) => devices.find((d) => d.id === id)],
  ['GET', /^alarms$/, () => page([1, 2, 3, 4, 3, 2].map((p, i) => ({ id: `al_${i}`, at: new Date(Date.now() - i * 400000).toISOString(), kind: ['motion', 'intrusion', 'line', 'video_loss', 'device', 'duress'][i], priority: p, state: i > 3 ? 'acknowledged' : 'raised', channel: `ch_${i + 1}`, channel_name: names[i], has_picture: i % 2 === 0, acknowledged_by: i > 3 ? 'admin' : null })))],
  ['GET', /^health$/, () => ({
    streams: channels.map((c, i) => ({ channel: c.id, name: c.name, quality: i % 2 ? 'sub' : 'main', state: c.state, step: c.step, codec: i === 2 ? 'h265' : 'h264', width: 1920, height: 1080, bits_per_second: 2.1e6 + i * 1e5, frames_per_second: 25, last_frame_at: new Date(Date.now() - i * i * 900).toISOString(), packets: 1e6, packets_lost: i * 3, viewers: i % 3, recording: c.recording, transport: 'udp', reconnects: i })),
    volumes: [{ name: 'main', path: '/data/volumes/main', state: 'ready', layout: 'shared', mode: 'direct', total_bytes: 4e12, free_bytes: 1.2e12, recorded_bytes: 2.7e12, held_bytes: 2e10 }],
    processes: [{ name: 'control', state: 'running', pid: 11, lag_ms: 2, restarts: 0, since: new Date(Date.now() - 3e6).toISOString() }, { name: 'signal', state: 'running', pid: 12, lag_ms: 1, restarts: 0, since: new Date(Date.now() - 3e6).toISOString() }, { name: 'media-0', state: 'running', pid: 13, lag_ms: 4, restarts: 1, since: new Date(Date.now() - 2e5).toISOString() }],
  })],
  ['GET', /^audit$/, () => page([...Array(30).keys()].map((i) => ({ id: `au_${i}`, at: new Date(Date.now() - i * 61000).toISOString(), actor_name: 'admin', action: ['live.watch', 'ptz.steer', 'device.add', 'session.end'][i % 4], object: 'ch_1', object_name: names[i % 9], outcome: i % 7 ? 'allowed' : 'denied', address: '10.1.2.3' })))],
  ['GET', /^users$/, () => page([{ id: 'usr_1', username: 'admin', roles: ['administrator'] }, { id: 'usr_2', username: 'wang', name: '王警官', roles: ['operator'] }])],
  ['GET', /^areas$/, (q) => page(q.get('parent') ? [{ id: 'area_2', name: '镜湖区', code: '340202', level: 'district', parent: 'area_1' }] : [{ id: 'area_1', name: '芜湖市', code: '340200', level: 'city', has_children: true }])],
  ['GET', /^organisations$/, () => page([{ id: 'org_1', name: '市公安局', code: '34020000' }])],
  ['GET', /^(views|tours|holds|exports|search)$/, () => page([])],
]

const server = createServer((request, response) => {
  const at = new URL(request.url, 'http://x')
  const path = at.pathname.replace('/api/v1/', '')
  for (const [method, pattern, make] of routes) {
    const found = pattern.exec(path)
    if (method !== request.method || !found) continue
    const value = make(at.searchParams, found[1])
    response.writeHead(value === null ? 401 : 200, { 'Content-Type': 'application/json' })
    response.end(JSON.stringify(value ?? { code: 'unauthenticated' }))
    return
  }
  response.writeHead(request.method === 'GET' ? 404 : 200, { 'Content-Type': 'application/json' })
  response.end(JSON.stringify({ code: 'not_found' }))
})
const sockets = new WebSocketServer({ noServer: true })
server.on('upgrade', (request, socket, head) => {
  sockets.handleUpgrade(request, socket, head, (opened) => {
    const [, kind, channel] = /media\/(\w+)\/(\w+)/.exec(request.url) ?? []
    if (kind) serveLive(opened, channel, kind === 'playback' ? { playing: false } : null)
  })
})
server.listen(8099, '127.0.0.1')
