// A media WebSocket that comes back by itself: asks for a ticket, opens, reports, waits with jitter, for ever.

import { type Packet, readPacket, readText, type ServerText } from './wire'

export interface Ticket {
  url: string
  quality?: string
  codecs?: string[] | Record<string, string> | null
}

export interface FeedEvents {
  opened(ticket: Ticket): void
  packet(packet: Packet): void
  text(text: ServerText): void
  /** Not connected: `code` says what failed; another try follows in `seconds`. */
  broken(code: string, seconds: number, problem: unknown): void
}

const FIRST_WAIT_MS = 500
const LONGEST_WAIT_MS = 15_000
/** Nothing at all for so long means a dead path, whatever TCP believes. */
const SILENCE_MS = 20_000

export class Feed {
  private socket: WebSocket | null = null
  private timer: number | undefined
  private failures = 0
  private closed = false
  private heardAt = 0
  private lastEnd = ''

  constructor(
    private readonly ask: () => Promise<Ticket>,
    private readonly events: FeedEvents,
  ) {
    void this.connect()
  }

  get isOpen(): boolean {
    return this.socket?.readyState === WebSocket.OPEN
  }

  send(message: Record<string, unknown>): void {
    if (this.isOpen) this.socket?.send(JSON.stringify(message))
  }

  /** Reconnects when nothing was heard for long; call it now and then. */
  check(now: number): void {
    if (this.isOpen && now - this.heardAt > SILENCE_MS) this.drop('silence')
  }

  /** Ask for a new ticket at once, for instance for another quality. */
  restart(): void {
    this.failures = 0
    this.forget()
    void this.connect()
  }

  close(): void {
    this.closed = true
    this.forget()
  }

  private forget(): void {
    window.clearTimeout(this.timer)
    const socket = this.socket
    this.socket = null
    socket?.close()
  }

  private async connect(): Promise<void> {
    const socketBefore = this.socket
    let ticket: Ticket
    try {
      ticket = await this.ask()
    } catch (error) {
      this.again(codeOf(error), error)
      return
    }
    if (this.closed || this.socket !== socketBefore) return
    const socket = new WebSocket(ticket.url)
    socket.binaryType = 'arraybuffer'
    this.socket = socket
    this.heardAt = performance.now()
    this.lastEnd = ''
    socket.onopen = () => {
      if (this.socket === socket) this.events.opened(ticket)
    }
    socket.onmessage = (event: MessageEvent<unknown>) => {
      if (this.socket === socket) this.heard(event.data)
    }
    socket.onclose = () => {
      if (this.socket === socket) this.drop(this.lastEnd || 'media_unreachable')
    }
  }

  private heard(data: unknown): void {
    this.heardAt = performance.now()
    if (data instanceof ArrayBuffer) {
      const packet = readPacket(data)
      if (!packet) return
      this.failures = 0
      this.events.packet(packet)
    } else if (typeof data === 'string') {
      const text = readText(data)
      if (!text) return
      if (text.type === 'end') this.lastEnd = text.code
      this.events.text(text)
    }
  }

  private drop(code: string): void {
    const socket = this.socket
    this.socket = null
    socket?.close()
    this.again(code, null)
  }

  private again(code: string, problem: unknown): void {
    if (this.closed) return
    const wait = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** this.failures) * (0.5 + Math.random() / 2)
    this.failures = Math.min(this.failures + 1, 8)
    window.clearTimeout(this.timer)
    this.timer = window.setTimeout(() => void this.connect(), wait)
    this.events.broken(code, wait / 1000, problem)
  }
}

function codeOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : 'unavailable'
}
