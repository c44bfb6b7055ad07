// Paints the timeline: footage is grey, held is light, what is missing is hatched and says why.

import type { Timeline } from '../api/types'
import { clock, day, offsetMinutes, shortClock } from '../parts/times'
import { type Span, tickStep } from './span'

export const AXIS = 22
export const ROW = 20

export interface Painted {
  span: Span
  rows: { name: string; timeline: Timeline | undefined; leads: boolean; finds: Span[] }[]
  cursor: number
  hover: number | null
  range: { start: number | null; end: number | null }
  now: number
}

interface Colours {
  text: string
  quiet: string
  line: string
  footage: string
  held: string
  fault: string
  find: string
  outline: string
  ground: string
}

function colours(): Colours {
  const style = getComputedStyle(document.documentElement)
  const get = (name: string) => style.getPropertyValue(name).trim()
  return {
    text: get('--text-2'), quiet: get('--text-3'), line: get('--line'), footage: get('--line-strong'), held: get('--text-2'),
    fault: get('--yellow'), find: get('--blue'), outline: get('--outline'), ground: get('--ground'),
  }
}

const PLAIN = new Set(['schedule', 'maintenance', 'deleted'])

export function paint(canvas: HTMLCanvasElement, what: Painted): void {
  const context = canvas.getContext('2d')
  if (!context) return
  const ratio = window.devicePixelRatio
  const width = canvas.clientWidth
  const height = canvas.clientHeight
  if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
    canvas.width = Math.round(width * ratio)
    canvas.height = Math.round(height * ratio)
  }
  context.setTransform(ratio, 0, 0, ratio, 0, 0)
  context.clearRect(0, 0, width, height)
  const colour = colours()
  const scale = width / (what.span.end - what.span.start)
  const x = (at: number) => (at - what.span.start) * scale
  axis(context, what.span, width, height, x, colour)
  what.rows.forEach((row, index) => {
    const top = AXIS + index * ROW + 3
    context.fillStyle = colour.line
    context.fillRect(0, top, Math.min(width, x(what.now)), ROW - 6)
    for (const gap of row.timeline?.gaps ?? []) hatch(context, x(gap.start_us), x(gap.end_us), top, PLAIN.has(gap.cause) ? colour.quiet : colour.fault, width)
    for (const piece of row.timeline?.pieces ?? []) {
      const left = x(piece.start_us)
      if (left > width || x(piece.end_us) < 0) continue
      context.fillStyle = piece.held ? colour.held : colour.footage
      context.fillRect(left, top, Math.max(1, x(piece.end_us) - left), ROW - 6)
      if (piece.held) {
        context.fillStyle = colour.outline
        context.fillRect(left, top, Math.max(1, x(piece.end_us) - left), 2)
      }
    }
    context.fillStyle = colour.find
    for (const find of row.finds) context.fillRect(Math.round(x(find.start)), top + 4, Math.max(3, x(find.end) - x(find.start)), ROW - 10)
  })
  marks(context, what, width, height, x, colour)
}

function axis(context: CanvasRenderingContext2D, span: Span, width: number, height: number, x: (at: number) => number, colour: Colours): void {
  const step = tickStep(span, width, 76)
  const shift = offsetMinutes(span.start) * 60e6
  context.font = '11px "Inter Variable", sans-serif'
  context.textBaseline = 'middle'
  for (let at = Math.ceil((span.start + shift) / step) * step - shift; at < span.end; at += step) {
    const left = Math.round(x(at)) + 0.5
    const midnight = (at + shift) % 86400e6 === 0
    context.strokeStyle = midnight ? colour.quiet : colour.line
    context.beginPath()
    context.moveTo(left, midnight ? 0 : AXIS - 6)
    context.lineTo(left, height)
    context.stroke()
    context.fillStyle = colour.text
    context.fillText(midnight ? day(at).slice(5) : step < 60e6 ? clock(at) : shortClock(at), left + 4, AXIS / 2)
  }
}

function hatch(context: CanvasRenderingContext2D, from: number, to: number, top: number, colour: string, width: number): void {
  const left = Math.max(0, from)
  const right = Math.min(width, Math.max(to, from + 1))
  if (right <= left) return
  context.save()
  context.beginPath()
  context.rect(left, top, right - left, ROW - 6)
  context.clip()
  context.strokeStyle = colour
  context.globalAlpha = 0.75
  context.beginPath()
  for (let at = left - ROW; at < right; at += 5) {
    context.moveTo(at, top + ROW)
    context.lineTo(at + ROW, top)
  }
  context.stroke()
  context.restore()
}

function marks(context: CanvasRenderingContext2D, what: Painted, width: number, height: number, x: (at: number) => number, colour: Colours): void {
  const { start, end } = what.range
  if (start !== null || end !== null) {
    const left = start === null ? 0 : x(start)
    const right = end === null ? width : x(end)
    context.fillStyle = colour.outline
    context.globalAlpha = 0.14
    context.fillRect(left, AXIS, right - left, height)
    context.globalAlpha = 1
    for (const edge of [start, end]) if (edge !== null) context.fillRect(Math.round(x(edge)), AXIS - 6, 2, height)
  }
  if (what.hover !== null) {
    context.fillStyle = colour.quiet
    context.fillRect(Math.round(x(what.hover)), 0, 1, height)
  }
  const at = Math.round(x(what.cursor))
  context.fillStyle = colour.outline
  context.fillRect(at, 4, 2, height)
  context.beginPath()
  context.moveTo(at - 5, 0)
  context.lineTo(at + 7, 0)
  context.lineTo(at + 1, 8)
  context.fill()
}
