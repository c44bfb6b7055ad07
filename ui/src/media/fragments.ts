// The one thing in a fragment that depends on the connection it came over: where its time line begins.

const NESTED = new Set(['moof', 'traf'])

/** Move the decoding times (tfdt, 64 bits) of a fragment `ticks` earlier, in place; nothing moves before zero. */
export function moveEarlier(bytes: Uint8Array<ArrayBuffer>, ticks: number): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  walk(view, 0, bytes.byteLength, ticks)
}

function walk(view: DataView, from: number, to: number, ticks: number): void {
  let at = from
  while (at + 8 <= to) {
    const size = view.getUint32(at)
    if (size < 8 || at + size > to) return
    const name = String.fromCharCode(view.getUint8(at + 4), view.getUint8(at + 5), view.getUint8(at + 6), view.getUint8(at + 7))
    if (NESTED.has(name)) walk(view, at + 8, at + size, ticks)
    else if (name === 'tfdt' && size === 20) {
      const moved = view.getBigUint64(at + 12) - BigInt(ticks)
      view.setBigUint64(at + 12, moved < 0n ? 0n : moved)
    }
    at += size
  }
}
