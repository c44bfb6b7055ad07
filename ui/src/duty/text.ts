// What fits on a sign. The server has the last word; this is for who types.

import { catalogue, type Key } from '../words'

const WIDE = /[\u1100-\u115f\u2e80-\ua4cf\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6]|[\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]/u

/** Columns that a line takes: a Chinese character takes two. */
export function widthOf(text: string): number {
  return [...text].reduce((sum, letter) => sum + (WIDE.test(letter) ? 2 : 1), 0)
}

export interface Room {
  lines: number
  columns: number
}

/** As many lines as the sign has, none of them too wide, and something in them. */
export function fits(lines: string[], room: Room): boolean {
  return lines.some((line) => line.trim() !== '') && lines.length <= room.lines && lines.every((line) => widthOf(line.trim()) <= room.columns)
}

/** Without empty lines at the end: a sign need not be told those. */
export function trimmed(lines: string[]): string[] {
  const kept = lines.map((line) => line.trim())
  while (kept.length > 0 && kept[kept.length - 1] === '') kept.pop()
  return kept
}

/** A text of the catalogue in the language of the sign, not of who sits here; with one line only its first. */
export function textOf(key: Key, language: 'zh' | 'en', room: Room): string[] {
  const lines = catalogue[key][language === 'zh' ? 1 : 0].split('|').slice(0, room.lines)
  return fits(lines, room) ? lines : lines.slice(0, 1)
}
